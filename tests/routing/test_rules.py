"""Rules: each predicate alone and together, and rules that can never match."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.rule_sets import built_in_specs
from routing.rules import Audience, RuleSpec
from routing.shadows import covers, never_matching
from routing.specs import Tier
from tests.routing.deciding import FRIDAY_NOON, a_rule, a_situation


def _matches(rule: RuleSpec, situation: Any, *, cosine: float = 0.0) -> bool:
    return rule.matches(situation, nearness=lambda _: cosine) is not None


@pytest.mark.parametrize(
    ("predicate", "fits", "fails"),
    [
        ({"any_of": ("late", "lost")}, {"text": "it is LATE"}, {"text": "chocolate"}),
        ({"any_of": ("late parcel",)}, {"text": "a late \n parcel"}, {"text": "late, parcel"}),
        ({"any_of": ("退款",)}, {"text": "我要退款了"}, {"text": "退货"}),
        ({"any_of": ("ＳＦ",)}, {"text": "by sf?"}, {"text": "sfx"}),
        ({"all_of": ("late", "refund")}, {"text": "late: refund"}, {"text": "late"}),
        ({"any_of": ("late",), "none_of": ("fee",)}, {"text": "late"}, {"text": "late fee"}),
        ({"language": "zh-hans"}, {"language": "zh-hans"}, {"language": "en"}),
        ({"min_characters": 5}, {"text": "12345"}, {"text": "1234"}),
        ({"max_characters": 4}, {"text": "1234"}, {"text": "12345"}),
        (
            {"audience": Audience.PERSONAL},
            {"audience": Audience.PERSONAL},
            {"audience": Audience.EVERYONE},
        ),
        ({"topics": ("returns",)}, {"topic": "returns"}, {"topic": ""}),
        (
            {"from_time": time(20), "until_time": time(2)},
            {"at": FRIDAY_NOON.replace(hour=1, minute=59)},
            {"at": FRIDAY_NOON.replace(hour=2)},
        ),
        (
            {"from_time": time(9), "until_time": time(17)},
            {"at": FRIDAY_NOON.replace(hour=9)},
            {"at": FRIDAY_NOON.replace(hour=17)},
        ),
        ({"from_time": time(9)}, {"at": FRIDAY_NOON}, {"at": FRIDAY_NOON.replace(hour=8)}),
        ({"weekdays": ("fri",)}, {}, {"at": FRIDAY_NOON + timedelta(days=1)}),
    ],
)
def test_each_predicate_decides(
    predicate: dict[str, Any], fits: dict[str, Any], fails: dict[str, Any]
) -> None:
    """A predicate holds for its question and not for one that differs in it alone."""
    rule = a_rule(**predicate)

    assert _matches(rule, a_situation(**fits))
    assert not _matches(rule, a_situation(**fails))


def test_time_window_is_the_sites_clock() -> None:
    """At one moment it is evening in Shanghai and noon in London, and the rule follows the site."""
    rule = a_rule(from_time=time(18), until_time=time(22))
    moment = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Europe/London"))

    assert not _matches(rule, a_situation(at=moment))
    assert _matches(rule, a_situation(at=moment.astimezone(ZoneInfo("Asia/Shanghai"))))


def test_near_example_needs_its_cosine() -> None:
    """The bound is met or missed; the cosine is asked only when all else holds."""
    rule = a_rule(near_tier=Tier.FAQ, min_cosine=0.6, any_of=("parcel",))
    assert _matches(rule, a_situation(), cosine=0.6)
    assert not _matches(rule, a_situation(), cosine=0.59)

    def never(_: RuleSpec) -> float:
        raise AssertionError

    assert rule.matches(a_situation("else"), nearness=never) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"any_of": ("too late",), "none_of": ("late",)}, "forbidden"),
        ({"any_of": ("已退款",), "none_of": ("退款",)}, "forbidden"),
        ({"any_of": ("a",), "all_of": ("late fee",), "none_of": ("fee",)}, "late fee"),
        ({"min_characters": 9, "max_characters": 8}, "more than at most 8"),
        ({"any_of": ("a very long phrase",), "max_characters": 5}, "allows 5"),
        ({"from_time": time(9), "until_time": time(9)}, "begins and ends at 09:00"),
        ({"near_text": "x", "min_cosine": 1.1}, "no cosine"),
    ],
)
def test_contradictory_rule_is_reported(fields: dict[str, Any], reason: str) -> None:
    """Predicates that exclude each other are named."""
    (found,) = never_matching([a_rule(**fields)])

    assert found.startswith('Rule 1 "r1" can never match: ')
    assert reason in found


@pytest.mark.parametrize(
    "fields",
    [
        {"any_of": ("later",), "none_of": ("late",)},
        {"any_of": ("too late", "lost"), "none_of": ("late",)},
        {"any_of": ("退app",), "none_of": ("app",)},
        {"min_characters": 8, "max_characters": 8},
        {"from_time": time(22), "until_time": time(6)},
    ],
)
def test_possible_rule_is_not_reported(fields: dict[str, Any]) -> None:
    """What some question can fulfil is let through."""
    assert never_matching([a_rule(**fields)]) == ()


def test_shadowed_rule_is_reported_with_its_shadow() -> None:
    """A narrower rule behind a broader one can never decide; before it, it can."""
    broad = {"any_of": ("late", "lost")}
    narrow = {"any_of": ("late parcel",), "language": "en", "min_characters": 12}

    assert never_matching([a_rule(1, **narrow), a_rule(2, **broad)]) == ()
    (found,) = never_matching([a_rule(1, **broad), a_rule(2, **narrow)])
    assert 'rule 1 "r1" before it matches everything that it could' in found


def test_shipped_rules_can_all_match() -> None:
    """Nothing that is delivered is refused when staff draft from it."""
    assert never_matching(built_in_specs()) == ()


WORDS = ("late", "fee", "late fee", "refund", "退款", "已退款", "款")
SOME = st.lists(st.sampled_from(WORDS), max_size=2).map(tuple)
HOURS = st.sampled_from([None, time(0), time(8), time(16), time(23)])
RULES = st.builds(
    a_rule,
    language=st.sampled_from(["", "en", "zh-hans"]),
    any_of=SOME,
    all_of=SOME,
    none_of=SOME,
    min_characters=st.sampled_from([0, 5, 9]),
    max_characters=st.sampled_from([None, 5, 9]),
    audience=st.sampled_from([None, *Audience]),
    topics=st.sampled_from([(), ("a",), ("a", "b")]),
    from_time=HOURS,
    until_time=HOURS,
    weekdays=st.sampled_from([(), ("fri",), ("fri", "sat")]),
)
SITUATIONS = [
    a_situation(text, language=language, at=at, audience=audience, topic=topic)
    for text, language, at, audience, topic in product(
        ("late", "late fee", "refund, late fee", "已退款 late", "退款"),
        ("en", "zh-hans"),
        (FRIDAY_NOON, FRIDAY_NOON.replace(hour=23) + timedelta(days=1)),
        (Audience.EVERYONE, Audience.PERSONAL),
        ("b", ""),
    )
]


@settings(max_examples=50)
@given(RULES, RULES)
def test_no_question_disproves_a_report(first: RuleSpec, second: RuleSpec) -> None:
    """Whatever the rules, a rule reported as impossible matches nothing, and a covering rule matches all."""
    alone = never_matching([second])
    covered = covers(first, second) and not never_matching([first])
    for situation in SITUATIONS:
        if _matches(second, situation):
            assert not alone
            assert _matches(first, situation) or not covered
