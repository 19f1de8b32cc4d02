"""Configuration as an immutable snapshot that is swapped when its revision number changes.

Every save of a configuration row bumps one number (`bump`). A process compares the number with the one
its snapshot was loaded at (`Snapshots.refresh`) and loads a new one when they differ. A question
takes `Snapshots.current` once and is decided wholly on it; its receipt names the revision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import transaction
from django.db.models import F

from base.models import Revision

T = TypeVar("T")
_ROW_ID = 1


def bump() -> None:
    """Raise the revision by one, in the caller's transaction."""
    with transaction.atomic():
        _, created = Revision.objects.get_or_create(id=_ROW_ID, defaults={"number": 1})
        if not created:
            Revision.objects.filter(id=_ROW_ID).update(number=F("number") + 1)


def current_number() -> int:
    """The revision as committed; 0 when nothing was ever saved."""
    row = Revision.objects.filter(id=_ROW_ID).first()
    return row.number if row is not None else 0


class Snapshots(Generic[T]):
    """Holds the snapshot of the newest revision this process has seen."""

    def __init__(self, load: Callable[[int], T]) -> None:
        self._load = load
        self._number = -1
        self._value: T | None = None

    @property
    def current(self) -> T:
        """The snapshot in force. Raises RuntimeError before the first `refresh`."""
        if self._value is None:
            message = "the configuration was not loaded yet: call refresh() first"
            raise RuntimeError(message)
        return self._value

    def refresh(self) -> bool:
        """Load anew when the revision changed; says whether it did. Blocking: reads rows."""
        number = current_number()
        if number == self._number:
            return False
        self._value = self._load(number)
        self._number = number
        return True
