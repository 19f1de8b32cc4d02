"""Sums of money in a text as canonical digits; foreign currencies carry their name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from base.figures import chinese_number
from cache.spans import Spans, plain_number

_ARABIC = r"\d+(?:,\d{3})*(?:\.\d+)?\s?(?:[k千万](?![a-z]))?"
_HAN = r"[零〇一二两三四五六七八九十百千万]+"
# 块 is also "piece" and stands in 快一点; what follows it tells (50块钱, but 一块退).
_YUAN = r"(?:元|块(?:钱)?(?!退|送|发|买|寄)|yuan|rmb|cny|kuai)"
_MONEY = re.compile(
    rf"(?P<sign>[¥$€£])\s?(?P<signed>{_ARABIC})|(?:rmb|cny|人民币)\s?(?P<named>{_ARABIC})"
    rf"|(?P<yuan>{_ARABIC}|{_HAN})\s?{_YUAN}|(?P<dollars>{_ARABIC})\s?(?:dollars?|usd|美元)"
    # Discounts: 满300减50, 立减50, "50 off"; the shop never counts anything else this way.
    rf"|(?:满|减|赔|券)\s?(?P<deal>{_ARABIC}|{_HAN})(?!\s?[天件岁次张%])"
    rf"|(?P<off>{_ARABIC})[ -]?off(?!\w)",
    re.IGNORECASE,
)
_TRIGGER = re.compile(r"[¥$€£元块满减赔券]|yuan|rmb|cny|kuai|dollar|usd|off", re.IGNORECASE)
_CURRENCIES = {"$": " usd", "€": " eur", "£": " gbp"}
_SCALES = {"k": 1_000, "千": 1_000, "万": 10_000}


def money_in(spans: Spans) -> frozenset[str]:
    """Take the sums of money of a text."""
    if _TRIGGER.search(spans.text) is None:
        return frozenset()
    return frozenset(spans.take(_MONEY, _money))


def _money(match: re.Match[str]) -> Iterable[str]:
    if match["dollars"]:
        return (_amount(match["dollars"]) + " usd",)
    if match["signed"]:
        return (_amount(match["signed"]) + _CURRENCIES.get(match["sign"], ""),)
    written = match["named"] or match["yuan"] or match["deal"] or match["off"]
    if written == "一" and not match.group().endswith(("元", "钱")):
        return ()  # 一块 is "together" or "a piece"
    return (_amount(written),)


def _amount(written: str) -> str:
    """1.5万, 2k, 3,000 or 三千五 as plain digits; a numeral that is none stays as written."""
    text = written.strip().casefold()
    if not text[0].isdigit():
        value = chinese_number(text)
        return text if value is None else str(value)
    if text[-1] in _SCALES:
        scaled = Decimal(text[:-1].strip().replace(",", "")) * _SCALES[text[-1]]
        return plain_number(f"{scaled:f}")
    return plain_number(text)
