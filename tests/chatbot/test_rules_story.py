"""Rules in the story of a question: every action does what it says, and every decision can be made again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
from django.db.models import QuerySet

from cache.embedding import Embedder
from cache.models import Answer
from chatbot.deciding import situation_of
from chatbot.models import Question
from chatbot.runtime import Runtime
from routing.chains import chain_for
from routing.models import Call, Rule, RuleSet
from routing.publishing import Terms, flip, publish, start_draft
from routing.rules import Actions
from routing.snapshot import load_routing
from routing.specs import Tier
from simulator.running import RunningSimulator
from tests.test_story import ask

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERMS = Terms(note="test", by="ann", now=NOW)
RULES: tuple[dict[str, Any], ...] = (
    {"name": "person", "any_of": ["lawyer"], "to_person": True},
    {"name": "article", "any_of": ["gift wrapping"], "article": "product-gift-wrap"},
    {"name": "unread", "any_of": ["courier"], "cache": "no_read", "tier": "FAQ"},
    {"name": "unkept", "any_of": ["warranty"], "cache": "no_write", "max_tokens": 40},
    {"name": "other models", "any_of": ["return something"], "chain": "COMPLEX", "tier": "FAQ"},
    {
        "name": "night",
        "from_time": time(0),
        "until_time": time(23, 59),
        "topics": ["sizes"],
        "tier": "HIGH",
    },
    {"name": "near", "near_text": "how do I pay with a card", "min_cosine": 0.6, "tier": "COMPLEX"},
)


def _publish(rules: tuple[dict[str, Any], ...]) -> RuleSet:
    """A set of these rules before the delivered ones, in force."""
    draft = start_draft(now=NOW)
    draft.rules.filter(name="asks for a fixed fact").delete()
    for position, fields in enumerate(rules):
        Rule.objects.create(rule_set=draft, position=position, **fields)
    return publish(draft.pk, terms=TERMS)


async def _read(runtime: Runtime, query: Callable[[], Any]) -> Any:
    return await runtime.reader.run(query)


async def test_each_action_does_what_it_says(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A person's address, an article as it stands, nothing read, nothing kept, short, other models."""
    courier = await ask(runtime, "Which courier do you use?", frame_id="before")
    await runtime.writer.run(lambda: _publish(RULES))
    await runtime.catch_up()
    calls = vendors_at_simulator.bill()["totals"]["completed"]

    person = await ask(runtime, "I will call my lawyer", frame_id="q1")
    article = await ask(runtime, "Do you offer gift wrapping?", frame_id="q2")
    assert vendors_at_simulator.bill()["totals"]["completed"] == calls
    assert (person["origin"], article["origin"]) == ("template", "article")
    assert "one of our people" in person["text"]
    assert [source["url"] for source in article["sources"]] == ["/help/product-gift-wrap/"]

    unread = await ask(runtime, "Which courier do you use?", frame_id="q3")
    assert (courier["cache"], unread["cache"]) == ("miss", "bypass")
    stored = await _read(runtime, Answer.objects.count)
    unkept = await ask(runtime, "How long is the warranty?", frame_id="q4")
    assert (unkept["cache"], await _read(runtime, Answer.objects.count)) == ("miss", stored)

    await ask(runtime, "How do I return something?", frame_id="q5")
    call: Call = await _read(runtime, Call.objects.order_by("-id").first)
    chain = runtime.routing.chains[Tier.COMPLEX]
    assert (call.tier, call.model_asked) == ("FAQ", chain[0].name)

    rows: QuerySet[Question] = Question.objects.exclude(client_id="before").order_by("id")
    found = await _read(runtime, lambda: list(rows.values_list("matched_rule", "decided_tier")))
    assert [rule for rule, _ in found] == [
        "0 person",
        "1 article",
        "2 unread",
        "3 unkept",
        "4 other models",
    ]
    spent = await _read(
        runtime,
        lambda: list(
            Call.objects.filter(question_id=rows.get(client_id="q4").pk).values_list(
                "output_tokens", flat=True
            )
        ),
    )
    assert 0 < max(spent) <= 40


async def test_logged_decisions_are_made_again(runtime: Runtime, embedder: Embedder) -> None:
    """From text and start state alone the published set gives every logged tier, rule and example again.

    Then the switch is flipped: the running process decides by the built-in rules, and says so.
    """
    made = await runtime.writer.run(lambda: _publish(RULES))
    await runtime.catch_up()
    texts = (
        "Which size should I take?",
        "how can I pay with a card",
        "my order was cancelled, why?",
        "I want to return the red shoes I bought",
        "发什么快递？",
        "这个尺码偏大吗",
        "warranty?",
        "zzz qqq",
    )
    for number, text in enumerate(texts):
        await ask(runtime, text, frame_id=f"q{number}")

    rows: list[Question] = await _read(
        runtime, lambda: list(Question.objects.exclude(decided_tier="").order_by("id"))
    )
    assert len(rows) == len(texts)
    assert {row.rule_set_version for row in rows} == {made.version}
    assert {"5 night", "6 near"} <= {row.matched_rule for row in rows}
    assert any(row.abstained for row in rows)
    classifier = runtime.configuration.rules.at(NOW)
    for row in rows:
        (embedded,) = embedder.embed_now([row.text])
        again = classifier.decide(situation_of(row.text, row.start_state, vector=embedded.vector))
        assert (again.tier.value, again.example) == (row.decided_tier, row.matched_example)
        assert again.abstained == row.abstained
        assert np.isclose(again.score or 0.0, row.decision_score or 0.0, atol=1e-4)

    await runtime.writer.run(lambda: flip(on=True, note="n", by="ann", now=NOW))
    await runtime.catch_up()
    await ask(runtime, "the seller threatened me", frame_id="killed")
    killed: Question = await _read(runtime, lambda: Question.objects.get(client_id="killed"))
    assert killed.rule_set_version == 0


def test_quality_comes_first_and_the_rest_after(seeded: None) -> None:
    """The high-quality models are asked first, then the tier's own, none twice."""
    routing = load_routing()
    chain = chain_for(routing, Tier.FAQ, Actions(prefer_quality=True))

    high = routing.chains[Tier.HIGH]
    assert chain[: len(high)] == high
    assert all(model in chain for model in routing.chains[Tier.FAQ])
    assert len({(model.endpoint.key, model.name) for model in chain}) == len(chain)
