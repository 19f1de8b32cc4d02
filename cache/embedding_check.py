"""The equality test of two engines: fixed texts, and the lowest cosine between their vectors.

Two unit vectors at cosine 0.99999 are 0.26 degrees apart, so at a cosine of 0.88 a decision sees at most
0.0022 of difference; the engines differ by less than 1e-6 in practice. Texts at the edge of the window
show that both cut at the same token.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_EQUAL_COSINE = 0.99999
# A model with a longer window is tried up to here: 8,000 tokens take a processor half a minute.
_LONGEST_TOKENS = 512

_SHORT = (
    "",
    "hi",
    "?",
    "Refund",
    "WHERE IS MY PARCEL??",
    "Which courier do you use?",
    "How long does delivery to Hong Kong take?",
    "Can I return shoes that I have worn once?",
    "is the Aurora X2 waterproof",
    "I paid 1,299.00 yuan on 11/11, order A-20391, when is it shipped?",
    "Do you price match if it gets cheaper within 7 days?",
    "cancel    my\torder\nnow",
    "naïve café — “déjà vu” №5 ½ ﬁt",
    "emoji 🙂🚚📦 please",
    "http://example.com/a?b=c&d=e #12 @shop",
    "charger for phone",
    "phone for charger",
    "not refundable",
    "A" * 40,
    "你好",
    "什么时候发货？",
    "双十一的优惠券能和满减一起用吗？",
    "我的快递三天没动了，怎么办",
    "支持七天无理由退货吗",
    "尺码偏大还是偏小？我平时穿 38 码",
    "這款耳機可以開發票嗎",
    "Does 极光X2 support 快充 at 65W?",
)
_LONG = (
    "I ordered two pairs of trail running shoes last Tuesday, one in size 42 and one in size 43, because I was"
    " not sure which would fit; may I keep one and send the other back free of charge, and who pays for the label?",
    "我上周在你们店里买了一台空气净化器，昨天收到以后发现滤芯少了一个，包装也有一点压坏，请问我是应该申请补发"
    "滤芯，还是整台退回去重新发一台？如果退货，运费由谁承担，大概要多少天才能收到退款？",
)


def texts(*, window_tokens: int) -> list[str]:
    """The fixed texts, and some that just fit a window of so many tokens, or just do not."""
    edge = min(window_tokens, _LONGEST_TOKENS)
    edges = ["size " * count for count in (edge - 3, edge - 2, edge - 1)]
    return [*_SHORT, *_LONG, *(text.strip() for text in edges), "尺码 size " * edge]


def lowest_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The lowest cosine between vectors of the same place; -1 when their shapes differ."""
    if one.shape != other.shape or not np.isfinite(other).all():
        return -1.0
    return float(np.einsum("nd,nd->n", one.astype(np.float64), other.astype(np.float64)).min())
