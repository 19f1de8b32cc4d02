"""A site whose process may be killed and started again on the same data folder and port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.site import ROOT, Site, borrow, free_port, vendor_environment, wait_until_ready
from simulator.remote import Remote

VECTOR_FOLDERS = (ROOT / "data", ROOT / "data" / "test")
POLL_S = 0.02
EXIT_WITHIN_S = 60.0


class RestartingSite:
    """The site's process by its pid; `site` stays the same over all restarts."""

    def __init__(
        self, folder: Path, *, launcher: subprocess.Popen[str], simulator_url: str
    ) -> None:
        self._launcher = launcher
        self._log = folder / "serve.log"
        self._port = free_port()
        self._pid = 0
        self.site = Site(
            url=f"http://127.0.0.1:{self._port}",
            vendor=Remote(simulator_url),
            database=folder / "breakwater.sqlite3",
        )

    def prepare(self) -> None:
        """Fill the data folder and wait for it."""
        pid = self._launch("prepare")
        while _lives(pid):
            time.sleep(POLL_S)

    def _launch(self, command: str) -> int:
        assert self._launcher.stdin is not None
        self._launcher.stdin.write(f"{command}\n")
        self._launcher.stdin.flush()
        return int(_word(self._launcher))

    def start(self) -> float:
        """Start the process and wait until it is ready; returns the seconds that took."""
        began_s = time.monotonic()
        self._pid = self._launch(f"serve --port {self._port}")
        wait_until_ready(self.site.url, self._launcher, self._log)
        return time.monotonic() - began_s

    def end(self, number: signal.Signals) -> float:
        """Send a signal and wait for the end of the process; returns the seconds that took."""
        began_s = time.monotonic()
        os.kill(self._pid, number)
        while _lives(self._pid):
            if time.monotonic() - began_s > EXIT_WITHIN_S:
                message = f"the site did not end within {EXIT_WITHIN_S:g} s of {number.name}"
                raise RuntimeError(message)
            time.sleep(POLL_S)
        return time.monotonic() - began_s

    def end_if_running(self) -> None:
        """Leave nothing behind."""
        if self._pid and _lives(self._pid):
            self.end(signal.SIGKILL)


@contextmanager
def restarting_site(
    folder: Path, *, simulator_url: str, settings: Mapping[str, str] | None = None
) -> Iterator[RestartingSite]:
    """Prepare the data folder; the site is started by `start`."""
    environment = vendor_environment(folder, simulator_url) | dict(settings or {})
    borrow_vectors(folder)
    command = [sys.executable, "-m", "benchmarks.faults.launcher"]
    with (
        (folder / "serve.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as launcher,
    ):
        site = RestartingSite(folder, launcher=launcher, simulator_url=simulator_url)
        try:
            _word(launcher)
            site.prepare()
            yield site
        finally:
            site.end_if_running()
            launcher.terminate()


def borrow_vectors(folder: Path) -> None:
    """Start with the vectors and the exported model that this machine has already, if there are any."""
    for source in VECTOR_FOLDERS:
        borrow(source, folder)


def _word(launcher: subprocess.Popen[str]) -> str:
    assert launcher.stdout is not None
    word = launcher.stdout.readline().strip()
    if not word:
        message = "the launcher of the site has ended; its log is serve.log in the data folder"
        raise RuntimeError(message)
    return word


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
