"""Rules that can never decide: their own predicates exclude each other, or an earlier rule takes all they could.

Sound, not complete: what is reported can never match; a rule that several earlier ones cover only together is
not found. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from base.text import han_count
from routing.rules import WEEKDAYS, RuleSpec, holds, phrases

Hours = tuple[tuple[time, time], ...]


def never_matching(rules: Sequence[RuleSpec]) -> tuple[str, ...]:
    """Why rules can never decide, one sentence each, in the order in which they are tried."""
    ordered = sorted(rules, key=lambda rule: rule.position)
    found: list[str] = []
    able: list[RuleSpec] = []
    for rule in ordered:
        why = contradiction(rule) or _taken_by(rule, able)
        if why:
            found.append(f'Rule {rule.position} "{rule.name}" can never match: {why}.')
        else:
            able.append(rule)
    return tuple(found)


def contradiction(rule: RuleSpec) -> str:
    """Why no question can fulfil all predicates of a rule; empty when one could."""
    least = rule.min_characters
    if rule.max_characters is not None and least > rule.max_characters:
        return f"at least {least} characters is more than at most {rule.max_characters}"
    if rule.from_time is not None and rule.from_time == rule.until_time:
        return f"its time window begins and ends at {rule.from_time:%H:%M}"
    if rule.near and rule.min_cosine > 1:
        return f"no cosine reaches {rule.min_cosine:g}"
    return _excluded(rule) or _too_long(rule)


def _excluded(rule: RuleSpec) -> str:
    """A phrase that is asked for holds one that is forbidden."""
    forbidden = phrases(rule.none_of)
    for phrase in phrases(rule.all_of):
        inside = _held_by(phrase, forbidden)
        if inside:
            return f'"{phrase}" is asked for and holds "{inside}", which is forbidden'
    wanted = phrases(rule.any_of)
    if wanted and all(_held_by(phrase, forbidden) for phrase in wanted):
        return "every one of its phrases holds one that is forbidden"
    return ""


def _too_long(rule: RuleSpec) -> str:
    """A phrase that is asked for does not fit the greatest length."""
    shortest = min(map(len, phrases(rule.any_of)), default=0)
    longest = max([shortest, *map(len, phrases(rule.all_of))])
    if rule.max_characters is not None and longest > rule.max_characters:
        return f"its phrases need {longest} characters and it allows {rule.max_characters}"
    return ""


def _taken_by(rule: RuleSpec, earlier: Sequence[RuleSpec]) -> str:
    taker = next((other for other in earlier if covers(other, rule)), None)
    return f"{taker.label} before it matches everything that it could" if taker else ""


def covers(first: RuleSpec, second: RuleSpec) -> bool:
    """Whether everything that `second` could match is matched by `first`."""
    return (
        first.language in ("", second.language)
        and _covers_lengths(first, second)
        and first.audience in (None, second.audience)
        and (not first.topics or (bool(second.topics) and set(second.topics) <= set(first.topics)))
        and _covers_times(first, second)
        and _covers_examples(first, second)
        and _covers_phrases(first, second)
    )


def _covers_lengths(first: RuleSpec, second: RuleSpec) -> bool:
    if first.min_characters > second.min_characters:
        return False
    if first.max_characters is None:
        return True
    return second.max_characters is not None and second.max_characters <= first.max_characters


def _covers_times(first: RuleSpec, second: RuleSpec) -> bool:
    days = set(second.weekdays or WEEKDAYS) <= set(first.weekdays or WEEKDAYS)
    wide = _hours(first)
    return days and all(
        any(
            start <= begin and (end == time.min or (finish != time.min and finish <= end))
            for start, end in wide
        )
        for begin, finish in _hours(second)
    )


def _hours(rule: RuleSpec) -> Hours:
    """The window as pieces of one day; an end of 00:00 is the day's end."""
    start, end = rule.from_time or time.min, rule.until_time or time.min
    if end == time.min or start < end:
        return ((start, end),)
    return ((time.min, end), (start, time.min))


def _covers_examples(first: RuleSpec, second: RuleSpec) -> bool:
    if not first.near:
        return True
    same = (first.near_text, first.near_tier) == (second.near_text, second.near_tier)
    return same and first.min_cosine <= second.min_cosine


def _covers_phrases(first: RuleSpec, second: RuleSpec) -> bool:
    certain, wanted = phrases(second.all_of), phrases(second.any_of)
    excluded = phrases(second.none_of)
    for phrase in phrases(first.all_of):
        if not _is_certain([phrase], certain, wanted):
            return False
    if phrases(first.any_of) and not _is_certain(phrases(first.any_of), certain, wanted):
        return False
    # What the first forbids must be forbidden by the second, or a part of it.
    return all(_held_by(phrase, excluded) for phrase in phrases(first.none_of))


def _is_certain(sought: Sequence[str], certain: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a text with all of `certain` and one of `wanted` always holds one of `sought`."""
    if any(_held_by(phrase, sought) for phrase in certain):
        return True
    return bool(wanted) and all(_held_by(phrase, sought) for phrase in wanted)


def _held_by(phrase: str, others: Sequence[str]) -> str:
    """The first of `others` that every text with `phrase` holds; empty when there is none.

    A Chinese phrase may stand inside a word, so its ends count as such.
    """
    shown = f"x{phrase}x" if han_count(phrase) else phrase
    return next((other for other in others if holds(other, shown)), "")
