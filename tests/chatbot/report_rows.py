"""Random questions, calls, receipts and labels of some days, the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from cache.models import Label, Lookup
from chatbot.models import Conversation, Question
from routing.models import Call
from tests.chatbot.admin_rows import a_conversation

START = datetime(2026, 11, 17, tzinfo=UTC)
DAYS = 3
# Quarters of an hour that hold rows; counting costs the more the more there are.
FILLED = 20
MODELS = ("m-1", "m-2")
_OUTCOMES = ("exact", "semantic", "confirmed", "joined", "stale", "miss", "miss", "bypass", "")
_TEXTS = tuple(f"Where is parcel {number}?" for number in range(12))


def random_rows(seed: int, *, questions: int) -> None:
    """Rows over DAYS from START on, live and simulated, answered in every way."""
    chance = Random(seed)
    talks = {simulated: a_conversation(seed, simulated=simulated) for simulated in (False, True)}
    quarters = chance.sample(range(DAYS * 96), FILLED)
    rows = [
        _question(chance, talks, number, at=START + timedelta(minutes=15 * chance.choice(quarters)))
        for number in range(questions)
    ]
    Question.objects.bulk_create(rows)
    Call.objects.bulk_create(
        call for row in rows for call in _calls(chance, row) if chance.random() < 0.9
    )
    Lookup.objects.bulk_create(_lookup(chance, row) for row in rows if row.cache)
    Label.objects.bulk_create(
        _label(chance, row, number) for number, row in enumerate(rows) if row.cache == "semantic"
    )


def _question(
    chance: Random, talks: dict[bool, Conversation], number: int, *, at: datetime
) -> Question:
    simulated = chance.random() < 0.2
    cache = chance.choice(_OUTCOMES)
    at += timedelta(seconds=chance.randrange(900))
    origin = {"miss": chance.choice(("model", "template", "article")), "bypass": "model"}.get(
        cache, "cache" if cache else ""
    )
    total_ms = chance.randrange(1, 20_000) if cache else None
    return Question(
        conversation=talks[simulated],
        client_id=f"q-{number}",
        text=chance.choice(_TEXTS),
        locale="en",
        state=Question.ANSWERED if cache else Question.FAILED,
        error_code="" if cache else chance.choice(("busy", "deadline")),
        accepted_at=at,
        deadline_at=at + timedelta(seconds=30),
        cache=cache,
        origin=origin,
        tier=chance.choice(("FAQ", "COMPLEX")) if cache in ("miss", "bypass") else "",
        model=chance.choice(MODELS) if origin == "model" else "",
        cost_nanousd=chance.randrange(10**6) if origin == "model" else 0,
        total_ms=total_ms,
        first_content_ms=chance.randrange(1, total_ms + 1)
        if total_ms and origin == "model"
        else None,
        simulated=simulated,
    )


def _calls(chance: Random, row: Question) -> list[Call]:
    number = chance.randrange(3) if row.origin == "model" else 0
    return [
        Call(
            attempt_id=f"{row.conversation_id}-{row.client_id}-{place}",
            question_id=row.pk if chance.random() < 0.9 else None,
            tier=row.tier,
            endpoint_key=chance.choice(("vendor", "gateway")),
            model_asked=chance.choice(MODELS),
            started_at=row.accepted_at + timedelta(milliseconds=chance.randrange(3_000)),
            outcome=chance.choice((Call.COMPLETED, Call.COMPLETED, Call.FAILED, Call.ABORTED)),
            input_tokens=chance.randrange(3_000),
            cached_input_tokens=0,
            output_tokens=chance.randrange(600),
            cost_nanousd=chance.randrange(10**7),
            wait_ms=chance.choice((0, 0, chance.randrange(1, 5_000))),
            simulated=row.simulated,
        )
        for place in range(number)
    ]


def _lookup(chance: Random, row: Question) -> Lookup:
    return Lookup(
        question_id=row.pk,
        site_id=1,
        partition="p",
        outcome=row.cache,
        reason="r",
        at=row.accepted_at + timedelta(milliseconds=row.total_ms or 0),
        saved_nanousd=chance.randrange(10**6) if row.origin == "cache" else 0,
        simulated=row.simulated,
    )


def _label(chance: Random, row: Question, number: int) -> Label:
    mode = "simulated" if row.simulated else "live"
    return Label(
        question_id=row.pk,
        wording_id=1,
        answer_id=1,
        shopper_id=number,
        partition=f"default/en/everyone/v1/{mode}",
        kind=chance.choice((Label.STAFF, Label.THUMB, Label.RETRY)),
        right=chance.random() < 0.8,
        at=row.accepted_at,
    )
