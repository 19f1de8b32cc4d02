"""How many tokens a text will cost, estimated before it is sent.

No vendor's tokenizer is at hand, so characters are weighed by script, on the high side: a
reservation that is too small would let us exceed a vendor's limit, one that is too large is
refunded a second later. `Calibration` learns per model how far off the estimate is.
"""

from __future__ import annotations

import math
import re

from routing.specs import Prompt

# Measured on two tokenizers, Chinese costs 0.5 to 1.3 tokens per character; English words cost one
# token per four letters begun; digits go in groups of up to three.
_HAN_TOKENS = 1.3
_LETTERS_PER_TOKEN = 4
_DIGITS_PER_TOKEN = 3
_ASTRAL_TOKENS = 3
_TURN_TOKENS = 4

_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PIECE = re.compile(
    rf"(?P<han>[{_HAN}]+)|(?P<latin>[{_LATIN}]+)|(?P<digits>[0-9]+)"
    r"|(?P<astral>[\U00010000-\U0010ffff])|(?P<line>\n+)|(?P<other>[^\s])"
)


def estimate_tokens(text: str) -> int:
    """Tokens of `text` at most, for common tokenizers; 0 for an empty text."""
    total = 0.0
    for match in _PIECE.finditer(text):
        total += _weight(match.lastgroup or "other", length=match.end() - match.start())
    return math.ceil(total)


def estimate_prompt_tokens(prompt: Prompt) -> int:
    """Tokens of a whole prompt, with what the turns themselves cost."""
    texts = [prompt.system, *(turn.content for turn in prompt.messages)]
    return sum(estimate_tokens(text) + _TURN_TOKENS for text in texts)


def _weight(kind: str, *, length: int) -> float:
    if kind == "han":
        return length * _HAN_TOKENS
    if kind == "latin":
        return -(-length // _LETTERS_PER_TOKEN)
    if kind == "digits":
        return -(-length // _DIGITS_PER_TOKEN)
    return _ASTRAL_TOKENS if kind == "astral" else 1


class Calibration:
    """Learns the ratio of real to estimated prompt tokens of one model.

    The factor is a running mean plus twice the mean deviation (as in TCP's retransmission timer),
    so that few prompts exceed it. It starts at 1 and stays within [0.4, 4].
    """

    SMALLEST, LARGEST = 0.4, 4.0
    _MEAN_GAIN, _DEVIATION_GAIN = 0.125, 0.25
    _MIN_SAMPLES = 8

    def __init__(self) -> None:
        self._mean = 1.0
        self._deviation = 0.0
        self._samples = 0

    @property
    def factor(self) -> float:
        """What to multiply an estimate with."""
        factor = self._mean + 2 * self._deviation
        if self._samples < self._MIN_SAMPLES:
            factor = max(1.0, factor)
        return min(self.LARGEST, max(self.SMALLEST, factor))

    def apply(self, estimated_tokens: int) -> int:
        """The estimate, corrected by what was learnt."""
        return math.ceil(estimated_tokens * self.factor)

    def learn(self, *, estimated_tokens: int, real_tokens: int) -> None:
        """Take one returned usage into account; a figure of zero says nothing."""
        if estimated_tokens <= 0 or real_tokens <= 0:
            return
        ratio = min(self.LARGEST, max(self.SMALLEST, real_tokens / estimated_tokens))
        if self._samples == 0:
            self._mean, self._deviation = ratio, ratio / 4
        else:
            error = ratio - self._mean
            self._mean += self._MEAN_GAIN * error
            self._deviation += self._DEVIATION_GAIN * (abs(error) - self._deviation)
        self._samples += 1
