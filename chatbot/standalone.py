"""Whether a follow-up, put into words of its own, may stand for it in the shared cache. Pure.

The model that rewrites is not trusted: what it wrote must be a question that the guard lets into the
cache, and must say nothing that the follow-up and the turns before it do not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from base.text import Language, has_control_characters, language_of
from cache.values import Values
from cache.vetoes import ProductNames, Stated, conflicts, stated
from chatbot.borrowed import instructs
from chatbot.guard import Guard, identifier_marks
from chatbot.knowledge import terms
from chatbot.transcript import Turn

MAX_CHARACTERS = 300
KEPT_WORDS_SHARE = 0.5
NONE_MARK = "[[none]]"


def against_turns(turns: Sequence[Turn], *, guard: Guard, language: Language) -> str | None:
    """Why the turns may not be used; None when they may.

    None of them may be about the shopper, and one of them must stand alone: else what the follow-up
    leans on was said before them, and may have been anything.
    """
    verdicts = [guard.inspect(turn.question, language=language) for turn in turns]
    if any(verdict.personal for verdict in verdicts):
        return "an earlier question is personal"
    if any(identifier_marks(turn.answer) for turn in turns):
        return "an earlier answer holds an identifier"
    if not any(verdict.may_share for verdict in verdicts):
        return "no earlier question stands alone"
    return None


def objection(
    rewritten: str,
    *,
    follow_up: str,
    turns: Sequence[Turn],
    language: Language,
    guard: Guard,
    products: ProductNames,
) -> str | None:
    """The first thing that speaks against the rewritten text; None when it may be used."""
    if not rewritten or NONE_MARK in rewritten:
        return "the model could not make it standalone"
    shape = _shape(rewritten, language=language)
    if shape is not None:
        return shape
    verdict = guard.inspect(rewritten, language=language)
    if not verdict.may_share or verdict.small_talk is not None:
        return f"the new text is not one to share ({'; '.join(verdict.notes) or 'small talk'})"
    asked, new = stated(follow_up, products=products), stated(rewritten, products=products)
    earlier = [
        stated(text, products=products) for turn in turns for text in (turn.question, turn.answer)
    ]
    added = _values(new) - _values(asked).union(*map(_values, earlier))
    if added:
        return f"it states what nobody said: {_shown(added)}"
    lost = _values(asked) - _values(new)
    if lost:
        return f"it leaves out: {_shown(lost)}"
    against = conflicts(asked, new)
    if against:
        return f"it says something else: {'; '.join(against)}"
    return _drift(rewritten, follow_up=follow_up)


def _shape(rewritten: str, *, language: Language) -> str | None:
    if len(rewritten) > MAX_CHARACTERS or "\n" in rewritten or has_control_characters(rewritten):
        return "it is not one short line"
    if language_of(rewritten, default=language) != language:
        return "it is in another language"
    return "it tells a model what to say" if instructs(rewritten) else None


def _drift(rewritten: str, *, follow_up: str) -> str | None:
    """A rewritten text that has lost most words of the follow-up asks something else."""
    words = set(terms(follow_up))
    kept = words & set(terms(rewritten))
    if words and len(kept) < KEPT_WORDS_SHARE * len(words):
        return "it has lost the follow-up's own words"
    return None


def _values(text: Stated) -> set[tuple[str, str]]:
    """Kind and value of everything stated, products included."""
    kinds = ((field.name, getattr(text.values, field.name)) for field in fields(Values))
    found = {(kind, value) for kind, values in kinds for value in values}
    return found | {("product", key) for key in text.products}


def _shown(values: set[tuple[str, str]]) -> str:
    return ", ".join(sorted(value for _, value in values))
