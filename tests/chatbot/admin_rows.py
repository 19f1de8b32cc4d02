"""Rows of every kind for the admin's tests: what a shop looks like after some questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone

from base.audit import note
from cache.models import Answer, Lookup, Recall, Source, Wording
from chatbot.models import (
    Article,
    Conversation,
    DryRun,
    Feedback,
    Frame,
    Outbox,
    Product,
    Question,
    Shopper,
    Site,
    Tally,
)
from routing.models import (
    Alert,
    Budget,
    Call,
    Chain,
    Endpoint,
    Example,
    ExchangeRate,
    Hold,
    KillSwitch,
    Model,
    Price,
    Quota,
    Rule,
    RuleSet,
    Spending,
    Statement,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVERY_KIND = (
    "admin_logentry",
    "auth_user",
    "cache_answer",
    "cache_lookup",
    "cache_recall",
    "cache_wording",
    "chatbot_article",
    "chatbot_conversation",
    "chatbot_dryrun",
    "chatbot_feedback",
    "chatbot_frame",
    "chatbot_outbox",
    "chatbot_product",
    "chatbot_question",
    "chatbot_site",
    "chatbot_tally",
    "routing_alert",
    "routing_budget",
    "routing_call",
    "routing_chain",
    "routing_endpoint",
    "routing_exchangerate",
    "routing_hold",
    "routing_model",
    "routing_price",
    "routing_quota",
    "routing_ruleset",
    "routing_killswitch",
    "routing_statement",
)


def a_site(key: str = "default") -> Site:
    """The shop, in Shanghai."""
    return Site.objects.get_or_create(
        key=key, defaults={"name": {"en": "Harbour Lane"}, "time_zone": "Asia/Shanghai"}
    )[0]


def a_model(
    name: str = "m-1", *, endpoint: str = "vendor", valid_until: date | None = None
) -> Model:
    """A model at an endpoint."""
    row = Endpoint.objects.get_or_create(
        key=endpoint,
        defaults={
            "name": endpoint.title(),
            "kind": "chat_completions",
            "base_url": "https://api.openai.com/v1",
            "base_url_env": "OPENAI_BASE_URL",
            "key_env": "OPENAI_API_KEY",
        },
    )[0]
    return Model.objects.create(endpoint=row, name=name, valid_until=valid_until)


def a_conversation(number: int, *, simulated: bool = False) -> Conversation:
    """One shopper's chat."""
    shopper = Shopper.objects.create(site=a_site(), public_id=f"shopper-{number}-{simulated}")
    return Conversation.objects.create(
        shopper=shopper, public_id=f"conversation-{number}-{simulated}", simulated=simulated
    )


def a_question(
    conversation: Conversation, text: str = "Which courier?", **fields: object
) -> Question:
    """An answered question; `fields` change it."""
    values: dict[str, object] = {
        "client_id": f"q-{conversation.questions.count()}",
        "locale": "en",
        "state": Question.ANSWERED,
        "accepted_at": NOON,
        "deadline_at": NOON + timedelta(seconds=30),
        "simulated": conversation.simulated,
        **fields,
    }
    return Question.objects.create(conversation=conversation, text=text, **values)  # type: ignore[misc]


def a_call(attempt: str, **fields: object) -> Call:
    """A completed call; `fields` change it."""
    values: dict[str, object] = {
        "tier": "FAQ",
        "endpoint_key": "vendor",
        "model_asked": "m-1",
        "started_at": NOON,
        "outcome": Call.COMPLETED,
        **fields,
    }
    return Call.objects.create(attempt_id=attempt, **values)  # type: ignore[misc]


def a_budget(number: int, *, model: Model) -> None:
    """A budget and a quota with what is spent of them, a statement, and an open alert."""
    now = timezone.now()
    budget = Budget.objects.create(period="day", model=model, limit_nanousd=10**9)
    quota = Quota.objects.create(endpoint=model.endpoint, period="month", limit_tokens=1_000)
    for kind, row in ((Spending.BUDGET, budget), (Spending.QUOTA, quota)):
        Spending.objects.create(
            kind=kind,
            row_id=row.pk,
            period_start=now - timedelta(hours=1),
            period_end=now + timedelta(hours=1),
            spent_nanousd=850_000_000,
            spent_tokens=850,
        )
    Statement.objects.create(
        endpoint=model.endpoint,
        read_at=NOON,
        currency="USD",
        remaining_nano=5 * 10**9,
        vendor_nano=2 * 10**9,
        ledger_nano=10**9,
    )
    an_alert(f"cause-{number}")


