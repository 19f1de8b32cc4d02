"""Claims about which model is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.chains import choose, usable
from routing.specs import Tier
from tests.routing.helpers import model

DAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("etas_s", "place"),
    [
        ([0.0, 0.0], 0),
        ([1.0, 0.0], 0),
        ([1.1, 0.0], 1),
        ([9.0, 1.1, 1.0], 2),
        ([9.0, 4.0, 6.0], 1),
        ([4.0, 4.0], 0),
        ([99.0], 0),
    ],
)
def test_the_first_short_queue_is_joined_else_the_shortest(etas_s: list[float], place: int) -> None:
    """With ten seconds left a queue of one second is short."""
    assert choose(etas_s, left_s=10.0) == place


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_nobody_is_sent_to_a_longer_queue_than_needed(etas_s: list[float], left_s: float) -> None:
    """The chosen queue is short, or there is none shorter; all before it are longer than short."""
    place = choose(etas_s, left_s=left_s)
    assert etas_s[place] <= 0.1 * left_s or etas_s[place] == min(etas_s)
    assert all(eta_s > 0.1 * left_s for eta_s in etas_s[:place])


@pytest.mark.parametrize(
    ("bounds", "code"),
    [
        ({}, None),
        ({"valid_until": DAY}, None),
        ({"valid_from": DAY}, None),
        ({"valid_until": date(2026, 11, 29)}, "retired"),
        ({"valid_from": date(2026, 12, 1)}, "not_yet"),
    ],
)
def test_dates_decide_with_both_ends_included(bounds: dict[str, Any], code: str | None) -> None:
    """A model may be called from its first day to its last."""
    spec = model(**bounds)
    models, omissions = usable([spec], today=DAY, has_key=lambda endpoint: True, tier=Tier.FAQ)
    assert [omission.code for omission in omissions] == ([] if code is None else [code])
    assert models == (() if code else (spec,))


def test_a_model_without_a_key_is_left_out_by_the_name_of_its_key() -> None:
    """The reason names the variable to set; order of the others is kept."""
    chain = [model(name="a"), model(name="b", vendor="gemini", key_env="GEMINI_API_KEY"), model()]
    models, omissions = usable(
        chain, today=DAY, has_key=lambda endpoint: endpoint.key != "gemini", tier=Tier.HIGH
    )
    assert [spec.name for spec in models] == ["a", "m-1"]
    assert omissions[0].reason == "b (Gemini) is left out: GEMINI_API_KEY is not set"
    assert omissions[0].tier is Tier.HIGH
