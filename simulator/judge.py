"""Plays an obedient model that is asked whether two answers say the same.

The request is known by its shape: rules that offer SAME and DIFFERENT, then two questions and answers between
marks. Two answers are the same when they state the same figures and share most of the shorter one's words.
"""

from __future__ import annotations

import re
from itertools import pairwise

from simulator.counting import has_han

_ANSWER = re.compile(r"<answer-([ab])>\n(.*?)\n</answer-\1>", re.DOTALL)
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SHARED_FROM = 0.6


def judge(question: str, *, system: str) -> str | None:
    """SAME or DIFFERENT; None when that is not what is asked for."""
    answers = dict(_ANSWER.findall(question))
    if len(answers) != 2 or "SAME" not in system or "DIFFERENT" not in system:
        return None
    left, right = answers["a"], answers["b"]
    if set(_FIGURE.findall(left)) != set(_FIGURE.findall(right)):
        return "DIFFERENT"
    one, other = _units(left), _units(right)
    shared = len(one & other) / max(1, min(len(one), len(other)))
    return "SAME" if shared >= _SHARED_FROM else "DIFFERENT"


def _units(text: str) -> set[str]:
    """Words, and pairs of Han characters."""
    units = {word.casefold() for word in _WORD.findall(text)}
    if has_han(text):
        han = _HAN.findall(text)
        units |= {first + second for first, second in pairwise(han)}
    return units
