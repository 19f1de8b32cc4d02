"""Steers a running simulator over HTTP, from any thread or process."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

_TIMEOUT_S = 10.0


class ControlError(RuntimeError):
    """The simulator refused an order; the message says why."""


def _query(wanted: Mapping[str, object]) -> str:
    given = {name: value for name, value in wanted.items() if value is not None}
    return "?" + urllib.parse.urlencode(given) if given else ""


class Remote:
    """A simulator at `url`; a vendor's own base URL is `base("openai")`.

    With `control_url` (the address of `--control-port`) it can be steered while it refuses or
    resets connections.
    """

    _PATHS = {
        "openai": "/openai/v1",
        "deepseek": "/deepseek",
        "holysheep": "/holysheep/v1",
        "anthropic": "/anthropic",
        "gemini": "/gemini/v1beta",
    }

    def __init__(self, url: str, *, control_url: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.control_url = (control_url or url).rstrip("/")

    def base(self, vendor: str) -> str:
        """The base URL to configure for a vendor."""
        return self.url + self._PATHS[vendor]

    def _call(self, method: str, path: str, *, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                value: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.read().decode()) from error
        return value

    def bill(self, *, rows: bool = False) -> dict[str, Any]:
        """The bill; `rows` adds every request under `requests`."""
        return self._call("GET", "/bill?rows=1" if rows else "/bill")

    def fault(self, name: str, **order: Any) -> dict[str, Any]:
        """Put a fault in force: probability, vendor, model, count, options, and its time: after_s
        or start_at, for_s or stop_at (Unix seconds, or ISO 8601 with an offset).

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

    def arrivals(
        self,
        *,
        vendor: str | None = None,
        model: str | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
    ) -> list[dict[str, Any]]:
        """Calls in the order they arrived, open ones included; times are Unix seconds."""
        wanted = {"vendor": vendor, "model": model, "since_s": since_s, "until_s": until_s}
        return list(self._call("GET", "/arrivals" + _query(wanted))["calls"])

    def seconds(
        self, *, vendor: str | None = None, model: str | None = None
    ) -> list[dict[str, Any]]:
        """Calls per second and model: arrived, accepted, refused by reason."""
        wanted = {"vendor": vendor, "model": model}
        return list(self._call("GET", "/arrivals/seconds" + _query(wanted))["seconds"])

    def limit(self, name: str, **figures: int | None) -> dict[str, Any]:
        """Replace the limits of "vendor/model", "vendor" or "*": rpm, tpm, input_tpm, ..."""
        return self._call("POST", "/control/limits", body={name: figures})

    def reset(self) -> None:
        """Forget bill, windows, faults and turns."""
        self._call("POST", "/control/reset")

    def health(self) -> dict[str, Any]:
        """State, requests in flight, the simulator's date, connections and redirects followed."""
        return self._call("GET", "/healthz")
