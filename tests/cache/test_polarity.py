"""Polarity: opposites in one frame conflict, roundabout negations and question forms do not."""

from __future__ import annotations

import pytest

from cache.polarity import polarity_conflict


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Can I return it before delivery?", "Can I return it after delivery?"),
        ("How do I turn on the sound?", "How do I turn off the sound?"),
        ("Is the lid in stock?", "Is the lid out of stock?"),
        ("Are opened boxes taken back?", "Are unopened boxes taken back?"),
        ("Which goods ship to Japan?", "Which goods do not ship to Japan?"),
        ("What if I have paid the duty", "What if I haven't paid the duty"),
        ("Is the strap non-adjustable?", "Is the strap adjustable?"),
        ("Is the sale only for members?", "Is the sale not only for members?"),
        ("You ship only by sea?", "You don't ship only by sea?"),
        ("雨伞怎么注册保修", "雨伞怎么注销保修"),
        ("包装开了能换吗", "包装没开能换吗"),
        ("哪些鞋参加活动", "哪些鞋不参加活动"),
    ],
)
def test_opposites_conflict(left: str, right: str) -> None:
    """The same question turned round is another question, from either side."""
    assert polarity_conflict(left, right)
    assert polarity_conflict(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Can I pay by card?", "Can't I pay by card?"),
        ("Is it safe to keep my card here?", "Is keeping my card here not dangerous?"),
        ("Cancel it, it hasn't shipped", "Cancel it before it ships"),
        ("Do I need the box for a return?", "Can I return it without the box?"),
        ("Why doesn't the code work?", "Why is the code not working?"),
        ("Yes or no: is there a shop?", "Is there a shop?"),
        ("case no. RX-2210: how do I reply", "how do I reply to case RX-2210"),
        ("What if nobody is in the office?", "What if I'm not in the office that day?"),
        ("So there's no express to Macau?", "Is there express to Macau?"),
        ("Do you only ship by sea?", "Is the sea the one way you ship?"),
        ("能不能换颜色", "可以换颜色吗"),
        ("伞收不到怎么办", "没收到伞怎么办"),
        ("无线耳机有货吗", "耳机有货吗"),
        ("开发票吗", "关于发票"),
    ],
)
def test_roundabout_wording_does_not(left: str, right: str) -> None:
    """A paraphrase may negate its way round."""
    assert polarity_conflict(left, right) is None
    assert polarity_conflict(right, left) is None
