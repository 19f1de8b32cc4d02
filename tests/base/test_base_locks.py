"""One process per data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from base.locks import AlreadyRunning, ProcessLock

HOLDER = """
import sys
from pathlib import Path
from base.locks import ProcessLock
with ProcessLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_holder_is_told_what_to_do(tmp_path: Path) -> None:
    """The message names the lock and the setting that helps."""
    path = tmp_path / "lock"
    with ProcessLock(path), pytest.raises(AlreadyRunning, match="DATA_DIR") as told:
        ProcessLock(path).__enter__()
    assert str(path) in str(told.value)


def test_holder_is_named_by_its_process_id(tmp_path: Path) -> None:
    """The file holds the id of the process, and only that."""
    path = tmp_path / "lock"
    path.write_text("4242424242 left by an earlier one", encoding="utf-8")
    with ProcessLock(path):
        assert path.read_text(encoding="utf-8") == str(os.getpid())


def test_failed_try_leaves_the_holders_id(tmp_path: Path) -> None:
    """Who is refused does not wipe the file."""
    path = tmp_path / "lock"
    with ProcessLock(path):
        with pytest.raises(AlreadyRunning):
            ProcessLock(path).__enter__()
        assert path.read_text(encoding="utf-8") == str(os.getpid())


def test_lock_is_free_after_the_block(tmp_path: Path) -> None:
    """Leaving gives the lock back, also when the block failed."""
    path = tmp_path / "lock"
    with pytest.raises(LookupError), ProcessLock(path):
        raise LookupError
    with ProcessLock(path):
        assert path.exists()


def test_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    """The kernel frees the lock of a process that is killed; its file does not matter."""
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning):
            ProcessLock(path).__enter__()
        holder.kill()
        holder.wait()
    with ProcessLock(path):
        assert path.read_text(encoding="utf-8") == str(os.getpid())
