"""Does a new answer say what a stored one says? Then its wording leads there, and neighbours can vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cache.decision import Candidate
from cache.identity import said, settle
from cache.lexicon import Lexicon
from cache.store import Entry, NewAnswer


def recognised(new: NewAnswer, *, near: Sequence[Candidate[Entry]], lexicon: Lexicon) -> NewAnswer:
    """`new` with the answer it repeats, or those that a judge should compare it with.

    `near` are the nearest wordings, one per answer; only answers of the same partition are compared.
    """
    olds = [
        (
            item.entry.answer_id,
            said(item.entry.text, articles=[key for key, _, _ in item.entry.sources]),
        )
        for item in near
        if item.entry.partition == new.partition
    ]
    mine = said(new.text, articles=[key for key, _, _ in new.sources])
    settled = settle(mine, olds, lexicon=lexicon)
    return replace(new, same_as=settled.same_as, unsure=settled.unsure)
