"""Starts site processes: each line of input (the arguments of `manage.py`) is one start; prints the child's pid.

Every child is a process of its own from the beginning. Forking one that has its libraries imported would be
quicker, but ONNX Runtime's threads do not survive a fork.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main() -> None:
    """Start a child for every line until the input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    _say("ready")
    for line in sys.stdin:
        command = [sys.executable, "manage.py", *line.split()]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        _say(str(child.pid))


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
