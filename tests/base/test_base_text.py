"""Script, language, words and n-grams of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.text import (
    char_ngrams,
    fold,
    han_count,
    has_control_characters,
    language_of,
    latin_word_count,
    tokens,
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Which courier do you use?", "en"),
        ("用什么快递？", "zh-hans"),
        ("iPhone 保护壳多少钱", "zh-hans"),
        ("What does 包邮 mean for my shopping cart", "en"),
        ("SF快递 ok吗", "zh-hans"),
        ("Où est l'entrepôt", "en"),
        ("𠀀𠀁𠀂", "zh-hans"),
    ],
    ids=["english", "chinese", "mostly-han", "mostly-latin", "mixed", "accents", "rare-han"],
)
def test_language_by_script(text: str, language: str) -> None:
    """One Han character weighs as much as one Latin word."""
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "12345", "😀😀", "???", "Где заказ"])
def test_neither_script_gives_the_default(text: str) -> None:
    """Digits, signs and other scripts decide nothing."""
    assert (language_of(text), language_of(text, default="zh-hans")) == ("en", "zh-hans")


def test_counts() -> None:
    """A word with an apostrophe is one word; full-width letters are none before folding."""
    assert latin_word_count("I can't log in") == 4
    assert han_count("退货 flow 流程") == 4


def test_tokens_are_folded_in_order() -> None:
    """Words, numbers and runs of Han characters come in the order of the text."""
    found = list(tokens("ＳＦ Express 3.5kg 要1,000元吗？don't"))
    assert found == ["sf", "express", "3.5", "kg", "要", "1,000", "元吗", "don't"]


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    """No text makes these functions fail, and tokens never hold upper case or blanks."""
    found = list(tokens(text))
    assert language_of(text) in ("en", "zh-hans")
    assert all(token == token.casefold() and token.strip() == token != "" for token in found)


@given(st.text(alphabet="abc退货", max_size=20), st.integers(1, 4))
def test_ngram_count(run: str, largest: int) -> None:
    """A run of n characters has n + 1 - k grams of k characters, in order."""
    grams = list(char_ngrams(run, largest=largest))
    assert len(grams) == sum(max(0, len(run) + 1 - size) for size in range(1, largest + 1))
    assert "".join(grams[: len(run)]) == run


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain\ttext\r\nwith lines", False),
        ("nul\x00", True),
        ("escape\x1b[31m", True),
        ("c1\x85", True),
        ("zero\u200bwidth", False),
    ],
    ids=["blanks-allowed", "nul", "escape", "c1", "zero-width"],
)
def test_control_characters(text: str, *, found: bool) -> None:
    """Everything of category Cc counts, but for tab and line ends."""
    assert has_control_characters(text) is found


def test_full_width_and_case_become_one() -> None:
    """`ＷＩＦＩ` and `wifi` are the same word."""
    assert fold("ＷｉＦｉ") == fold("WIFI") == "wifi"
