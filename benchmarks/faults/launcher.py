"""Starts site processes that have their libraries imported already: each line of input is one start.

A site spends most of its start on importing its numeric libraries. A scenario that restarts it twenty times
pays for them once: this process imports them, starts no thread, opens no database, and forks a child per
line (the arguments of `manage.py`). The child runs the same code from there on. It prints the child's pid.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys

import django
import faiss  # noqa: F401  loaded before the fork
import uvicorn  # noqa: F401  loaded before the fork
from django.core.management import execute_from_command_line


def main() -> None:
    """Fork a child for every line until the input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
    django.setup()
    importlib.import_module("chatbot.runtime")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    _say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            execute_from_command_line(["manage.py", *line.split()])
            return
        _say(str(child))


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
