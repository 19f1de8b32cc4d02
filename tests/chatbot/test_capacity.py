"""The capacity card's arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.admin_capacity import card_of
from chatbot.reports.capacity import Load, allowed, capacity
from routing.specs import EndpointSpec, Limits, ModelSpec, VendorKind

VENDOR = EndpointSpec(
    1,
    "vendor",
    "Vendor",
    VendorKind.CHAT_COMPLETIONS,
    "https://api.openai.com/v1",
    "OPENAI_API_KEY",
)
SALE = Load(12_000, input_tokens=1_500, output_tokens=300, call_s=4.0, current_share=0.7)


def _model(number: int, **limits: int) -> ModelSpec:
    return ModelSpec(number, f"m-{number}", VENDOR, Limits(**limits))


@pytest.mark.parametrize(
    ("limits", "calls_per_s", "binding"),
    [
        ({"requests_per_minute": 600}, 10.0, "requests per minute"),
        ({"requests_per_minute": 600, "tokens_per_minute": 540_000}, 5.0, "tokens per minute"),
        ({"input_tokens_per_minute": 180_000}, 2.0, "input tokens per minute"),
        ({"output_tokens_per_minute": 18_000}, 1.0, "output tokens per minute"),
        ({"in_flight": 20, "requests_per_day": 864_000}, 5.0, "calls in flight"),
        ({"requests_per_day": 86_400}, 1.0, "requests per day"),
        ({}, None, ""),
    ],
)
def test_smallest_limit_binds(
    limits: dict[str, int], calls_per_s: float | None, binding: str
) -> None:
    """1,800 tokens and four seconds a call, against each kind of limit."""
    found = allowed(_model(1, **limits), SALE)

    assert (found.calls_per_s, found.binding) == (calls_per_s, binding)


def test_a_sale_needs_more_than_99_percent_without_a_model() -> None:
    """12,000 questions a second against 65 calls a second: 99.459 %, and the card says so."""
    found = capacity(
        [_model(1, requests_per_minute=3_000), _model(2, requests_per_minute=900)], SALE
    )
    card = card_of(found, SALE)

    assert found.calls_per_s == 65
    assert found.needed_share == pytest.approx(1 - 65 / 12_000)
    assert (card.tone, card.needed) == ("bad", "99.5 %")
    assert "12,000.0 questions/s at least 99.5 %" in card.verdict


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.99, "short"), (0.9950, "tight"), (0.9999, "fits"), (None, "short")]
)
def test_verdict_follows_from_what_is_answered_without_a_model(
    share: float | None, verdict: str
) -> None:
    """Against the same 65 calls a second."""
    load = Load(12_000, 1_500, 300, 4.0, current_share=share)

    assert capacity([_model(1, requests_per_minute=3_900)], load).verdict == verdict


def test_without_models_or_without_limits() -> None:
    """No model: everything without one. A model without limits: no bound is claimed."""
    none, free = capacity([], SALE), capacity([_model(1), _model(2, in_flight=1)], SALE)

    assert (none.verdict, none.needed_share) == ("impossible", 1.0)
    assert (free.verdict, free.calls_per_s, free.needed_share) == ("unlimited", None, 0.0)


@given(st.floats(0.01, 10**6), st.integers(1, 10**6), st.floats(0.1, 5))
def test_needed_share_just_fits(questions: float, per_minute: int, calls: float) -> None:
    """With the needed share answered without a model, the rest fits into the limits."""
    load = Load(questions, 1_500, 300, 4.0, calls_per_question=calls)
    found = capacity([_model(1, requests_per_minute=per_minute)], load)
    left = questions * (1 - found.needed_share) * calls

    # What is left is a small difference of large numbers.
    assert left <= (found.calls_per_s or 0) + 1e-12 * questions * calls
