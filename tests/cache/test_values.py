"""Values: each kind reads one thing the same in all its spellings, and takes no other kind's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.values import values_in


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("identifiers", "call 400-820-0123", "call 4008200123"),
        ("identifiers", "order HL20261103007", "order 20261103007"),
        ("identifiers", "tracking ZT 1122 3344 55", "tracking ZT1122334455"),
        ("identifiers", "手机号138-0000-3344", "手机号13800003344"),
        ("identifiers", "发给Zhou@mail.example吧", "send it to zhou@mail.example"),
        ("money", "¥99", "99 yuan"),
        ("money", "两百元", "200块"),
        ("money", "满300减50", "满三百减五十"),
        ("money", "1.5万元", "¥15,000"),
        ("sizes", "M码", "a medium"),
        ("sizes", "XXL", "2XL"),
        ("sizes", "an extra-large", "加大码"),
        ("sizes", "38码", "EU 38"),
        ("sizes", "25 cm", "250毫米"),
        ("sizes", "half a kilo", "0.5 kg"),
        ("sizes", "one kg", "1000 g"),
        ("sizes", "1.62 m", "162 cm"),
        ("sizes", "100斤", "50 kg"),
        ("dates", "双十一", "Nov 11"),
        ("dates", "11.11", "November 11th"),
        ("dates", "十月二十号", "10月20日"),
        ("dates", "2026-11-02", "2 Nov 2026"),
        ("dates", "周一到周五", "weekdays"),
        ("dates", "周末", "Saturday and Sunday"),
        ("dates", "国庆节", "National Day"),
        ("dates", "平安夜", "Christmas Eve"),
        ("dates", "6月3日到18日", "6.3-6.18"),
        ("dates", "Nov 20 - 27", "11月20号至27号"),
        ("numbers", "两天", "2 days"),
        ("numbers", "一周", "7 days"),
        ("numbers", "a fortnight", "two weeks"),
        ("numbers", "the first month", "within a month"),
        ("numbers", "one thousand points", "1000 points"),
        ("numbers", "within an hour", "60 minutes"),
        ("numbers", "20k mAh", "20000 mAh"),
        ("numbers", "晚上8点", "20:00"),
    ],
)
def test_spellings_of_one_value(kind: str, left: str, right: str) -> None:
    """Both spellings state the same non-empty set of that kind."""
    assert getattr(values_in(left), kind) == getattr(values_in(right), kind) != frozenset()


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("identifiers", "HL20261101887", "HL20261101878"),
        ("money", "$50", "¥50"),
        ("sizes", "UK 6", "EU 36"),
        ("dates", "下周一", "下周三"),
        ("dates", "in the morning", "at night"),
        ("numbers", "2 of 2 items", "2 of 3 items"),
        ("numbers", "use it once", "use it twice"),
        ("numbers", "第一次", "第二次"),
        ("numbers", "three shirts in one box", "one shirt in one box"),
        ("numbers", "the first week", "the second week"),
        ("dates", "Christmas Eve", "Christmas"),
        ("dates", "除夕", "New Year's Eve"),
    ],
)
def test_different_values_stay_apart(kind: str, left: str, right: str) -> None:
    """Two values of a kind that differ are read as different."""
    assert getattr(values_in(left), kind) != getattr(values_in(right), kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("identifiers", "a 10000 mAh power bank for ¥12000"),
        ("identifiers", "paid on 2026-11-02"),
        ("money", "快一点块递"),
        ("sizes", "what s the price, it's 20 L"),
        ("dates", "may I ask, 24/7, a sun hat"),
        ("dates", "good morning"),
        ("dates", "a 3.5-4.5 kg cat on a 2.5-6.5 inch heel"),
        ("numbers", "the blue one once it has shipped"),
    ],
)
def test_what_only_looks_like_a_value(kind: str, text: str) -> None:
    """Words and amounts that resemble a kind are not read as it."""
    assert getattr(values_in(text), kind) == frozenset()


@given(st.text(max_size=120))
def test_any_text_can_be_read(text: str) -> None:
    """Reading never raises, and reading again gives the same."""
    assert values_in(text) == values_in(text)
