"""Figures: one amount reads the same in every spelling, and ordinary words hold none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.figures import chinese_number, figures_in, fold_figures


def values(text: str) -> list[str]:
    return [f"{figure.value:f}" for figure in figures_in(text)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("2-4 days", "two to four days", id="range in words"),
        pytest.param("1–3个工作日", "一到三个工作日", id="range in Chinese"),
        pytest.param("9:00-24:00", "9 am to 24:00", id="opening hours"),
        pytest.param("20:00", "8 pm", id="afternoon"),
        pytest.param("20:00", "晚上8点", id="evening in Chinese"),
        pytest.param("24点", "晚上十二点", id="midnight in Chinese"),
        pytest.param("400-820-0123", "400 820 0123", id="phone with spaces"),
        pytest.param("400-820-0123", "4008200123", id="phone in one run"),
        pytest.param("¥1,000", "1000 yuan", id="thousands separator"),
        pytest.param("¥1,000", "一千元", id="Chinese numeral of money"),
        pytest.param("30 %", "百分之三十", id="percent"),
        pytest.param("Nov 11", "11 November", id="month and day turned"),
        pytest.param("Nov 11", "11月11日", id="date in Chinese"),
        pytest.param("满300减50", "满三百减五十", id="discount"),
        pytest.param("三天", "3天", id="counted days"),
        pytest.param("10,000 mAh", "1万毫安", id="ten thousand"),
        pytest.param("20,000 mAh", "20k mAh", id="kilo"),
        pytest.param("one free exchange", "1 free exchange", id="counted one"),
        pytest.param("half an hour", "30 minutes", id="half an hour"),
        pytest.param("半小时", "30分钟", id="half an hour in Chinese"),
        pytest.param("one hundred and twenty", "120", id="hundreds in words"),
        pytest.param("two thousand five hundred", "2,500", id="thousands in words"),
        pytest.param("满３００减５０", "满300减50", id="full width"),
        pytest.param("两千克", "2 kg", id="kilograms are no thousand"),
        pytest.param("1，000元", "1000元", id="full-width separator"),
    ],
)
def test_one_amount_reads_the_same_in_every_spelling(left: str, right: str) -> None:
    """Two spellings of one amount have the same figures in the same order."""
    assert values(left) == values(right) != []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1. Open My orders\n2. Choose\n3) Send", id="list numbers"),
        pytest.param("1、打开\n2、选择\n（3）提交", id="Chinese list numbers"),
        pytest.param("**1.** Open\n- 2. Choose", id="markdown list numbers"),
        pytest.param("①打开②选择", id="circled numbers"),
        pytest.param("Step 1: open\n第2步 选择", id="steps"),
        pytest.param("the blue one, one of them", id="pronoun one"),
        pytest.param("十分抱歉，万一丢件，千万不要", id="numerals inside words"),
        pytest.param("周五天气", id="weekday"),
        pytest.param("一个，一下，再试一次", id="indefinite one"),
    ],
)
def test_ordinary_words_hold_no_figure(text: str) -> None:
    """List marks, pronouns and numerals inside words are no figures."""
    assert values(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1.5 kg\n30 days", ["1.5", "30"], id="figures at line starts"),
        pytest.param("100，200，500元", ["100", "200", "500"], id="clauses in full width"),
        pytest.param("两三天", ["2", "3"], id="approximate count"),
        pytest.param("7-10 days", ["7", "10"], id="range"),
        pytest.param("Dec 11", ["12", "11"], id="month beside its day"),
        pytest.param("十分钟", ["10"], id="ten minutes"),
        pytest.param("50-57 kg", ["50", "57"], id="weights are no phone number"),
        pytest.param("the 11.11 sale", ["11"], id="name of the sale day"),
        pytest.param("9:30", ["9.5"], id="minutes as a fraction"),
    ],
)
def test_figures_of_a_text(text: str, expected: list[str]) -> None:
    """Ranges, lists, dates and times give the figures that a reader sees."""
    assert values(text) == expected


@given(st.integers(min_value=0, max_value=99_999_999))
def test_a_number_with_separators_is_the_plain_number(number: int) -> None:
    """Thousands separators never change a figure."""
    assert values(f"about {number:,} pieces") == values(f"about {number} pieces") == [str(number)]


@given(st.text(max_size=80))
def test_every_figure_is_where_it_says(text: str) -> None:
    """Each figure's span in the folded text is what was written, and nothing raises."""
    folded = fold_figures(text)
    assert all(folded[figure.start : figure.end] == figure.written for figure in figures_in(text))


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("三百", 300),
        ("三百五", 350),
        ("三百零五", 305),
        ("一万二千", 12_000),
        ("一万二", 12_000),
        ("十五", 15),
        ("二〇二六", 2026),
    ],
)
def test_chinese_numerals(numeral: str, value: int) -> None:
    """Chinese numerals have their spoken value."""
    assert chinese_number(numeral) == value


def test_what_is_no_numeral_has_no_value() -> None:
    """A character that is no numeral makes the whole none."""
    assert chinese_number("三只") is None


def test_values_are_exact_decimals() -> None:
    """Figures are decimals, so 99.50 and 99.5 are one value."""
    assert [figure.value for figure in figures_in("¥99.50")] == [Decimal("99.5")]
