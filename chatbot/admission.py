"""The last word on a new answer, spoken inside the transaction that would store it.

The articles must still stand at the versions it was made from; then the asker's influence decides whether it is
shared, waits, or is dropped. Answers that the site itself makes anew (no shopper asked) have no asker to bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cache.influence import Fate, fate_of
from cache.store import NewAnswer
from cache.waiting import Differs, influence_of, keep_waiting


@dataclass(slots=True)
class Admission:
    """Called by the store before it writes: True = store it for everyone. `reason` says why not."""

    new: NewAnswer
    stands: Callable[[], bool]
    suspicions: tuple[str, ...]
    differs: Differs
    engine_id: str
    now: Callable[[], datetime]
    by_a_shopper: bool
    reason: str = field(default="", init=False)

    def __call__(self) -> bool:
        self.reason = ""
        if not self.stands():
            self.reason = "an article changed while it was made"
            return False
        if not self.by_a_shopper:
            return True
        now = self.now()
        influence = influence_of(self.new, engine_id=self.engine_id, now=now)
        fate, self.reason = fate_of(influence, suspicions=self.suspicions)
        if fate is Fate.WAITING:
            keep_waiting(self.new, engine_id=self.engine_id, differs=self.differs, now=now)
        return fate is Fate.SHARED
