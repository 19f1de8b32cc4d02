"""The group-commit writer on a real database file: one thread, one transaction per batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from base.models import Counter
from base.writer import Writer, WriterBusy
from cache.models import Source

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 20.0


@pytest.fixture
def writer() -> Iterator[Writer]:
    """A writer that is started by the test and ended after it."""
    writer = Writer()
    yield writer
    writer.stop()


def insert(name: str) -> Callable[[], str]:
    """A job that adds one row and gives back its name."""

    def job() -> str:
        return Counter.objects.create(name=name).name

    return job


def names() -> list[str]:
    """What is committed, in order of the names."""
    return list(Counter.objects.order_by("name").values_list("name", flat=True))


def noted(log: list[str], name: str) -> Callable[[], None]:
    """A job that notes when it runs and when its transaction is committed."""

    def job() -> None:
        log.append(f"run {name}")
        transaction.on_commit(lambda: log.append(f"commit {name}"))

    return job


def broken_insert() -> None:
    """Adds a row, then fails."""
    insert("half-done")()
    raise LookupError("this job fails")


def insert_orphan() -> None:
    """Adds a row whose parent is missing: the database notices when it commits, not before."""
    Source.objects.create(answer_id=987_654, article_key="a", locale="en", article_version=1)


def lose_transaction() -> None:
    """Ends the transaction under the writer's feet, as a failing disk does."""
    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK")
    raise LookupError("the transaction is gone")


def test_queued_jobs_share_one_commit(writer: Writer) -> None:
    """Jobs that queued up are all run before the one commit that makes them durable."""
    log: list[str] = []
    futures = [writer.submit(noted(log, name)) for name in "abc"]
    writer.start()
    for future in futures:
        future.result(timeout=WAIT_S)
    assert log == ["run a", "run b", "run c", "commit a", "commit b", "commit c"]


def test_batch_size_is_bounded() -> None:
    """No transaction holds more jobs than the limit, so no caller waits for an endless batch."""
    log: list[str] = []
    writer = Writer(max_batch=2)
    futures = [writer.submit(noted(log, name)) for name in "abc"]
    writer.start()
    for future in futures:
        future.result(timeout=WAIT_S)
    writer.stop()
    assert log == ["run a", "run b", "commit a", "commit b", "run c", "commit c"]


def test_jobs_run_in_order_of_submission(writer: Writer) -> None:
    """Five hundred jobs, across batches, run in the order in which they came."""
    order: list[int] = []
    writer.start()
    futures = [writer.submit(lambda n=number: order.append(n)) for number in range(500)]
    futures[-1].result(timeout=WAIT_S)
    assert order == list(range(500))


def test_answered_caller_finds_its_row_committed(writer: Writer) -> None:
    """When the future resolves, another connection sees the row."""
    writer.start()
    assert writer.submit(insert("durable")).result(timeout=WAIT_S) == "durable"
    assert names() == ["durable"]


def test_failing_job_is_rolled_back_alone(writer: Writer) -> None:
    """A job that raises loses its own rows; its neighbours in the batch keep theirs."""
    before, bad, after = (
        writer.submit(insert("before")),
        writer.submit(broken_insert),
        writer.submit(insert("zafter")),
    )
    writer.start()
    assert [before.result(timeout=WAIT_S), after.result(timeout=WAIT_S)] == ["before", "zafter"]
    assert isinstance(bad.exception(timeout=WAIT_S), LookupError)
    assert names() == ["before", "zafter"]


def test_commit_failure_reaches_every_caller(writer: Writer) -> None:
    """When the commit itself is refused, nobody of the batch is told that it worked."""
    futures = [writer.submit(insert("innocent")), writer.submit(insert_orphan)]
    writer.start()
    failures = [future.exception(timeout=WAIT_S) for future in futures]
    assert [type(failure) for failure in failures] == [IntegrityError, IntegrityError]
    assert names() == []


def test_lost_transaction_reaches_every_caller(writer: Writer) -> None:
    """A transaction that breaks off in the middle is no success for the jobs before the break."""
    before, breaking = writer.submit(insert("before")), writer.submit(lose_transaction)
    writer.start()
    assert isinstance(breaking.exception(timeout=WAIT_S), LookupError)
    assert isinstance(before.exception(timeout=WAIT_S), DatabaseError)
    assert names() == []


def test_writer_goes_on_after_failures(writer: Writer) -> None:
    """Neither a failing job, nor a refused commit, nor a lost transaction ends the thread."""
    writer.start()
    for job in (broken_insert, insert_orphan, lose_transaction):
        assert writer.submit(job).exception(timeout=WAIT_S) is not None
    assert writer.submit(insert("alive")).result(timeout=WAIT_S) == "alive"


def test_full_queue_refuses_at_once() -> None:
    """A queue has a bound: the caller hears WriterBusy instead of waiting for ever."""
    writer = Writer(max_pending=2)
    kept = [writer.submit(insert(name)) for name in ("a", "b")]
    with pytest.raises(WriterBusy):
        writer.submit(insert("c"))
    writer.start()
    assert [future.result(timeout=WAIT_S) for future in kept] == ["a", "b"]
    writer.stop()


def test_stop_commits_what_is_queued(writer: Writer) -> None:
    """Nothing that was taken is lost by an orderly end."""
    futures = [writer.submit(insert(f"row-{number:02}")) for number in range(20)]
    writer.start()
    writer.stop()
    assert all(future.done() for future in futures)
    assert len(names()) == 20


def test_started_twice_has_one_thread(writer: Writer) -> None:
    """A second start changes nothing: there is one writer thread."""
    seen: set[str] = set()
    writer.start()
    writer.start()
    for _ in range(5):
        writer.submit(lambda: seen.add(threading.current_thread().name)).result(timeout=WAIT_S)
    assert seen == {"writer"}


def test_cancelled_job_is_left_out(writer: Writer) -> None:
    """A job whose caller gave up before its turn is not run, and the thread goes on."""
    given_up, wanted = writer.submit(insert("given-up")), writer.submit(insert("wanted"))
    assert given_up.cancel()
    writer.start()
    assert wanted.result(timeout=WAIT_S) == "wanted"
    assert names() == ["wanted"]
    with pytest.raises(CancelledError):
        given_up.result(timeout=WAIT_S)


async def test_caller_that_leaves_while_its_job_runs_ends_nothing(writer: Writer) -> None:
    """Cancelling a task that waits for a running job neither stops the job nor the thread."""
    running, go_on = threading.Event(), threading.Event()

    def slow_insert() -> None:
        running.set()
        go_on.wait(WAIT_S)
        insert("slow")()

    writer.start()
    task = asyncio.create_task(writer.run(slow_insert))
    await asyncio.to_thread(running.wait, WAIT_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await writer.run(insert("next"))
    assert await writer.run(names) == ["next", "slow"]


async def test_run_waits_off_the_event_loop(writer: Writer) -> None:
    """Many tasks wait at once without blocking the loop that they share."""
    writer.start()
    made = await asyncio.gather(*(writer.run(insert(f"row-{n:02}")) for n in range(50)))
    assert made == [f"row-{n:02}" for n in range(50)]
