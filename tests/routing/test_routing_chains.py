"""Claims about which model is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.chains import choose, usable
from routing.specs import BudgetSpec, ModelSpec, Period, PriceSpec, RoutingSnapshot, Tier
from tests.routing.helpers import model

DAY = date(2026, 11, 30)
CHEAP, MIDDLE, DEAR = (model(name=name) for name in ("cheap", "middle", "dear"))
COSTS = {"cheap": 10, "middle": 20, "dear": 30}


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


def priced(*chain: ModelSpec, **costs: int) -> RoutingSnapshot:
    """A snapshot with one chain and these prices."""
    since = date(2026, 1, 1)
    prices = (PriceSpec("openai", name, since, "USD", c, c, c) for name, c in costs.items())
    return RoutingSnapshot(chains={Tier.COMPLEX: chain}, prices=tuple(prices))


def names(
    *chain: ModelSpec, routing: RoutingSnapshot, tier: Tier = Tier.FAQ, keys: bool = True
) -> list[str]:
    """What is left of a chain."""
    found, _ = usable(chain, today=DAY, has_key=lambda _: keys, tier=tier, routing=routing)
    return [spec.name for spec in found]


def test_a_simple_question_never_falls_onto_the_dearest_model() -> None:
    """The dearest of all chains is left out with the reason; other tiers may use it."""
    routing = priced(DEAR, **COSTS)
    chain = (DEAR, CHEAP, MIDDLE)
    _, omissions = usable(chain, today=DAY, has_key=lambda _: True, tier=Tier.FAQ, routing=routing)
    assert names(*chain, routing=routing) == ["cheap", "middle"]
    assert names(*chain, routing=routing, tier=Tier.COMPLEX) == ["dear", "cheap", "middle"]
    assert [(o.code, o.model.name) for o in omissions] == [("too_dear", "dear")]
    assert "no budget names it for simple questions" in omissions[0].reason


def test_the_dearest_of_the_chain_alone_is_not_the_dearest_of_all() -> None:
    """Judged over every chain: with a dearer model elsewhere the chain stays whole."""
    assert names(CHEAP, MIDDLE, routing=priced(CHEAP, MIDDLE, DEAR, **COSTS)) == ["cheap", "middle"]


def test_a_budget_line_lets_the_dearest_in() -> None:
    """A budget for this tier and this model says that the shop wants it."""
    line = BudgetSpec(1, "b", Period.DAY, "UTC", 10, tier=Tier.FAQ, model_id=DEAR.id)
    routing = priced(CHEAP, MIDDLE, DEAR, **COSTS)
    routing = RoutingSnapshot(routing.chains, prices=routing.prices, budgets=(line,))
    assert names(CHEAP, DEAR, routing=routing) == ["cheap", "dear"]


@pytest.mark.parametrize("costs", [{"dear": 30}, {}, {"dear": 30, "cheap": 30}])
def test_what_is_left_alone_answers(costs: dict[str, int]) -> None:
    """Whatever the prices say, a chain is never emptied by them."""
    assert names(DEAR, routing=priced(DEAR, **costs)) == ["dear"]
    assert names(DEAR, CHEAP, routing=priced(DEAR, CHEAP, dear=5, cheap=5)) == ["dear", "cheap"]


def test_a_model_without_a_price_is_not_judged() -> None:
    """Nobody knows whether it is the dearest; its missing price is told elsewhere."""
    assert names(DEAR, CHEAP, routing=priced(DEAR, CHEAP, MIDDLE, cheap=1, middle=2)) == [
        "dear",
        "cheap",
    ]


def test_a_price_counts_from_its_day() -> None:
    """Tomorrow's price does not decide today."""
    routing = priced(DEAR, CHEAP, **COSTS)
    later = PriceSpec("openai", "cheap", date(2026, 12, 1), "USD", 99, 99, 99)
    routing = RoutingSnapshot(routing.chains, prices=(*routing.prices, later))
    assert names(DEAR, CHEAP, routing=routing) == ["cheap"]
