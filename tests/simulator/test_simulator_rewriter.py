"""The played rewriter: known by the shape of its request, it joins what was said and adds nothing."""

from __future__ import annotations

import pytest

from simulator.rewriter import rewrite

RULES = "Put the follow-up into ONE standalone question."


def request(follow_up: str, *earlier: str) -> str:
    """The request as the site writes it."""
    lines = "\n".join(f"Shopper: {text}\nShop: An answer." for text in earlier)
    return f"<earlier>\n{lines}\n</earlier>\n<follow-up>\n{follow_up}\n</follow-up>"


@pytest.mark.parametrize(
    ("earlier", "follow_up", "rewritten"),
    [
        (
            ("What does shipping cost?",),
            "and for remote regions?",
            "What does shipping cost for remote regions?",
        ),
        (
            ("What does shipping cost?",),
            "What about express",
            "What does shipping cost for express?",
        ),
        (
            ("What does shipping cost?", "and for islands?"),
            "and to Tibet?",
            "What does shipping cost to Tibet?",
        ),
        (
            ("How do I return something?",),
            "How long does it take?",
            "How do I return something, and how long does it take?",
        ),
        (("运费多少？",), "那偏远地区呢？", "偏远地区运费多少？"),
        (("怎么退货？",), "要多久？", "怎么退货，要多久？"),
        (("What does shipping cost?",), "and?", "[[none]]"),
        ((), "and to Tibet?", "[[none]]"),
    ],
)
def test_follow_up_is_joined_to_the_newest_whole_question(
    earlier: tuple[str, ...], follow_up: str, rewritten: str
) -> None:
    """Every word comes from the follow-up or the question it leans on."""
    assert rewrite(request(follow_up, *earlier), system=RULES) == rewritten


def test_other_requests_are_no_business_of_its() -> None:
    """A plain question, or the same shape under other rules, is answered as any question."""
    assert rewrite("What does shipping cost?", system=RULES) is None
    assert rewrite(request("and to Tibet?", "What does shipping cost?"), system="Be kind.") is None
