"""Dry runs waiting to be run: one at a time per machine, in a process of its own that yields to all others.

A thread of the serving process would hold the interpreter from shoppers' answers for milliseconds at a time; a
process of low priority on one core does not. The row is the truth: a lost start is made up for by the next look,
and a run whose process died is ended here with that reason.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from base.locks import AlreadyRunning, ProcessLock
from chatbot.models import DryRun

logger = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent
SILENT_FOR = timedelta(minutes=3)
# Kept in rows; `base.sentences` has their shapes.
STOPPED = "Stopped by staff."
DIED = "Its process ended before it was done. Start it again."
_children: list[subprocess.Popen[bytes]] = []


def launch() -> bool:
    """Start the process for what waits; False when nothing does. One that runs already does it all."""
    end_silent(now=timezone.now())
    _children[:] = [child for child in _children if child.poll() is None]
    if _children or not DryRun.objects.filter(state=DryRun.WAITING).exists():
        return False
    command = [sys.executable, str(ROOT / "manage.py"), "dry_run", "--waiting"]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    _children.append(child)
    return True


def end_silent(*, now: datetime) -> int:
    """End the runs that have said nothing for too long; returns how many."""
    silent = DryRun.objects.filter(state=DryRun.RUNNING, seen_at__lt=now - SILENT_FOR)
    return silent.update(state=DryRun.FAILED, problem=DIED, ended_at=now, upload=None)


def only_one() -> ProcessLock:
    """Held by the process that runs them. Entering raises AlreadyRunning where another one is at it."""
    return ProcessLock(Path(settings.DATA_DIR) / "dry-run.lock")


__all__ = ["STOPPED", "AlreadyRunning", "end_silent", "launch", "only_one"]
