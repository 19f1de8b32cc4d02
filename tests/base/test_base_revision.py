"""One number per configuration save, and snapshots that follow it."""

from __future__ import annotations

import itertools

import pytest
from django.db import transaction

from base.models import Revision
from base.revision import Snapshots, bump, current_number

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_saved_is_revision_zero() -> None:
    """Before the first save the number is 0 and no row exists."""
    assert current_number() == 0
    assert not Revision.objects.exists()


def test_every_bump_raises_by_one() -> None:
    """Three saves are revisions 1, 2, 3, in one row."""
    seen = []
    for _ in range(3):
        bump()
        seen.append(current_number())
    assert seen == [1, 2, 3]
    assert Revision.objects.count() == 1


def test_bump_belongs_to_the_callers_transaction() -> None:
    """A save that is rolled back leaves the revision as it was."""
    bump()
    with transaction.atomic():
        bump()
        transaction.set_rollback(True)
    assert current_number() == 1


def test_snapshot_before_the_first_refresh_is_an_error() -> None:
    """Nobody decides on a configuration that was never loaded."""
    with pytest.raises(RuntimeError, match="refresh"):
        _ = Snapshots(lambda number: number).current


def test_refresh_loads_only_after_a_change() -> None:
    """The same revision is loaded once; a new one exactly once more."""
    loads = itertools.count(1)
    snapshots = Snapshots(lambda number: (number, next(loads)))
    told = [snapshots.refresh(), snapshots.refresh()]
    bump()
    told += [snapshots.refresh(), snapshots.refresh()]
    assert told == [True, False, True, False]
    assert snapshots.current == (1, 2)


def test_taken_snapshot_does_not_change() -> None:
    """Whoever took the snapshot keeps it: a refresh swaps, it does not edit."""
    snapshots = Snapshots(lambda number: {"revision": number})
    snapshots.refresh()
    taken = snapshots.current
    bump()
    snapshots.refresh()
    assert (taken, snapshots.current) == ({"revision": 0}, {"revision": 1})


def test_failed_load_keeps_the_old_snapshot_and_is_tried_again() -> None:
    """A configuration that cannot be loaded leaves the last good one in force."""
    broken = True

    def load(number: int) -> int:
        if number and broken:
            raise LookupError
        return number

    snapshots = Snapshots(load)
    snapshots.refresh()
    bump()
    with pytest.raises(LookupError):
        snapshots.refresh()
    assert snapshots.current == 0
    broken = False
    assert snapshots.refresh()
    assert snapshots.current == 1
