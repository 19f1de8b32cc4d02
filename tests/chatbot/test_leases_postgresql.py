"""The leases' own tests once more, on PostgreSQL: there several processes really share the questions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import unavailable
from servers import has_postgresql, running_postgresql

ROOT = Path(__file__).resolve().parents[2]


def test_leases_hold_on_postgresql() -> None:
    """Every claim that is made for SQLite is true of PostgreSQL."""
    if not has_postgresql():
        unavailable("a PostgreSQL server")
    command = [sys.executable, "-m", "pytest", "tests/chatbot/test_leases.py", "-q"]
    with running_postgresql() as database_url:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout[-3_000:]
