"""Asking the shopper which wording was meant, and going on with what they say.

An offer is made by `Stage.offer` in the middle of the story, which then breaks off with `Unsure`: so
nobody who asked the same waits for this shopper's tap. The question's clock stands still until the
offer is settled, then it begins anew. The row decides (`confirmations.py`); a tap that reaches this
process wakes the question at once, one that reaches another is noticed within POLL_EVERY_S.
"""

from __future__ import annotations

import asyncio
import logging
import queue
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from django.conf import settings
from django.db import DatabaseError

from base.writer import Writer, WriterBusy
from cache.attaching import NewWording, attach
from cache.decision import Candidate
from cache.normalize import key_of
from cache.store import Entry
from chatbot import confirmations, labels
from chatbot.answering import Desk
from chatbot.asked import Asked
from chatbot.borrowed import instructs
from chatbot.confirmations import Settled, Standing
from chatbot.deadlines import DEADLINE_S, QUESTION_DEADLINE_S
from chatbot.leases import Lost
from chatbot.models import Confirmation
from chatbot.offering import PATIENCE_S, Rule, options_of
from chatbot.remembering import versions_stand
from chatbot.vectorising import MAX_UNKNOWN_SHARE
from chatbot.watchers import Watchers
from routing.specs import Tier

logger = logging.getLogger(__name__)
POLL_EVERY_S = 1.0
EMBED_WITHIN_S = 1.0


class Confirming:
    """The offers of this process that wait for a tap."""

    def __init__(self, *, desk: Desk, writer: Writer, watchers: Watchers, owner: str) -> None:
        self._desk = desk
        self._writer = writer
        self._watchers = watchers
        self._owner = owner
        self._waiting: dict[int, asyncio.Event] = {}
        self._polling: asyncio.Task[None] | None = None
        self.patience_s = PATIENCE_S
        self.rule = Rule(
            enabled=settings.CONFIRM,
            above_microusd=settings.CONFIRM_ABOVE_MICROUSD,
            above_wait_s=settings.CONFIRM_ABOVE_WAIT_S,
        )

    async def offer(self, asked: Asked, candidates: Sequence[Candidate[Entry]], tier: Tier) -> bool:
        """Offer the near wordings if that saves something; True: the story breaks off and waits."""
        options = options_of(candidates)
        if not options or asked.offered is not None or not self._may_ask(asked, tier):
            return False
        frame = await self._writer.run(
            partial(
                confirmations.offer,
                asked.question_id,
                conversation_id=asked.conversation_id,
                client_id=asked.client_id,
                options=options,
                owner=self._owner,
                now=self._desk.clock.now(),
            )
        )
        if frame is None:
            return False
        self._waiting[asked.question_id] = asyncio.Event()  # before anyone can tap
        self._watchers.publish(asked.conversation_id, frame)
        return True

    async def settled(self, asked: Asked) -> Asked:
        """Wait for the tap; returns the question with what was said, its clock begun anew.

        Raises Lost when the question goes on, or was ended, in another process.
        """
        event = self._waiting[asked.question_id]
        offered_s = self._desk.clock.monotonic_s()
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll(), name="poll-taps")
        try:
            async with asyncio.timeout(self.patience_s):
                await event.wait()
        except TimeoutError:
            await self._settle(asked, by=Confirmation.TIME)
        finally:
            del self._waiting[asked.question_id]
            if not self._waiting and self._polling is not None:
                self._polling.cancel()
                self._polling = None
        standing = await self._standing(asked)
        if standing.over or standing.owner != self._owner:
            raise Lost
        now_s = self._desk.clock.monotonic_s()
        return await self._decided(
            replace(
                asked,
                offered=standing.offered,
                configuration=self._desk.configuration(),  # articles may have changed meanwhile
                earlier_s=asked.earlier_s + offered_s - asked.started_s,
                started_s=now_s,
                deadline_s=now_s + QUESTION_DEADLINE_S,
            )
        )

    async def taken_up(self, asked: Asked) -> Asked:
        """A question that lost its process: an offer still open counts as "none of these"."""
        if asked.offered is None:
            return asked
        if not asked.offered.settled:
            await self._settle(asked, by=Confirmation.LOST)
            asked = replace(asked, offered=(await self._standing(asked)).offered)
        return await self._decided(asked)

    def tell(self, settled: Settled) -> None:
        """An offer was settled in a job of this process: show it, and wake the question if it is here."""
        self._watchers.publish(settled.question.conversation_id, settled.frame)
        event = self._waiting.get(settled.question.id)
        if event is not None:
            event.set()

    async def _standing(self, asked: Asked) -> Standing:
        return await self._desk.reader.run(partial(confirmations.standing, asked.question_id))

    async def _settle(self, asked: Asked, *, by: str) -> None:
        settled = await self._writer.run(
            partial(
                confirmations.settle,
                asked.question_id,
                chosen=None,
                by=by,
                now=self._desk.clock.now(),
            )
        )
        if settled is not None:
            self.tell(settled)

    async def _poll(self) -> None:
        """Notice taps that reached other processes."""
        while True:
            await asyncio.sleep(POLL_EVERY_S)
            try:
                moved = await self._desk.reader.run(
                    partial(confirmations.moved, frozenset(self._waiting), owner=self._owner)
                )
            except DatabaseError:
                logger.exception("taps could not be looked for; trying again")
                continue
            for question_id in moved & self._waiting.keys():
                self._waiting[question_id].set()

    def _may_ask(self, asked: Asked, tier: Tier) -> bool:
        """Somebody is there to tap, and asking saves something."""
        if not self._watchers.looks(asked.conversation_id):
            return False
        deadline_s = self._desk.clock.monotonic_s() + DEADLINE_S[tier]
        prospect = self._desk.dispatcher.prospect(
            asked.configuration.routing.chains[tier], tier=tier, deadline_s=deadline_s
        )
        cost_nanousd = None if prospect is None else prospect.cost_nanousd
        wait_s = None if prospect is None else prospect.wait_s
        return self.rule.reason(cost_nanousd=cost_nanousd, wait_s=wait_s) is not None

    async def _decided(self, asked: Asked) -> Asked:
        """After a tap: once enough shoppers agree, these words lead to the answer by themselves."""
        choice = asked.offered.choice if asked.offered is not None else None
        if choice is None or instructs(asked.text):
            return asked
        try:
            await self._adopt(asked, answer_id=choice.answer_id)
        except (TimeoutError, queue.Full, WriterBusy, DatabaseError):
            # The next shopper who confirms it brings it again; this one gets the answer all the same.
            logger.warning("confirmed words could not be stored", exc_info=True)
        return asked

    async def _adopt(self, asked: Asked, *, answer_id: int) -> None:
        key = key_of(asked.text)
        if not await self._desk.reader.run(partial(labels.agreed, key, answer_id=answer_id)):
            return
        async with asyncio.timeout(EMBED_WITHIN_S):
            embedded = await self._desk.embedder.embed(asked.text)
        speaks = embedded.unknown_share <= MAX_UNKNOWN_SHARE and embedded.fits
        new = NewWording(
            answer_id=answer_id,
            partition=asked.partition,
            key=key,
            text=asked.text,
            vector=embedded.vector if speaks else None,
            engine_id=self._desk.embedder.engine_id,
            asker_shopper_id=asked.shopper_id,
        )
        await self._writer.run(
            partial(
                attach,
                new,
                now=self._desk.clock.now(),
                still_current=partial(versions_stand, asked.site_id),
            )
        )
