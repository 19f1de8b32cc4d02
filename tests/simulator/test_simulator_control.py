"""Claims about starting, configuring and steering the simulator."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.__main__ import main, parser, read_config
from simulator.config import BURST, Config, ConfigError, parse_config
from simulator.direct import ask, call
from simulator.remote import ControlError, Remote
from simulator.running import RunningSimulator
from simulator.server import App
from simulator.windows import MINUTE, Limits, Window

ROOT = Path(simulator.__file__).parent.parent


def _config(*words: str) -> Config:
    return read_config(parser().parse_args(list(words)))


def test_the_command_announces_its_address_first() -> None:
    """With port 0 the first line names a free port that answers at once."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--fault", "503:0.5"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            url = line.strip().removeprefix("simulator listening on ")
            running = Remote(url)
            assert running.health()["status"] == "ok"
            assert [fault["name"] for fault in running.faults()] == ["503"]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "words",
    [["--fault", "no-such"], ["--config", "/does/not/exist.json"], ["--host", "256.0.0.1"]],
    ids=["fault", "file", "address"],
)
def test_a_wrong_setting_ends_with_two(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says on stderr what is wrong and does not start."""
    assert main(["--port", "0", *words]) == 2
    assert capsys.readouterr().err.startswith("simulator: ")


def test_limits_come_from_the_command_line() -> None:
    """Rates hold for every vendor, the in-flight cap for DeepSeek."""
    words = "--rpm 300 --tpm 100000 --rpd 9000 --in-flight 7 --burst --minute-s 6"
    config = _config(*words.split())
    assert config.limits == {
        "*": Limits(rpm=300, tpm=100000, rpd=9000),
        "deepseek": Limits(rpm=300, tpm=100000, rpd=9000, in_flight=7),
    }
    assert config.minute_s == 6
    assert config.windows == (MINUTE, BURST)


def test_a_file_is_overridden_by_the_command_line(tmp_path: Path) -> None:
    """What the file says holds unless the command line says otherwise."""
    path = tmp_path / "vendor.json"
    limits = {"openai/gpt-4.1": {"rpm": 5}}
    value = {"limits": limits, "seed": 3, "first_ms": 1, "today": "2026-12-02"}
    path.write_text(json.dumps(value | {"windows": [[60, 1.0], [1, 1.5]]}))
    config = _config("--config", str(path), "--seed", "9")
    assert (config.seed, config.first_ms, config.chunk_ms) == (9, 1, 15.0)
    assert config.today == date(2026, 12, 2) and config.windows == (MINUTE, Window(1, 1.5))
    assert config.limits == {"openai/gpt-4.1": Limits(rpm=5)}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"speed": 1},
        {"limits": {"acme": {"rpm": 1}}},
        {"limits": {"openai/gpt-9": {"rpm": 1}}},
        {"limits": {"openai": {"rps": 1}}},
        {"limits": {"openai": {"rpm": 0}}},
        {"windows": [[2, 2.0]]},
        {"windows": [[60]]},
        {"minute_s": "6"},
    ],
    ids=["shape", "name", "vendor", "model", "figure", "zero", "no-minute", "pair", "minute"],
)
def test_a_wrong_configuration_is_refused(value: Any) -> None:
    """A setting that would be without effect raises ConfigError."""
    with pytest.raises(ConfigError):
        parse_config(value)


def test_faults_are_ordered_and_lifted_while_running(vendor: RunningSimulator, system: str) -> None:
    """An ordered fault is in force until lifted by name."""
    vendor.fault("503", probability=0.5, vendor="openai")
    vendor.fault("slow")
    assert [fault["name"] for fault in vendor.faults()] == ["503", "slow"]
    assert vendor.heal("503") == 1
    assert [fault["name"] for fault in vendor.faults()] == ["slow"]


def test_a_wrong_order_over_http_is_told(vendor: RunningSimulator) -> None:
    """A wrong fault or limit is a 400 that names the mistake."""
    with pytest.raises(ControlError, match="unknown fault"):
        vendor.fault("no-such")
    with pytest.raises(ControlError, match="rpm must be"):
        vendor.limit("openai", rpm=-1)


def test_limits_change_while_running(app: App) -> None:
    """A lowered limit holds from the next request, what was used before counts."""
    statuses = [ask(app, "openai", model="gpt-4.1", question="hello").status]
    call(app, "/control/limits", body={"openai": {"rpm": 2}})
    statuses += [ask(app, "openai", model="gpt-4.1", question="hello").status for _ in range(2)]
    assert statuses == [200, 200, 429]


def test_reset_forgets_everything(app: App) -> None:
    """After a reset there are no faults, no changed limits and an empty bill."""
    ask(app, "openai", model="gpt-4.1", question="hello")
    call(app, "/control/limits", body={"openai": {"rpm": 1}})
    call(app, "/control/faults", body={"name": "503"})
    call(app, "/control/reset", body={})
    assert call(app, "/bill").json()["totals"]["requests"] == 0
    assert call(app, "/control/faults").json() == {"faults": []}
    assert ask(app, "openai", model="gpt-4.1", question="hello").status == 200


def test_the_package_imports_only_the_standard_library_and_uvicorn() -> None:
    """In a fresh interpreter the simulator loads nothing of the product or its frameworks."""
    code = "import sys, simulator.__main__, simulator.running; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    ours = {"base", "cache", "routing", "chatbot", "django", "httpx", "channels", "numpy"}
    assert not loaded & ours and "uvicorn" in loaded
