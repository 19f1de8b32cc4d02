"""A site of its own for a measurement: fresh data folder, simulator with limits, one server process."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatbot.management.commands.serve import DEMO_KEY, VENDOR_PATHS
from simulator.remote import Remote

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: its address, its vendor, and its database file (read-only use)."""

    url: str
    vendor: Remote
    database: Path

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of a read-only query on the site's database."""
        uri = f"file:{self.database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(query, parameters).fetchall()


@contextmanager
def kept_vectors(source: Path | None, folder: Path) -> Iterator[None]:
    """Start with the vectors and the exported model of an earlier run's data folder, if there are any."""
    if source is not None:
        borrow(source, folder)
    yield


def borrow(source: Path, folder: Path) -> None:
    """Copy kept vectors, and link the exported embedding model, whose files are never written to."""
    for path in source.glob("vectors-*.npz"):
        shutil.copy(path, folder)
    for engine in source.glob("engine-*[!p]"):  # not a .tmp that somebody is writing
        if not (folder / engine.name).exists():
            shutil.copytree(engine, folder / engine.name, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy(source, target)


@contextmanager
def running_simulator(*options: str) -> Iterator[str]:
    """`python -m simulator` on a free port; yields its address."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().rsplit(" ", 1)[-1].strip()
        finally:
            process.terminate()


@contextmanager
def running_site(
    folder: Path,
    *,
    simulator_url: str,
    settings: Mapping[str, str] | None = None,
    before_start: Callable[[sqlite3.Connection], None] | None = None,
) -> Iterator[Site]:
    """Prepare and serve; `before_start` may change rows between the two."""
    environment = vendor_environment(folder, simulator_url) | dict(settings or {})
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "prepare"], env=environment, cwd=ROOT, check=True, capture_output=True)
    database = folder / "breakwater.sqlite3"
    if before_start is not None:
        with closing(sqlite3.connect(database)) as connection, connection:
            before_start(connection)
    port = free_port()
    command = [*manage, "serve", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with (
        (folder / "serve.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log) as server,
    ):
        try:
            wait_until_ready(url, server, folder / "serve.log")
            yield Site(url=url, vendor=Remote(simulator_url), database=database)
        finally:
            server.terminate()


def vendor_environment(folder: Path, simulator_url: str) -> dict[str, str]:
    """Nothing of the caller's own keys: every vendor is the simulator."""
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "UPSTREAM_ALLOW_LOOPBACK": "1",
        "CHAT_SOCKETS_PER_IP": "1000",
        "HF_HUB_OFFLINE": "1",
    }
    for vendor, path in VENDOR_PATHS.items():
        environment[f"{vendor.upper()}_API_KEY"] = DEMO_KEY
        environment[f"{vendor.upper()}_BASE_URL"] = f"{simulator_url}{path}"
    return environment


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    message = f"the site did not start:\n{log.read_text(encoding='utf-8')[-2_000:]}"
    raise RuntimeError(message)
