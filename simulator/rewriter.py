"""Plays an obedient model that is asked to make a follow-up standalone.

The request is known by its shape: rules that speak of a standalone question, then the earlier turns and the
follow-up between marks. The rewritten question is put together from the words of both, so it states
nothing new; the same request gives the same text.
"""

from __future__ import annotations

import re

from simulator.counting import has_han

_SHAPE = re.compile(
    r"\s*<earlier>\n(?P<earlier>.*)\n</earlier>\s*<follow-up>\n(?P<follow_up>.*)\n</follow-up>\s*",
    re.DOTALL,
)
_SHOPPER = re.compile(r"^Shopper: (.+)$", re.MULTILINE)
_ENDS = " \t?!.。？！"
_LEAD = re.compile(
    r"^(?:(?:and|ok|okay|so|but|then|also|well)\b[ ,]*)*(?:(?:what|how) about\b ?)?", re.IGNORECASE
)
_JOINS = re.compile(
    r"(?:for|in|to|with|on|at|from|by|without|within|during|outside|after|before|over|under|if|when)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:how|what|when|where|which|who|why|can|could|do|does|is|are|will|would)\b", re.IGNORECASE
)
_LEAD_HAN = re.compile(r"^(?:那么|那|还有|然后|另外|如果是|要是)?[，, ]*")
_END_HAN = re.compile(r"(?:呢|吗)$")
_ASKS_HAN = re.compile(r"(?:多久|多少|怎么|什么|几|可以|能|要|有没有|是不是|哪)")
_CANNOT = "[[none]]"


def rewrite(question: str, *, system: str) -> str | None:
    """The standalone question, `[[none]]` if there is none; None when that is not what is asked for."""
    shape = _SHAPE.fullmatch(question)
    if shape is None or "standalone question" not in system:
        return None
    earlier = [text.strip(_ENDS) for text in _SHOPPER.findall(shape["earlier"])]
    follow_up = shape["follow_up"].strip(_ENDS)
    joined = _han(earlier, follow_up) if has_han(follow_up) else _latin(earlier, follow_up)
    return joined or _CANNOT


def _latin(earlier: list[str], follow_up: str) -> str:
    """The newest question that stands alone, with what the follow-up changes about it."""
    rest = _LEAD.sub("", follow_up).strip()
    whole = next((text for text in reversed(earlier) if _LEAD.sub("", text) == text), "")
    if not rest or not whole:
        return ""
    if _ASKS.match(rest):
        return f"{whole}, and {rest[0].lower()}{rest[1:]}?"
    return f"{whole} {rest}?" if _JOINS.match(rest) else f"{whole} for {rest}?"


def _han(earlier: list[str], follow_up: str) -> str:
    rest = _END_HAN.sub("", _LEAD_HAN.sub("", follow_up)).strip()
    whole = next((text for text in reversed(earlier) if not text.startswith(("那", "还有"))), "")
    if not rest or not whole:
        return ""
    return f"{whole}，{rest}？" if _ASKS_HAN.match(rest) else f"{rest}{whole}？"