def an_alert(cause: str, **fields: object) -> Alert:
    """An open alert; `fields` change it."""
    values: dict[str, object] = {
        "severity": Alert.DANGER,
        "text": f"Something is wrong: {cause}",
        "path": "/admin/routing/price/",
        "first_at": NOON,
        "last_at": NOON,
        "period_end": NOON + timedelta(days=1),
        "send_after": NOON,
        **fields,
    }
    return Alert.objects.create(cause=cause, **values)  # type: ignore[misc]


def an_answer(number: int) -> Answer:
    """A stored answer with a wording and a source."""
    answer = Answer.objects.create(
        partition="default/en/everyone/v1/live",
        text=f"By ship {number}.",
        created_at=NOON,
        checked_at=NOON,
    )
    Wording.objects.create(
        answer=answer,
        partition=answer.partition,
        text=f"How {number}?",
        key=f"k{number}",
        created_at=NOON,
    )
    Source.objects.create(answer=answer, article_key="couriers", locale="en", article_version=1)
    return answer


def a_talk(number: int) -> None:
    """One conversation with everything that belongs to it."""
    conversation = a_conversation(number)
    question, answer = (
        a_question(conversation, cache="exact", guards=["coverage"]),
        an_answer(number),
    )
    for seq, body in enumerate(
        ({"type": "accepted", "text": "?"}, {"type": "answer", "text": "!", "ms": 5}), 1
    ):
        Frame.objects.create(conversation=conversation, seq=seq, question=question, body=body)
    Lookup.objects.create(
        question_id=question.id,
        site_id=1,
        partition=answer.partition,
        outcome="exact",
        answer=answer,
        wording=answer.wordings.get(),
        reason="the same",
        vetoes=["figures"],
        at=NOON,
    )
    DryRun.objects.create(version=number, created_at=NOON, created_by="staff")
    Recall.objects.create(answer=answer, by="staff", at=NOON, reason="wrong", recipients=1)
    a_call(f"attempt-{number}", question_id=question.id)
    Feedback.objects.create(question=question, value="up")
    Outbox.objects.create(kind="served", available_at=NOON)
    Tally.objects.create(
        starts_at=NOON + timedelta(minutes=15 * number), site_id=1, metric="questions"
    )


def a_configuration(number: int) -> None:
    """One row of each kind that staff edit."""
    site = a_site(f"site-{number}" if number else "default")
    Article.objects.create(site=site, key=f"a{number}", locale="en", topic="t", title="T", text="x")
    Product.objects.create(site=site, key=f"p{number}", names={"en": "Lamp"}, aliases=["light"])
    model = a_model(f"m-{number}", endpoint=f"vendor{number}")
    note([model], "Looked at.", user=User.objects.get_or_create(username="ann")[0])
    Price.objects.create(
        endpoint=model.endpoint,
        model_name=model.name,
        valid_from=date(2026, 1, 1),
        input_nano_per_token=300,
        cached_input_nano_per_token=30,
        output_nano_per_token=2_500,
    )
    ExchangeRate.objects.create(
        currency="CNY", valid_from=date(2026, 1, 1 + number), usd_per_unit=Decimal("0.14")
    )
    Chain.objects.create(tier="FAQ", position=number, model=model)
    Hold.objects.create(model=model, kind=Hold.RESET, at=NOON, by="kim", reason="well again")
    a_budget(number, model=model)
    KillSwitch.objects.create(on=number % 2 == 0, note="n", by="ann", at=NOON)
    rules = RuleSet.objects.create(version=number + 1)
    Rule.objects.create(rule_set=rules, position=1, name="r", any_of=["parcel"], tier="FAQ")
    Example.objects.create(rule_set=rules, text="where", language="en", tier="FAQ")


def fill(first: int, last: int) -> None:
    """Rows number `first` up to but without `last`, of every kind."""
    makers: tuple[Callable[[int], None], ...] = (a_configuration, a_talk)
    for number in range(first, last):
        for make in makers:
            make(number)
