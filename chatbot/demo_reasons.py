"""Why the cache decided as it did in the demo's history: the sentences of the product, with figures that fit. Pure."""

from __future__ import annotations

from zlib import crc32

from chatbot.demo_history import Asked

NEEDED = 0.965
_LOWEST_HIT_COSINE, _HIT_COSINES = 0.88, 0.1


def reason_of(asked: Asked) -> str:
    """What the product would have written on the receipt."""
    match asked.outcome:
        case "exact":
            return "the same wording was answered before"
        case "semantic":
            cosine = asked.cosine or _LOWEST_HIT_COSINE
            nearer = (cosine - _LOWEST_HIT_COSINE) / _HIT_COSINES
            sure = NEEDED + 0.9 * (1 - NEEDED) * max(0.0, min(1.0, nearer))
            return f"the neighbours' answer fits: {_compared(sure, cosine)}"
        case "confirmed":
            return f"1 near wordings were offered, the shopper meant: {asked.matched}"
        case "joined":
            return f"joined “{asked.matched}” while it was being answered: the same words"
        case "miss":
            # The same for the same text: far enough from everything to be offered to nobody.
            cosine = 0.42 + crc32(asked.theme.text.encode()) % 250 / 1_000
            return f"no stored answer is sure enough: {_compared((cosine - 0.4) * 0.8, cosine)}"
    return "not for the shared cache"


def _compared(sure: float, cosine: float) -> str:
    return f"{sure:.1%} sure (cosine {cosine:.3f}), {NEEDED:.1%} needed"
