"""A LiteLLM proxy in an environment of its own, in front of the simulator and of mock models.

It needs other versions of libraries than we do, so it is installed beside us, once, and only when
this scenario is run: about 750 MB on disk, two minutes, and half a gigabyte of memory while it runs.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from simulator.running import RunningSimulator

VERSION = "1.106.2"
KEY = "sk-proxy"
ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".cache" / "litellm"
_READY_S = 300.0
_BEHIND_S = 2.0  # the proxy's patience with what is behind it
_OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_ADMIN_UI": "True",
    "NO_PROXY": "*",
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: where it listens, and how long it took to begin."""

    url: str
    pid: int
    ready_s: float

    def memory_mb(self) -> float:
        """Its resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def installed() -> Path:
    """The folder of the proxy's programs; installs it at the first use. Raises CalledProcessError."""
    programs = HOME / f"venv-{VERSION}" / "bin"
    if not (programs / "litellm").exists():
        print(f"   installing litellm {VERSION} below {HOME}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(programs.parent)], check=True)
        pip = [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"litellm[proxy]=={VERSION}"], check=True)
    return programs


def _model(name: str, **parameters: object) -> dict[str, object]:
    return {"model_name": name, "litellm_params": {"api_key": "sk-behind", **parameters}}


def _configuration(simulator: RunningSimulator) -> dict[str, object]:
    """Three models that the simulator plays, and mocks for what it cannot play."""
    behind = {
        "chat": ("openai", "openai/gpt-4.1"),
        "messages": ("anthropic", "anthropic/claude-sonnet-5-5"),
        "native": ("gemini", "gemini/gemini-3.5-flash-lite"),
    }
    mocks: dict[str, dict[str, object]] = {
        "mock": {"mock_response": "Three days. 三天送达"},
        "mock-rate": {"mock_response": "litellm.RateLimitError"},
        "mock-context": {"mock_response": "litellm.ContextWindowExceededError"},
        "mock-server": {"mock_response": "litellm.InternalServerError"},
        "mock-timeout": {"mock_response": "never", "mock_timeout": True, "timeout": 0.2},
        "limited": {"mock_response": "once", "rpm": 1},
        "limited-messages": {"mock_response": "once", "rpm": 1},
        "nobody": {"api_base": "http://127.0.0.1:9/v1"},
    }
    return {
        "model_list": [
            *(
                _model(name, model=model, api_base=simulator.base(vendor), timeout=_BEHIND_S)
                for name, (vendor, model) in behind.items()
            ),
            *(_model(name, model="openai/gpt-4.1", **how) for name, how in mocks.items()),
        ],
        "litellm_settings": {"num_retries": 0},
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "optional_pre_call_checks": ["enforce_model_rate_limits"],
        },
        "general_settings": {"master_key": KEY},
    }


@contextmanager
def running_proxy(simulator: RunningSimulator) -> Iterator[Proxy]:
    """A proxy in front of the simulator until the end."""
    programs = installed()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    configuration = HOME / "config.json"
    configuration.write_text(json.dumps(_configuration(simulator)), encoding="utf-8")
    command = [str(programs / "litellm"), "--config", str(configuration), "--num_workers", "1"]
    with (HOME / "log").open("w") as log:
        started_s = time.monotonic()
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **_OFFLINE},
            cwd=HOME,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(f"{url}/health/liveliness", process, until_s=started_s + _READY_S)
            yield Proxy(url, process.pid, time.monotonic() - started_s)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(address: str, process: subprocess.Popen[bytes], *, until_s: float) -> None:
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        try:
            if httpx.get(address, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.25)
    message = f"the proxy did not start; see {HOME / 'log'}"
    raise RuntimeError(message)
