"""Which set is in force: by the clock alone, with windows, withdrawal, roll-back and the switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.models import KillSwitch, Rule, RuleSet
from routing.publishing import (
    NotPublishable,
    Terms,
    flip,
    publish,
    roll_back,
    seal,
    start_draft,
    withdraw,
)
from routing.rule_sets import BUILT_IN_VERSION, RuleBooks, rule_set_in_force
from routing.rulebook import Edition, RuleBook, in_force, still_needed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _edition(version: int, published: int, starts: int | None, ends: int | None) -> Edition[int]:
    def at(hours: int | None) -> datetime | None:
        return None if hours is None else NOW + hours * HOUR

    return Edition(version, at(published), at(starts), at(ends), version)


USUAL, NIGHT, REPAIR = (
    _edition(1, 0, None, None),
    _edition(2, 1, 8, 12),
    _edition(3, 10, None, None),
)


@pytest.mark.parametrize(
    ("editions", "hours", "version"),
    [
        ((USUAL, NIGHT), 7, 1),
        ((USUAL, NIGHT), 8, 2),
        ((USUAL, NIGHT), 12, 1),
        ((USUAL, NIGHT, REPAIR), 11, 3),
        ((USUAL, _edition(4, 5, None, None), NIGHT), 9, 2),
        ((NIGHT,), 7, 0),
    ],
    ids=[
        "before the window",
        "from its first moment",
        "back at its end",
        "what is published in the window takes over",
        "what was published before the window gives way",
        "the built-in one without any",
    ],
)
def test_clock_decides(editions: tuple[Edition[int], ...], hours: int, version: int) -> None:
    """The set whose window holds the moment and that took effect last is in force."""
    assert RuleBook(editions, built_in=0).at(NOW + hours * HOUR) == version


EDITIONS = st.lists(
    st.builds(
        _edition,
        st.integers(1, 9),
        st.integers(0, 9),
        st.none() | st.integers(0, 9),
        st.none() | st.integers(0, 9),
    ),
    max_size=5,
    unique_by=lambda edition: edition.version,
)


@given(EDITIONS, st.integers(0, 9), st.integers(0, 20))
def test_nothing_that_will_decide_is_left_out(
    editions: list[Edition[int]], loaded: int, later: int
) -> None:
    """A process that loaded only what is still needed decides at every later moment as with all sets."""
    moment = NOW + (loaded + later) * HOUR
    needed = still_needed(editions, now=NOW + loaded * HOUR)

    assert in_force(needed, at=moment) == in_force(editions, at=moment)


def _published(name: str, **window: datetime) -> RuleSet:
    draft = start_draft(now=NOW)
    draft.rules.all().delete()
    Rule.objects.create(rule_set=draft, position=1, name=name, any_of=[name], tier="COMPLEX")
    return publish(draft.pk, terms=Terms(note=name, by="ann", now=NOW, **window))


@pytest.fixture
def sets(db: None) -> tuple[RuleSet, RuleSet]:
    """A usual set, and one for tonight."""
    seal()
    return _published("usual"), _published("night", starts_at=NOW + HOUR, ends_at=NOW + 3 * HOUR)


def test_roll_back_publishes_a_copy_that_says_so(sets: tuple[RuleSet, RuleSet]) -> None:
    """The copy is the newest version, in force at once also within a window, and equal to what it copies."""
    tonight = NOW + 2 * HOUR
    made = roll_back(sets[0].version, terms=Terms(note="too dear", by="bob", now=tonight))

    assert made.version == 3
    assert made.note == "Rolled back to version 1: too dear"
    assert [rule.name for rule in made.rules.all()] == ["usual"]
    assert rule_set_in_force(tonight) == made


def test_scheduled_set_can_be_taken_out(sets: tuple[RuleSet, RuleSet]) -> None:
    """It never comes into force; what it decides stays as published, and a set without a window is not taken out."""
    withdraw(sets[1].version, by="bob", now=NOW)

    assert rule_set_in_force(NOW + 2 * HOUR) == sets[0]
    with pytest.raises(NotPublishable, match="no window"):
        withdraw(sets[0].version, by="bob", now=NOW)


def test_empty_window_is_refused(sets: tuple[RuleSet, RuleSet]) -> None:
    """A window that ends before it begins, or is over already, is not published."""
    draft = start_draft(now=NOW)
    for window in ((NOW + HOUR, NOW + HOUR), (None, NOW)):
        terms = Terms(note="n", by="ann", now=NOW, starts_at=window[0], ends_at=window[1])
        with pytest.raises(NotPublishable, match="never be in force"):
            publish(draft.pk, terms=terms)


def test_switch_leads_past_every_set_and_back(sets: tuple[RuleSet, RuleSet]) -> None:
    """While it is on the built-in rules decide at every moment; every flip is kept with who and why."""
    books = RuleBooks(lambda texts: [None] * len(texts))
    moments = (NOW, NOW + 2 * HOUR, NOW + 4 * HOUR)

    def versions() -> list[int]:
        book = books.load(now=NOW)
        return [book.at(moment).rule_set_version for moment in moments]

    assert versions() == [1, 2, 1]
    flip(on=True, note="wrong tiers", by="ann", now=NOW)
    assert versions() == [BUILT_IN_VERSION] * 3
    flip(on=False, note="mended", by="bob", now=NOW)
    assert versions() == [1, 2, 1]
    assert list(KillSwitch.objects.values_list("on", "by", "note")) == [
        (False, "bob", "mended"),
        (True, "ann", "wrong tiers"),
    ]
