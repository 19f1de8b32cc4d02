"""Numbers that readers poll: unique, gapless, and visible in order."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from base.counters import take
from base.models import Counter
from cache.changes import record_changes
from cache.models import Change

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, TAKES = 4, 15


def take_many(numbers: list[int], failures: list[BaseException]) -> None:
    """Take numbers in transactions of their own, each with a row that readers see."""
    try:
        for _ in range(TAKES):
            with transaction.atomic():
                seq = take("seq")
                Change.objects.create(seq=seq, op=Change.ADD, wording_id=seq, at=timezone.now())
            numbers.append(seq)
    except BaseException as error:  # noqa: BLE001  shown by the test's own thread
        failures.append(error)
    finally:
        connection.close()


def test_concurrent_takers_get_unique_gapless_numbers_in_commit_order() -> None:
    """A reader that polls meanwhile never sees a number without every smaller one."""
    numbers: list[int] = []
    failures: list[BaseException] = []
    threads = [threading.Thread(target=take_many, args=(numbers, failures)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen = list(Change.objects.order_by("seq").values_list("seq", flat=True))
        assert seen == list(range(1, len(seen) + 1))
    assert failures == []
    assert sorted(numbers) == list(range(1, THREADS * TAKES + 1))


def test_block_of_numbers_is_contiguous() -> None:
    """Taking five gives the first of five that nobody else gets."""
    with transaction.atomic():
        first, second = take("a", 5), take("a")
    assert (first, second) == (1, 6)


def test_names_count_separately() -> None:
    """Two counters do not touch each other."""
    with transaction.atomic():
        taken = [take("a"), take("b"), take("a")]
    assert taken == [1, 1, 2]


def test_rolled_back_numbers_are_given_out_again() -> None:
    """A transaction that fails leaves no gap."""
    with transaction.atomic():
        take("a")
        transaction.set_rollback(True)
    assert not Counter.objects.exists()
    with transaction.atomic():
        assert take("a") == 1


def test_no_changes_take_no_number() -> None:
    """Recording an empty list of changes writes nothing."""
    record_changes([], op=Change.ADD, now=timezone.now())
    assert not Counter.objects.exists()
    assert not Change.objects.exists()
