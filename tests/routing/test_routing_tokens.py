"""Claims about estimating tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.specs import Message, Prompt
from routing.tokens import Calibration, estimate_prompt_tokens, estimate_tokens
from simulator.counting import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("   ", 0),
        ("ship", 1),
        ("shipping", 2),
        ("怎么退货", 6),
        ("订单 1234567", 6),
        ("a, b", 3),
        ("🚚", 3),
        ("\n\n\n", 1),
    ],
)
def test_scripts_are_weighed_apart(text: str, tokens: int) -> None:
    """Han characters, letters, digits, signs and emoji each have their own weight."""
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize(
    ("text", "real_tokens"),
    [
        ("我的订单什么时候能到货呢", 13),
        ("请问你们的退货政策是怎样的我买的衣服尺码不合适想换货", 32),
        ("How long does standard shipping to Canada usually take?", 10),
    ],
)
def test_estimates_are_on_the_high_side(text: str, real_tokens: int) -> None:
    """Real tokenizers do not count more than was reserved."""
    assert estimate_tokens(text) >= real_tokens


@given(st.text(max_size=200))
def test_the_local_vendor_never_counts_more(text: str) -> None:
    """Whatever the text, the simulator's own count stays within the estimate."""
    assert estimate_tokens(text) >= count_tokens(text)


def test_a_prompt_costs_its_texts_and_its_turns() -> None:
    """System text and every turn count, each with what a turn itself costs."""
    prompt = Prompt("ship", (Message("user", "ship"), Message("user", "ship")))
    assert estimate_prompt_tokens(prompt) == 3 + 3 * 4


def test_calibration_starts_without_an_opinion() -> None:
    """Nothing learnt means nothing changed."""
    assert Calibration().apply(100) == 100


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.0, 1.6, 3.0])
def test_calibration_learns_the_ratio(ratio: float) -> None:
    """After many answers an estimate comes out near the real figure, not below it."""
    calibration = Calibration()
    for _ in range(200):
        calibration.learn(estimated_tokens=1_000, real_tokens=round(1_000 * ratio))
    assert ratio * 1_000 <= calibration.apply(1_000) <= ratio * 1_000 * 1.02


def test_calibration_stays_cautious_at_first() -> None:
    """A few small prompts do not lower the reservation yet."""
    calibration = Calibration()
    for _ in range(5):
        calibration.learn(estimated_tokens=100, real_tokens=50)
    assert calibration.apply(100) >= 100


@given(st.lists(st.tuples(st.integers(-10, 10**9), st.integers(-10, 10**9)), max_size=50))
def test_no_usage_leads_calibration_astray(usages: list[tuple[int, int]]) -> None:
    """Lies about usage leave the factor between 0.4 and 4."""
    calibration = Calibration()
    for estimated, real in usages:
        calibration.learn(estimated_tokens=estimated, real_tokens=real)
    assert 0.4 <= calibration.factor <= 4.0


@given(st.lists(st.floats(0.7, 1.3), min_size=100, max_size=200))
def test_most_prompts_stay_within_the_calibrated_estimate(ratios: list[float]) -> None:
    """With ratios that scatter by 30 %, the corrected estimate is never far too low."""
    calibration = Calibration()
    for ratio in ratios:
        calibration.learn(estimated_tokens=1_000, real_tokens=round(1_000 * ratio))
    assert calibration.apply(1_000) >= 0.7 * 1_000
