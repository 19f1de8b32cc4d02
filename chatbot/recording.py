"""Rows of one ended question: its terminal state, its durable frame, the receipt of its decision.

All of it is one job of the writer, so the shopper is told only what is durable.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cache.models import Lookup
from chatbot import frames
from chatbot.asked import Asked, Outcome, Receipt
from chatbot.deciding import decision_fields
from chatbot.frames import ErrorCode, ServerFrame
from chatbot.models import Question
from chatbot.transcript import finish


def record_answer(
    asked: Asked,
    outcome: Outcome,
    *,
    receipt: Receipt,
    now: datetime,
    total_ms: int,
    first_content_ms: int | None,
    stopped: bool,
) -> ServerFrame | None:
    """End the question with an `answer` frame; None when something else ended it first."""
    lookup = _lookup(asked, outcome, receipt=receipt, now=now, total_ms=total_ms)
    body = answer_frame(
        asked, outcome, total_ms=total_ms, receipt=str(asked.question_id), stopped=stopped
    )
    fields = {
        **_fields(asked, receipt, now=now),
        "origin": outcome.origin,
        "cache": outcome.cache,
        "tier": outcome.tier or "",
        "model": outcome.model or "",
        "cost_nanousd": outcome.cost_nanousd + receipt.side_cost_nanousd,
        "first_content_ms": first_content_ms,
        "total_ms": total_ms,
    }
    state = Question.STOPPED if stopped else Question.ANSWERED
    frame = finish(asked.question_id, state=state, now=now, body=body, fields=fields)
    if frame is not None:
        lookup.save()
    return frame


def record_error(
    asked: Asked, code: ErrorCode, *, receipt: Receipt, now: datetime, total_ms: int
) -> ServerFrame | None:
    """End the question with an `error` frame; None when something else ended it first."""
    key = {"deadline": "deadline", "no_model": "no_model", "busy": "busy"}.get(code, "internal")
    message = asked.configuration.site.say(key, locale=asked.language)
    body = frames.error(code, message, frame_id=asked.client_id)
    fields = {**_fields(asked, receipt, now=now), "error_code": code, "total_ms": total_ms}
    return finish(asked.question_id, state=Question.FAILED, now=now, body=body, fields=fields)


def answer_frame(
    asked: Asked, outcome: Outcome, *, total_ms: int, receipt: str, stopped: bool
) -> ServerFrame:
    """The `answer` frame, without its `seq`."""
    return {
        "type": "answer",
        "id": asked.client_id,
        "text": outcome.text,
        "origin": outcome.origin,
        "cache": outcome.cache,
        "tier": outcome.tier,
        "model": outcome.model,
        "cosine": None if outcome.cosine is None else round(outcome.cosine, 4),
        "ms": total_ms,
        "sources": [{"title": article.title, "url": article.url} for article in outcome.sources],
        "checked_at": outcome.checked_at.isoformat() if outcome.checked_at else None,
        "receipt": receipt,
        "stopped": stopped,
        "answer_id": outcome.entry.answer_id if outcome.entry else None,
        "wording_id": outcome.entry.wording_id if outcome.entry else None,
    }


def _fields(asked: Asked, receipt: Receipt, *, now: datetime) -> dict[str, Any]:
    return {
        "tier_reason": receipt.tier_reason[:300],
        "guards": receipt.guards,
        "revision": asked.configuration.revision,
        "rule_set_version": asked.configuration.rules.at(now).rule_set_version
        if receipt.rule_set_version is None
        else receipt.rule_set_version,
        **decision_fields(asked.text, receipt.decided),
    }


def _lookup(
    asked: Asked, outcome: Outcome, *, receipt: Receipt, now: datetime, total_ms: int
) -> Lookup:
    nearest = receipt.nearest
    reasons = [receipt.reason, *(f"not stored: {reason}" for reason in receipt.objections)]
    return Lookup(
        question_id=asked.question_id,
        site_id=asked.site_id,
        shopper_id=asked.shopper_id,
        partition=asked.partition,
        outcome=outcome.cache,
        cosine=outcome.cosine,
        nearest_id=nearest.entry.wording_id if nearest else None,
        nearest_cosine=nearest.cosine if nearest else None,
        nearest_text=nearest.text if nearest else "",
        reason="; ".join(reason for reason in reasons if reason)[:200],
        probability=receipt.probability,
        judged_by=receipt.judged_by[:80],
        features=[round(value, 4) for value in receipt.features],
        vetoes=list(receipt.vetoes),
        guards=receipt.guards,
        revision=asked.configuration.revision,
        at=now,
        ms=total_ms,
        model=outcome.model or "",
        cost_nanousd=outcome.cost_nanousd,
        simulated=asked.simulated,
        **_served(outcome, now=now),
    )


def _served(outcome: Outcome, *, now: datetime) -> dict[str, Any]:
    """What was served, as it stood then, and what the question's own answer was stored as."""
    entry, stored = outcome.entry, outcome.stored
    resting = entry or stored
    versions: list[tuple[str, str, int]] = (
        list(resting.sources)
        if resting
        else [(article.key, article.locale, article.version) for article in outcome.sources]
    )
    return {
        "answer_id": entry.answer_id if entry else None,
        "stored_id": stored.answer_id if stored else None,
        "wording_id": entry.wording_id if entry else None,
        "matched_text": entry.wording if entry else "",
        "article_versions": versions,
        "answer_age_s": max(0, int((now - entry.checked_at).total_seconds())) if entry else None,
        "saved_nanousd": entry.cost_nanousd if entry else 0,
    }
