"""Identifiers in a text: e-mail addresses, telephone, order, tracking, tax and card numbers. Pure.

Spaces and hyphens inside a number, letter case and a country code do not matter: 400 820 0123 is
400-820-0123. Amounts that merely have many digits (10000 mAh, ¥12000, 20000) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cache.spans import Spans

_EMAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Digits in three or more groups, or an area code and a number; not dates such as 2026-11-02.
_GROUPED = re.compile(
    r"(?<![\d.,])(?:\d{3,5}(?:[ -]\d{3,5})+[ -]\d{2,5}|0\d{2,3}[ -]\d{7,8})(?![\d.,-])"
)
_COUNTRY_CODE = re.compile(r"\+\s?86[ -]?(?=1\d)")
_CARRIER_PREFIX = re.compile(r"(?<![A-Za-z])[A-Z]{2}\s(?=\d{8,}(?!\d))")
_NO_CODE = (
    r"(?!(?:rmb|cny|usd|eur?|size|double|singles?"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-?\d)"
)
_IDENTIFIER = re.compile(
    rf"(?<![a-z0-9]){_NO_CODE}(?:"
    r"(?=[a-z0-9-]*\d[a-z0-9-]*\d[a-z0-9-]*\d)[a-z]{1,4}-?\d[a-z0-9-]{2,}"  # HL20261103, K-20815
    r"|\d{5,}[a-z0-9]*"  # 66001, 91310000MA1K35
    r"|[a-z]{3,}\d{2,}"  # SAVE20
    r"|\#\s?\d{3,})(?![a-z0-9])",
    re.IGNORECASE,
)
_AMOUNT_AFTER = re.compile(
    r"\s*(?:m?ah|毫安|ml|毫升|元|块|yuan|rmb|cny|points?|积分|days?|天|mm|km|w)(?![a-z])",
    re.IGNORECASE,
)
_ROUND = re.compile(r"\d{1,3}000")
_OWN_PREFIX = re.compile(r"[a-z]+(?=\d{8,}$)")


def identifiers_in(spans: Spans) -> frozenset[str]:
    """Take the identifiers of a text, each folded and without separators."""
    text = spans.text
    emails: set[str] = set()
    if "@" in text:
        emails = spans.take(_EMAIL, lambda match: (match.group().casefold(),))
    spans.text = _COUNTRY_CODE.sub("", spans.text)
    spans.text = _GROUPED.sub(lambda match: re.sub(r"[ -]", "", match.group()), spans.text)
    spans.text = _CARRIER_PREFIX.sub(lambda match: match.group().strip(), spans.text)
    return frozenset(emails | spans.take(_IDENTIFIER, _identifier))


def _identifier(match: re.Match[str]) -> Iterable[str]:
    written = match.group()
    before = match.string[max(0, match.start() - 1) : match.start()]
    if before in tuple("¥$€£") or _AMOUNT_AFTER.match(match.string, match.end()):
        return ()
    if _ROUND.fullmatch(written):
        return ()
    # HL20261103007 is also written without its letters.
    return (_OWN_PREFIX.sub("", re.sub(r"[\s#-]", "", written).casefold()),)
