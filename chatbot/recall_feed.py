"""Corrections that any process has written reach those who look at the conversation in this one.

Numbers are given out in commit order, so a correction that was read past was seen or never will be
missed. A viewer may get one twice, here and by its own resume; the `seq` tells it so.
"""

from __future__ import annotations

from functools import partial

from base.reader import Reader
from chatbot.frames import ServerFrame
from chatbot.models import Correction, Frame
from chatbot.watchers import Watchers

PAGE = 500
_Key = tuple[int, int]


class RecallFeed:
    """Follows the corrections of the whole site for one process's viewers."""

    def __init__(self, *, reader: Reader, watchers: Watchers) -> None:
        self._reader = reader
        self._watchers = watchers
        self._seen = 0

    async def start(self) -> None:
        """Begin after what is there: nobody looks yet, and who comes resumes from rows."""
        self._seen = await self._reader.run(_newest)

    async def follow(self) -> int:
        """Show what was written since the last call; returns how many corrections there were."""
        count = 0
        while rows := await self._reader.run(partial(_after, self._seen)):
            watched = [(of, seq) for _, of, seq in rows if self._watchers.looks(of)]
            if watched:
                for conversation_id, frame in await self._reader.run(partial(_frames, watched)):
                    self._watchers.publish(conversation_id, frame)
            self._seen = rows[-1][0]
            count += len(rows)
        return count


def _newest() -> int:
    return Correction.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _after(number: int) -> list[tuple[int, int, int]]:
    rows = Correction.objects.filter(number__gt=number).order_by("number")
    return list(rows.values_list("number", "conversation_id", "seq")[:PAGE])


def _frames(keys: list[_Key]) -> list[tuple[int, ServerFrame]]:
    """The frames of these conversations and numbers, in the order given."""
    conversations = {conversation_id for conversation_id, _ in keys}
    seqs = {seq for _, seq in keys}
    rows = Frame.objects.filter(conversation_id__in=conversations, seq__in=seqs)
    bodies = {(row.conversation_id, row.seq): dict(row.body) for row in rows}
    return [(key[0], bodies[key]) for key in keys if key in bodies]
