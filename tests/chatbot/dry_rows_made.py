"""Past questions for the tests of dry runs: each with its receipt and, where a model answered, its call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from base.ids import new_uuid
from cache.models import Answer, Lookup
from chatbot.models import Conversation, DryRun, Question, Shopper, Site
from routing.models import Call, Example, Rule, RuleSet
from routing.publishing import Terms, publish

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(days=2)
MODEL = "gemini-2.5-flash"


def published(*rules: dict[str, Any]) -> RuleSet:
    """A set with these rules and two examples, in force."""
    made = draft_of(*rules)
    return publish(made.pk, terms=Terms(note="first", by="ann", now=BEGAN - timedelta(days=1)))


def draft_of(*rules: dict[str, Any]) -> RuleSet:
    """A draft with these rules and two examples."""
    newest = RuleSet.objects.order_by("-version").first()
    made = RuleSet.objects.create(version=newest.version + 1 if newest else 1)
    for position, fields in enumerate(rules, start=1):
        Rule.objects.create(rule_set=made, position=position, **fields)
    for tier, text in (("FAQ", "what is the price"), ("REGULAR", "how do I return it")):
        Example.objects.create(rule_set=made, text=text, language="en", tier=tier)
    return made


def past(
    texts: Sequence[str],
    *,
    tier: str = "FAQ",
    tokens: tuple[int, int] = (1_000, 100),
    cache: str = "bypass",
    **fields: Any,
) -> list[Question]:
    """Questions that a model answered, one a minute, beside the cache unless `cache` says otherwise."""
    site = Site.objects.get(key="default")
    shopper = Shopper.objects.create(site=site, public_id=new_uuid()[:32])
    conversation = Conversation.objects.create(shopper=shopper, public_id=new_uuid())
    in_force = RuleSet.objects.filter(state=RuleSet.PUBLISHED).first()
    made = []
    for number, text in enumerate(texts):
        at = BEGAN + timedelta(minutes=Question.objects.count())
        state = {
            "at": at.isoformat(),
            "zone": site.time_zone,
            "language": "en",
            "audience": "personal" if cache == "bypass" else "everyone",
            "topic": "",
            "vector": True,
            "engine": "",
        }
        values: dict[str, Any] = {
            "state": Question.ANSWERED,
            "origin": "model",
            "cache": cache,
            "language": "en",
            "decided_tier": tier,
            "rule_set_version": in_force.version if in_force else 0,
            "start_state": state,
            **fields,
        }
        question = Question.objects.create(
            conversation=conversation,
            client_id=f"q{number}",
            text=text,
            locale="en",
            accepted_at=at,
            deadline_at=at,
            **values,
        )
        Lookup.objects.create(
            question_id=question.pk,
            site_id=site.pk,
            partition="default/en",
            outcome=cache,
            reason="",
            at=at,
        )
        if values["origin"] == "model":
            called(question, tokens)
        made.append(question)
    return made


def called(question: Question, tokens: tuple[int, int]) -> None:
    """The question's call."""
    Call.objects.create(
        attempt_id=new_uuid(),
        question_id=question.pk,
        endpoint_key="gemini",
        model_asked=MODEL,
        started_at=question.accepted_at,
        outcome=Call.COMPLETED,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cost_nanousd=tokens[0] * 300 + tokens[1] * 2_500,
        total_ms=1_200,
    )


def waiting(draft: RuleSet, **parameters: Any) -> DryRun:
    """A run that nobody has taken up yet."""
    upload = parameters.pop("upload", None)
    return DryRun.objects.create(
        rule_set=draft,
        version=draft.version,
        parameters={"count": 5_000, "simulated": False, **parameters},
        upload=upload,
        created_at=NOW,
        created_by="ann",
    )


def an_answer() -> Answer:
    """A stored answer that stays."""
    return Answer.objects.create(
        partition="default/en", text="By courier.", origin="model", checked_at=NOW, created_at=NOW
    )
