"""A Celery worker inside the process, for sites without a broker, and the clock that feeds it.

The worker runs in a daemon thread. The timer thread sends the periodic tasks; a lost send is harmless
because every task works off rows (outbox, lookups) and the next one catches up.
"""

from __future__ import annotations

import threading

from chatbot.celery import app
from chatbot.schedule import SCHEDULE


class InProcessWorker:
    """One worker thread and one timer thread."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._controller = app.WorkController(
            pool="threads",
            concurrency=1,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._threads = [
            threading.Thread(target=self._controller.start, name="celery", daemon=True),
            threading.Thread(target=self._tick, name="celery-timer", daemon=True),
        ]

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the timer and let the running task finish."""
        self._stopped.set()
        self._controller.stop()

    def _tick(self) -> None:
        """Send each task of the schedule when its time has come."""
        elapsed_s = 0
        while not self._stopped.wait(timeout=1.0):
            elapsed_s += 1
            for name, every_s in SCHEDULE.items():
                if elapsed_s % every_s == 0:
                    app.send_task(name)
