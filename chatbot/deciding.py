"""How one question is routed: which set decides, what it may look at, and what it decided.

The part of the rules that the cache must wait for is evaluated before the cache is read, without a vector where
no rule needs one. The decision itself is `Classifier.decide`, a pure function; what it saw is kept with the
question, so that it can be made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from chatbot.asked import Asked, Decided, Receipt
from chatbot.configuration import Configuration
from chatbot.guard import Verdict
from chatbot.searching import aside
from chatbot.vectorising import embed
from routing.classifier import NOT_YET, Classified, Classifier
from routing.rules import NO_ACTIONS, Actions, Audience, Situation

if TYPE_CHECKING:
    from chatbot.answering import Desk

REASON_CHARACTERS, EXAMPLE_CHARACTERS, RULE_CHARACTERS = 300, 500, 100


@dataclass(slots=True)
class Plan:
    """The set that decides a question, and how far that has come. `actions` are those known so far."""

    classifier: Classifier
    situation: Situation
    actions: Actions = NO_ACTIONS
    decided: Classified | None = None
    looked: bool = False

    async def seen(
        self, asked: Asked, *, desk: Desk, receipt: Receipt
    ) -> NDArray[np.float32] | None:
        """The question's vector, made once."""
        if not self.looked:
            vector = await embed(asked, desk=desk, receipt=receipt)
            self.situation = replace(self.situation, vector=vector)
            self.looked = True
        return self.situation.vector


def planned(asked: Asked, verdict: Verdict, *, now: datetime) -> Plan:
    """The plan of a question before anything is looked up."""
    zone = ZoneInfo(asked.configuration.site.time_zone)
    return Plan(
        classifier=asked.configuration.rules.at(now),
        situation=Situation(
            text=asked.text,
            language=asked.language,
            at=now.astimezone(zone),
            audience=audience_of(verdict),
        ),
    )


async def begun(asked: Asked, verdict: Verdict, *, desk: Desk, receipt: Receipt) -> Plan:
    """The plan with the actions that must be known before the cache is read."""
    plan = planned(asked, verdict, now=desk.clock.now())
    receipt.rule_set_version = plan.classifier.rule_set_version
    early = await aside(asked, partial(plan.classifier.before_cache, plan.situation))
    if early == NOT_YET:
        vector = await plan.seen(asked, desk=desk, receipt=receipt)
        plan.actions = (await decided(plan, asked, vector, receipt=receipt)).actions
        return plan
    plan.actions = early
    if early.to_person or early.article:
        await decided(plan, asked, None, receipt=receipt)
    return plan


async def decided(
    plan: Plan, asked: Asked, vector: NDArray[np.float32] | None, *, receipt: Receipt
) -> Classified:
    """The decision, made once and kept in the receipt."""
    if plan.decided is not None:
        return plan.decided
    topic = ""
    if plan.classifier.needs_topic:
        topic = await aside(asked, partial(best_topic, asked.configuration, asked, vector))
    plan.situation = replace(plan.situation, vector=vector, topic=topic)
    plan.decided = await aside(asked, partial(plan.classifier.decide, plan.situation))
    receipt.tier_reason = plan.decided.reason
    receipt.rule_set_version = plan.classifier.rule_set_version
    receipt.decided = Decided(plan.decided, plan.situation, asked.configuration.engine_id)
    return plan.decided


def best_topic(
    configuration: Configuration, asked: Asked, vector: NDArray[np.float32] | None
) -> str:
    """The topic of the best article for a question; empty when none is good enough."""
    knowledge = configuration.knowledge.get(asked.language)
    found = knowledge.search(asked.text, vector=vector, count=1) if knowledge else []
    return found[0].article.topic if found else ""


def audience_of(verdict: Verdict) -> Audience:
    """Whom an answer to the question could serve."""
    if verdict.personal or verdict.abusive:
        return Audience.PERSONAL
    return Audience.FOLLOW_UP if verdict.leaning else Audience.EVERYONE


def decision_fields(text: str, decision: Decided | None) -> dict[str, Any]:
    """What the question's row keeps of its decision; empty when none was needed."""
    if decision is None:
        return {}
    made, situation = decision.classified, decision.situation
    rule = f"{made.rule.position} {made.rule.name}" if made.rule is not None else ""
    return {
        "decided_tier": made.tier.value,
        "matched_rule": rule[:RULE_CHARACTERS],
        "matched_example": made.example[:EXAMPLE_CHARACTERS],
        "decision_score": made.score,
        "abstained": made.abstained,
        "start_state": state_of(text, situation, engine_id=decision.engine_id),
    }


def state_of(text: str, situation: Situation, *, engine_id: str) -> dict[str, Any]:
    """The situation as JSON. `vector` says whether there was one; it is made anew by the same engine.

    `text` is there only when a follow-up was decided in words of its own.
    """
    state = {
        "at": situation.at.isoformat(),
        "zone": str(situation.at.tzinfo),
        "language": situation.language,
        "audience": situation.audience.value,
        "topic": situation.topic,
        "vector": situation.vector is not None,
        "engine": engine_id,
    }
    return state if situation.text == text else {**state, "text": situation.text}


def situation_of(
    text: str, state: dict[str, Any], *, vector: NDArray[np.float32] | None
) -> Situation:
    """The situation that `state_of` wrote down; `vector` is the text's, used if there was one then."""
    at = datetime.fromisoformat(state["at"]).astimezone(ZoneInfo(state["zone"]))
    return Situation(
        text=state.get("text", text),
        language=state["language"],
        at=at,
        audience=Audience(state["audience"]),
        topic=state["topic"],
        vector=vector if state["vector"] else None,
    )
