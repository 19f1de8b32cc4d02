"""A change of the embedding model, prepared: vectors of every wording, and what the change would do.

The new vectors are built beside the old ones, which go on serving. The comparison plays the last real
questions against both engines, each question without its own wording: what it is told is what a
shopper would get who asks in these words for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils import timezone

from base.text import Language
from cache.changes import record_changes
from cache.decision import Candidate, Forbids, Weighed
from cache.embedding import Embedder
from cache.models import Change, Lookup, Wording, WordingVector
from cache.normalize import key_of
from cache.spaces import Sight
from cache.store import Entry, Store
from cache.vector_rows import ids_lacking
from chatbot.asked import Asked, Receipt
from chatbot.engines import store_of
from chatbot.looking_up import look_up, sight_of
from chatbot.models import Question
from chatbot.runtime import Runtime
from chatbot.vectorising import MAX_UNKNOWN_SHARE, embed

WORDINGS_AT_ONCE = 200
SHAREABLE = ("exact", "semantic", "confirmed", "joined", "miss")


@dataclass(frozen=True, slots=True)
class Built:
    """How many wordings got a vector, and how many the model does not know or cannot see the end of."""

    written: int
    unknown: int


def build_vectors(
    embedder: Embedder, *, active: bool, say: Callable[[int, int], None] = lambda *_: None
) -> Built:
    """Give every wording that lacks one a vector of this engine. Blocking; may be repeated at any time.

    `active`: processes that run this engine are told of the new ones. `say` hears (done, of how many).
    """
    lacking = ids_lacking(engine_id=embedder.engine_id)
    written = unknown = 0
    for start in range(0, len(lacking), WORDINGS_AT_ONCE):
        some = lacking[start : start + WORDINGS_AT_ONCE]
        found = _vectors(embedder, some)
        written += _write(found, engine_id=embedder.engine_id, active=active)
        unknown += len(some) - len(found)
        say(start + len(some), len(lacking))
    return Built(written=written, unknown=unknown)


def _vectors(embedder: Embedder, ids: Sequence[int]) -> dict[int, tuple[str, bytes]]:
    """wording id -> its text and vector, for the texts that the model can judge."""
    rows = dict(Wording.objects.filter(id__in=ids).values_list("id", "text"))
    shares = embedder.unknown_shares(list(rows.values())) if rows else []
    known = {
        key: rows[key]
        for key, share in zip(rows, shares, strict=True)
        if share <= MAX_UNKNOWN_SHARE
    }
    embedded = embedder.embed_now(list(known.values()))
    return {
        key: (text, item.vector.tobytes())
        for (key, text), item in zip(known.items(), embedded, strict=True)
        if item.fits
    }


def _write(found: dict[int, tuple[str, bytes]], *, engine_id: str, active: bool) -> int:
    """Store vectors of wordings that still have the words they were made from."""
    with transaction.atomic():
        now_there = Wording.objects.select_for_update().filter(id__in=found)
        same = [key for key, text in now_there.values_list("id", "text") if found[key][0] == text]
        WordingVector.objects.bulk_create(
            (
                WordingVector(wording_id=key, engine_id=engine_id, vector=found[key][1])
                for key in same
            ),
            ignore_conflicts=True,
        )
        if active:
            record_changes(same, op=Change.ADD, now=timezone.now())
    return len(same)


@dataclass(frozen=True, slots=True)
class Played:
    """One question and the wording that each engine would have answered it by, if any."""

    text: str
    before: Candidate[Entry] | None
    after: Candidate[Entry] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The questions that were played, by what the change would do to them."""

    played: Sequence[Played] = field(default_factory=tuple)

    def hits(self) -> tuple[int, int]:
        """How many hit before, and after."""
        before = sum(item.before is not None for item in self.played)
        return before, sum(item.after is not None for item in self.played)

    def gained(self) -> list[Played]:
        """No hit before, one after."""
        return [item for item in self.played if item.before is None and item.after is not None]

    def lost(self) -> list[Played]:
        """A hit before, none after."""
        return [item for item in self.played if item.before is not None and item.after is None]

    def changed(self) -> list[Played]:
        """A hit before and after, and another answer."""
        return [
            item
            for item in self.played
            if item.before is not None
            and item.after is not None
            and item.before.entry.answer_id != item.after.entry.answer_id
        ]


def last_questions(count: int) -> list[Question]:
    """The last questions that were for the shared cache, the same words once, newest first."""
    ids = Lookup.objects.filter(outcome__in=SHAREABLE, question_id__gt=0).order_by("-id")
    wanted = list(ids.values_list("question_id", flat=True)[: count * 4])
    newest: dict[str, Question] = {}
    for question in Question.objects.filter(id__in=wanted).order_by("-id"):
        newest.setdefault(key_of(question.text), question)
    return list(newest.values())[:count]


async def compare(questions: Sequence[Question], *, old: Embedder, new: Embedder) -> Comparison:
    """What each question would have hit by the one engine and by the other; calls no model."""
    before = await _hits(questions, embedder=old)
    after = await _hits(questions, embedder=new)
    return Comparison(
        [
            Played(question.text, one, other)
            for question, one, other in zip(questions, before, after, strict=True)
        ]
    )


class _Others(Store):
    """A replica that does not find one wording: the question's own."""

    own_key = ""

    async def weigh(
        self,
        partition: str,
        text: str,
        sight: Sight,
        *,
        is_current: Callable[[Entry], bool],
        vetoes_for: Forbids,
    ) -> Weighed:
        """What speaks for which servable answer, that wording left out."""
        return await super().weigh(
            partition,
            text,
            sight,
            is_current=lambda entry: entry.key != self.own_key and is_current(entry),
            vetoes_for=vetoes_for,
        )


async def _hits(
    questions: Iterable[Question], *, embedder: Embedder
) -> list[Candidate[Entry] | None]:
    runtime = Runtime(embedder=embedder)
    await runtime.start(take_up_open_questions=False)
    others = store_of(runtime, embedder, kind=_Others)
    assert isinstance(others, _Others)
    try:
        await others.load_all()
        desk = replace(runtime.desk, store=others)
        found: list[Candidate[Entry] | None] = []
        for question in questions:
            others.own_key = key_of(question.text)
            asked = _asked(question, runtime)
            vector = await embed(asked, desk=desk, receipt=Receipt())
            sight = sight_of(asked, vector)
            decision = None if sight is None else await look_up(asked, sight, store=others)
            found.append(decision.hit if decision else None)
        return found
    finally:
        others.stop()
        await runtime.stop()


def _asked(question: Question, runtime: Runtime) -> Asked:
    language: Language = "zh-hans" if question.language == "zh-hans" else "en"
    now_s = runtime.clock.monotonic_s()
    return Asked(
        question_id=0,
        conversation_id=0,
        site_id=runtime.configuration.site.id,
        shopper_id=0,
        client_id="",
        text=question.text,
        locale=question.locale,
        language=language,
        past_the_cache=False,
        started_s=now_s,
        deadline_s=now_s,
        configuration=runtime.configuration,
        simulated=question.simulated,
    )
