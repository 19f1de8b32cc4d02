"""Marks in an answer: stripped wherever the stream is cut, and noted."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatbot.markers import MarkFilter, strip_marks

PIECES = st.sampled_from(
    ["[", "]", "[[", "]]", "[[a]]", "[[none]]", "[[ b-1 ]]", " ", "\t", "\n", "a", "退货", "-", "."]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


def told(chunks: list[str]) -> tuple[str, set[str], bool]:
    """What is shown, cited and declined when a text comes in these chunks."""
    marks = MarkFilter()
    shown = "".join([marks.feed(chunk) for chunk in chunks] + [marks.flush()])
    return shown, marks.cited, marks.declined


def split(text: str, cuts: list[int]) -> list[str]:
    """The text cut at these places."""
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    return [text[a:b] for a, b in itertools.pairwise(places)] or [""]


@settings(max_examples=500)
@given(TEXTS, st.lists(st.integers(0, 40), max_size=12))
@example("[[a[[b]]]]", [8])
@example("x \n[[a]]\n", [2, 3, 8])
def test_any_split_gives_the_same(text: str, cuts: list[int]) -> None:
    """Where the network cuts the stream never shows."""
    assert told(split(text, cuts)) == told([text]) == told(list(text))


@given(TEXTS)
def test_no_mark_is_shown(text: str) -> None:
    """Nothing that was a mark in the text reaches the shopper; the rest does, in order."""
    shown = told([text])[0].rstrip()
    assert shown == re.sub(r"[ \t]*\[\[\s*[a-z0-9][a-z0-9_-]*\s*\]\]", "", text).rstrip()


@given(st.text(st.characters(exclude_characters="[]")))
def test_text_without_brackets_stays(text: str) -> None:
    """Ordinary text is shown as it is, but for blanks at its end."""
    assert told(list(text))[0].rstrip() == text.rstrip()


@pytest.mark.parametrize(
    ("text", "shown", "cited", "declined"),
    [
        ("We ship. [[shipping-couriers]]", "We ship.", {"shipping-couriers"}, False),
        ("A [[x]] B [[y]]\n\nC [[x]]", "A B\n\nC", {"x", "y"}, False),
        ("[[none]] Sorry.", "Sorry.", set(), True),
        ("[[None]]", "", set(), True),
        ("[[ Returns-Policy ]]", "", {"returns-policy"}, False),
        ("一段。[[a]]二段。", "一段。二段。", {"a"}, False),
        ("see [1] and [[2]]", "see [1] and", {"2"}, False),
        ("[link](https://x.example)", "[link](https://x.example)", set(), False),
        ("a [[not closed", "a [[not closed", set(), False),
        ("[[two words]]", "[[two words]]", set(), False),
        ("[[" + "x" * 81 + "]]", "[[" + "x" * 81 + "]]", set(), False),
        ("[[]]", "[[]]", set(), False),
    ],
    ids=[
        "one",
        "several",
        "none",
        "none-in-capitals",
        "spaced",
        "chinese",
        "footnote",
        "link",
        "open",
        "blank-inside",
        "too-long",
        "empty",
    ],
)
def test_marks(text: str, shown: str, cited: set[str], *, declined: bool) -> None:
    """What counts as a mark, what it leaves behind, and what it says."""
    assert strip_marks(text) == (shown, frozenset(cited), declined)


def test_possible_mark_is_held_back() -> None:
    """The start of a mark is not shown until it is clear that it is none."""
    marks = MarkFilter()
    shown = [marks.feed(chunk) for chunk in ("Yes. ", "[", "[ship", "ping]", "] More", " [x", "]")]
    assert shown == ["Yes.", "", "", "", " More", " [x", "]"]
    assert marks.cited == {"shipping"}


def test_held_text_comes_out_at_the_end() -> None:
    """A stream that ends inside brackets loses nothing."""
    marks = MarkFilter()
    assert marks.feed("price [[in yuan") + marks.flush() == "price [[in yuan"
    assert marks.flush() == ""
