"""Group commit: one thread owns every write of the hot path.

Jobs are plain functions that use the ORM. The thread takes whatever has queued up while the
previous batch was being committed, runs it in ONE transaction and resolves the callers after the
commit, so a caller that was answered knows that its rows are durable. No timer is involved: an
idle writer commits a lone job at once.

Guarantees kept: jobs run in the order of submission; a job that raises is rolled back to its own
savepoint and only its caller sees the exception; when the commit itself fails every caller of the
batch gets the error; a job whose caller gave up before its batch began is not run. Given up: a job
must not wait for another job, nor call a model or the network.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db import DatabaseError, Error, close_old_connections, connection, transaction

T = TypeVar("T")
_Job = tuple[Callable[[], Any], "Future[Any]"]
_Outcome = tuple["Future[Any]", Any, BaseException | None]


class WriterBusy(Exception):
    """The writer's queue is full: the caller must refuse the work, not wait for ever."""


class Writer:
    """A bounded queue of write jobs and the thread that commits them in batches."""

    def __init__(self, *, max_pending: int = 10_000, max_batch: int = 256) -> None:
        self._queue: queue.Queue[_Job | None] = queue.Queue(maxsize=max_pending)
        self._max_batch = max_batch
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Commit what is queued, then end the thread and close its connection."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue `job`; the future resolves after the commit. Raises WriterBusy on a full queue."""
        future: Future[T] = Future()
        try:
            self._queue.put_nowait((job, future))
        except queue.Full as error:
            message = "too many writes are waiting; try again in a moment"
            raise WriterBusy(message) from error
        return future

    async def run(self, job: Callable[[], T]) -> T:
        """Queue `job` and wait, off the event loop, until it is committed."""
        return await asyncio.wrap_future(self.submit(job))

    def _loop(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            if batch:
                close_old_connections()
                self._commit(batch)
        connection.close()

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for one job, then take all that are there, up to the batch limit."""
        batch: list[_Job] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) >= self._max_batch:
                return batch, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: list[_Job]) -> None:
        batch = [job for job in batch if job[1].set_running_or_notify_cancel()]
        outcomes: list[_Outcome] = []
        try:
            with transaction.atomic():
                outcomes.extend((future, *_run_one(job)) for job, future in batch)
                if connection.needs_rollback:  # Django would roll back in silence
                    message = "the transaction broke off before its commit"
                    raise DatabaseError(message)
        except Error as error:
            own = {future: failure for future, _, failure in outcomes if failure is not None}
            outcomes = [(future, None, own.get(future, error)) for _, future in batch]
        for future, result, failure in outcomes:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def _run_one(job: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Run one job in its own savepoint; its failure belongs to its caller alone."""
    try:
        with transaction.atomic():
            return job(), None
    except Exception as error:  # noqa: BLE001  handed to the caller through its future, not swallowed
        return None, error
