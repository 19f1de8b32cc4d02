"""A simulator in a thread of this process, for tests and benchmarks."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from types import TracebackType
from typing import Any, Self

from simulator.clock import Clock
from simulator.config import Config
from simulator.server import bind, build_server, create_app, url_of

_STOP_WAIT_S = 10.0


class ControlError(RuntimeError):
    """The simulator refused an order; the message says why."""


class RunningSimulator:
    """`with RunningSimulator(config, clock) as vendor:` serves on a free port until the end.

    `vendor.url` is the address without a trailing slash, `vendor.base("openai")` a vendor's own.
    The methods talk HTTP, so they may be called from any thread.
    """

    _PATHS = {
        "openai": "/openai/v1",
        "deepseek": "/deepseek",
        "holysheep": "/holysheep/v1",
        "anthropic": "/anthropic",
        "gemini": "/gemini/v1beta",
    }

    def __init__(
        self,
        config: Config | None = None,
        clock: Clock | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._address = (host, port)
        self._server = build_server(create_app(config, clock))
        self.url = ""

    def __enter__(self) -> Self:
        self._listener = bind(*self._address)
        self.url = url_of(self._listener)
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_WAIT_S)
        self._listener.close()

    def base(self, vendor: str) -> str:
        """The base URL to configure for a vendor."""
        return self.url + self._PATHS[vendor]

    def _call(self, method: str, path: str, *, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_STOP_WAIT_S) as answer:
                value: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.read().decode()) from error
        return value

    def bill(self, *, rows: bool = False) -> dict[str, Any]:
        """The bill; `rows` adds every request under `requests`."""
        return self._call("GET", "/bill?rows=1" if rows else "/bill")

    def fault(self, name: str, **order: Any) -> dict[str, Any]:
        """Put a fault in force: probability, vendor, model, count, after_s, for_s, options.

        Raises ControlError if the order is wrong.
        """
        return self._call("POST", "/control/faults", body={"name": name} | order)

    def heal(self, name: str | None = None) -> int:
        """Lift the faults of a name, or all; returns how many."""
        path = "/control/faults" + (f"?name={name}" if name else "")
        return int(self._call("DELETE", path)["removed"])

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force."""
        return list(self._call("GET", "/control/faults")["faults"])

    def limit(self, name: str, **figures: int | None) -> dict[str, Any]:
        """Replace the limits of "vendor/model", "vendor" or "*": rpm, tpm, input_tpm, ..."""
        return self._call("POST", "/control/limits", body={name: figures})

    def reset(self) -> None:
        """Forget bill, windows, faults and turns."""
        self._call("POST", "/control/reset")

    def health(self) -> dict[str, Any]:
        """State and requests in flight."""
        return self._call("GET", "/healthz")
