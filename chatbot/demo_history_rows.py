"""The demo's history as rows, all marked simulated, inserted once and removed with the demo shop.

It stores no answers and no wordings, so nothing of it is ever served; its receipts name a partition of
their own that no question has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery

from cache.models import Lookup
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.demo_history import Asked, Attempt, History
from chatbot.demo_reasons import reason_of
from chatbot.demo_themes import SEED, dice, themes
from chatbot.models import Conversation, Feedback, Frame, Question, Shopper, Site
from chatbot.phrases import say
from chatbot.seeding import LOCALES
from routing.chains import usable
from routing.models import Call
from routing.pricing import Cost, cost_on, price_on
from routing.snapshot import load_routing
from routing.specs import ModelSpec, RoutingSnapshot, Tier, Usage

PREFIX = "history-"
DEADLINE = timedelta(seconds=60)
_BATCH = 500


def insert_history(*, now: datetime) -> int:
    """Insert the history, unless it was inserted before, the demo shop is gone, or anybody has asked yet.

    Returns the number of questions.
    """
    site = Site.objects.get(key=DEFAULT_SITE_KEY)
    if site.demo_history_at or site.demo_removed_at or Question.objects.exists():
        return 0
    asked = _history(site, now=now)
    with transaction.atomic():
        _Writer(site, dice()).write(asked)
        Site.objects.filter(pk=site.pk).update(demo_history_at=now)
    return len(asked)


def _history(site: Site, *, now: datetime) -> list[Asked]:
    routing = load_routing()
    history = History(
        themes(site),
        chains={tier: partial(_models_of, routing, tier) for tier in Tier if routing.chains[tier]},
        priced=partial(_priced, routing),
        no_article={
            locale: say("no_article", locale=locale, contact=site.contact.get(locale, ""))
            for locale in LOCALES
        },
        seed=SEED,
    )
    return history.play(now=now, zone=ZoneInfo(site.time_zone))


def _models_of(routing: RoutingSnapshot, tier: Tier, day: date) -> Sequence[ModelSpec]:
    chain = routing.chains[tier]
    models, _ = usable(chain, today=day, has_key=lambda _: True, tier=tier, routing=routing)
    return models or chain


def _priced(
    routing: RoutingSnapshot, model: ModelSpec, usage: Usage, day: date
) -> tuple[Cost, bool]:
    found = price_on(routing, endpoint_key=model.endpoint.key, names=(model.name,), day=day)
    cost = cost_on(found, usage)
    return cost, cost.certain


class _Writer:
    """Writes questions with their conversations, frames, receipts, calls and thumbs, in bulk."""

    def __init__(self, site: Site, rng: Random) -> None:
        self._site, self._rng = site, rng

    def write(self, asked: Sequence[Asked]) -> None:
        conversations = self._conversations(asked)
        questions = [
            self._question(item, conversation)
            for item, conversation in zip(asked, conversations, strict=True)
        ]
        Question.objects.bulk_create(questions, batch_size=_BATCH)
        pairs = list(zip(asked, questions, strict=True))
        Frame.objects.bulk_create(self._frames(pairs), batch_size=_BATCH)
        Lookup.objects.bulk_create(
            (self._lookup(item, question) for item, question in pairs), batch_size=_BATCH
        )
        Call.objects.bulk_create(self._calls(pairs), batch_size=_BATCH)
        Feedback.objects.bulk_create(
            Feedback(question=question, value=item.thumb) for item, question in pairs if item.thumb
        )
        _set_times()

    def _conversations(self, asked: Sequence[Asked]) -> list[Conversation]:
        """The conversation of each question; a question that opens none belongs to the one before."""
        places: list[int] = []
        openings: list[Asked] = []
        for item in asked:
            if item.opens_conversation:
                openings.append(item)
            places.append(len(openings) - 1)
        shoppers = Shopper.objects.bulk_create(
            Shopper(site=self._site, public_id=f"{PREFIX}{number}")
            for number in range(len(openings))
        )
        rows = Conversation.objects.bulk_create(
            Conversation(
                shopper=shopper,
                public_id=f"{PREFIX}{number}",
                locale=item.theme.language,
                simulated=True,
                last_seq=2 * places.count(number),
            )
            for number, (item, shopper) in enumerate(zip(openings, shoppers, strict=True))
        )
        return [rows[place] for place in places]

    def _question(self, item: Asked, conversation: Conversation) -> Question:
        theme = item.theme
        return Question(
            conversation=conversation,
            client_id=f"{PREFIX}{self._token()}",
            text=theme.text,
            locale=theme.language,
            language=theme.language,
            state=Question.ANSWERED,
            accepted_at=item.at,
            deadline_at=item.at + DEADLINE,
            ended_at=item.at + timedelta(milliseconds=item.total_ms),
            origin=_origin(item),
            cache=item.outcome,
            tier=theme.tier.value,
            tier_reason=theme.tier_reason[:300],
            model=item.attempts[-1].model.label if item.attempts else "",
            first_content_ms=item.first_content_ms or item.total_ms,
            total_ms=item.total_ms,
            cost_nanousd=item.cost_nanousd,
            rule_set_version=1,
            simulated=True,
        )

    def _frames(self, pairs: Sequence[tuple[Asked, Question]]) -> list[Frame]:
        frames: list[Frame] = []
        seqs: dict[int, int] = {}
        for item, question in pairs:
            seq = seqs.get(question.conversation_id, 0)
            seqs[question.conversation_id] = seq + 2
            accepted = {
                "type": "accepted",
                "id": question.client_id,
                "seq": seq + 1,
                "text": question.text,
                "at": item.at.isoformat(),
            }
            for offset, body in enumerate((accepted, _answer_frame(item, question, seq + 2)), 1):
                frames.append(
                    Frame(
                        conversation_id=question.conversation_id,
                        seq=seq + offset,
                        question=question,
                        body=body,
                    )
                )
        return frames

    def _lookup(self, item: Asked, question: Question) -> Lookup:
        article = item.theme.article
        return Lookup(
            question_id=question.pk,
            site_id=self._site.pk,
            partition=f"{self._site.key}/{item.theme.language}/everyone/history/simulated",
            outcome=item.outcome,
            shopper_id=question.conversation.shopper_id,
            matched_text=item.matched,
            cosine=item.cosine,
            article_versions=[[article.key, article.locale, article.version]] if article else [],
            model=question.model,
            cost_nanousd=item.cost_nanousd,
            reason=reason_of(item)[:200],
            at=question.ended_at or item.at,
            ms=item.total_ms,
            saved_nanousd=item.saved_nanousd,
            simulated=True,
        )

    def _calls(self, pairs: Sequence[tuple[Asked, Question]]) -> list[Call]:
        calls = []
        for item, question in pairs:
            started = item.at
            for attempt in item.attempts:
                calls.append(self._call(attempt, question, started))
                started += timedelta(milliseconds=attempt.total_ms)
        return calls

    def _call(self, attempt: Attempt, question: Question, started: datetime) -> Call:
        usage, cost = attempt.usage, attempt.cost
        outcome = (
            {"outcome": Call.FAILED, "failure": "rate", "status": 429}
            if attempt.is_failed
            else {
                **{"outcome": Call.COMPLETED, "status": 200, "finish_reason": "stop"},
                "model_served": attempt.model.name,
                "first_content_ms": attempt.first_content_ms,
            }
        )
        return Call(
            attempt_id=self._token(),
            question_id=question.pk,
            site_id=self._site.pk,
            tier=question.tier,
            endpoint_key=attempt.model.endpoint.key,
            model_asked=attempt.model.name,
            started_at=started,
            ended_at=started + timedelta(milliseconds=attempt.total_ms),
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            output_tokens=usage.output_tokens,
            currency=cost.currency,
            amount_nano=cost.amount_nano,
            usd_per_unit=cost.usd_per_unit,
            cost_nanousd=cost.cost_nanousd,
            priced=attempt.is_priced or attempt.is_failed,
            total_ms=attempt.total_ms,
            simulated=True,
            **outcome,
        )

    def _token(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


def _origin(item: Asked) -> str:
    if item.attempts:
        return "model"
    return "cache" if item.theme.article else "template"


def _answer_frame(item: Asked, question: Question, seq: int) -> dict[str, object]:
    article = item.theme.article
    return {
        "type": "answer",
        "id": question.client_id,
        "seq": seq,
        "text": item.answer,
        "origin": question.origin,
        "cache": question.cache,
        "tier": question.tier,
        "model": question.model or None,
        "cosine": item.cosine,
        "ms": item.total_ms,
        "sources": [{"title": article.title, "url": article.url}] if article else [],
        "checked_at": None,
        "receipt": str(question.pk),
        "stopped": False,
        "answer_id": None,
        "wording_id": None,
    }


def _set_times() -> None:
    """Rows whose time is set on saving get that of their question."""
    first, last = _of_questions(Min("accepted_at")), _of_questions(Max("ended_at"))
    talks = Conversation.objects.filter(public_id__startswith=PREFIX)
    talks.update(started_at=Subquery(first), last_at=Subquery(last))
    started = Conversation.objects.filter(shopper=OuterRef("pk")).values("started_at")[:1]
    Shopper.objects.filter(public_id__startswith=PREFIX).update(created_at=Subquery(started))
    ended = Question.objects.filter(pk=OuterRef("question_id")).values("ended_at")
    accepted = Question.objects.filter(pk=OuterRef("question_id")).values("accepted_at")
    frames = Frame.objects.filter(conversation__public_id__startswith=PREFIX)
    frames.filter(body__type="accepted").update(at=Subquery(accepted))
    frames.filter(body__type="answer").update(at=Subquery(ended))
    thumbs = Feedback.objects.filter(question__client_id__startswith=PREFIX)
    thumbs.update(at=Subquery(ended))


def _of_questions(value: Min | Max) -> QuerySet[Question, object]:
    rows = Question.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
    return rows.annotate(value=value).values("value")
