"""One process per data folder: an advisory lock on a file, released by the kernel when the process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another process holds the lock."""


class ProcessLock:
    """Context manager that holds the lock; raises AlreadyRunning when another process does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> ProcessLock:
        self._file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            message = (
                f"another server already runs on this data folder (lock {self._path}). Stop it, or set "
                "DATA_DIR to another folder."
            )
            raise AlreadyRunning(message) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
