"""What may enter the shared cache: every single objection keeps an answer out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.policy import Proposal, objections

GOOD = Proposal(
    question_may_be_shared=True,
    prompt_held_only_articles=True,
    finished=True,
    declined=False,
    beside_the_question=False,
    cited=frozenset({"shipping-couriers"}),
    offered=frozenset({"shipping-couriers", "returns-policy"}),
    unsupported_figures=(),
    personal_marks=(),
)
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "question": ({"question_may_be_shared": False}, "the question is not one to share"),
    "prompt": (
        {"prompt_held_only_articles": False},
        "the prompt held more than the question and articles",
    ),
    "unfinished": ({"finished": False}, "the answer has no proper end"),
    "declined": ({"declined": True}, "the answer says that it does not know"),
    "beside": (
        {"beside_the_question": True},
        "the articles it cites hardly speak of what was asked",
    ),
    "uncited": ({"cited": frozenset()}, "the answer cites no article"),
    "foreign": (
        {"cited": frozenset({"shipping-couriers", "made-up", "another"})},
        "it cites articles that were not in the prompt: another, made-up",
    ),
    "figures": (
        {"unsupported_figures": ("7 days", "$3")},
        "figures or addresses that no cited article holds: 7 days, $3",
    ),
    "personal": (
        {"personal_marks": ("a name", "an address")},
        "the text is personal: a name, an address",
    ),
}


def test_good_answer_is_admitted() -> None:
    """With nothing against it the tuple is empty."""
    assert objections(GOOD) == ()


@pytest.mark.parametrize(("change", "reason"), FAULTS.values(), ids=FAULTS)
def test_each_objection_is_named(change: dict[str, Any], reason: str) -> None:
    """One fault gives exactly one reason, in words for staff."""
    assert objections(replace(GOOD, **change)) == (reason,)


@given(st.sets(st.sampled_from(sorted(set(FAULTS) - {"uncited"})), min_size=1))
def test_objections_add_up(names: set[str]) -> None:
    """Several faults give all their reasons: none hides another."""
    changes: dict[str, Any] = {}
    for name in names:
        changes |= FAULTS[name][0]
    assert set(objections(replace(GOOD, **changes))) == {FAULTS[name][1] for name in names}
