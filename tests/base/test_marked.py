"""Markdown of stored answers as safe HTML."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.marked import marked, plain

_TAG = re.compile(r"</?(?:p|strong|ul|ol|li)>|<br>")
_PIECES = st.sampled_from(
    [
        "**",
        "*",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "## ",
        "<script>",
        "</p>",
        "&amp;",
        "\"'",
        "a b",
        "退货",
        " ",
    ]
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Use **My orders**.", "<p>Use <strong>My orders</strong>.</p>"),
        ("One\ntwo\n\nthree", "<p>One<br>two</p><p>three</p>"),
        (
            "Then:\n- **in** the box\n- by post\n1. first\n2) second",
            "<p>Then:</p><ul><li><strong>in</strong> the box</li><li>by post</li></ul>"
            "<ol><li>first</li><li>second</li></ol>",
        ),
        (
            "## Returns\n<b>30</b> days",
            "<p><strong>Returns</strong></p><p>&lt;b&gt;30&lt;/b&gt; days</p>",
        ),
        ("2 ** 3 ** 4, *not* bold", "<p>2 ** 3 ** 4, *not* bold</p>"),
        ("-5 degrees, [site](javascript:x)", "<p>-5 degrees, [site](javascript:x)</p>"),
        ("", ""),
    ],
)
def test_bold_lists_and_headings_are_shown(text: str, html: str) -> None:
    """Each as a tag; anything else stays the text that it was."""
    assert marked(text) == html


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join)))
def test_no_text_makes_a_tag_of_its_own(text: str) -> None:
    """Without our few bare tags nothing is left that a browser would read as markup."""
    rest = _TAG.sub("", marked(text))

    assert not set(rest) & set("<>\"'")
    assert "&" not in re.sub(r"&(?:amp|lt|gt|quot|#x27);", "", rest)


def test_a_line_shows_bold_without_its_asterisks() -> None:
    """And leaves other asterisks alone."""
    assert plain("Open **My orders**, 2 ** 3") == "Open My orders, 2 ** 3"


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join)))
def test_no_word_is_lost_or_added(text: str) -> None:
    """What is shown holds the letters of the text in their order."""
    shown = unescape(_TAG.sub("\n", marked(text)))

    assert re.sub(r"[\W\d_]", "", shown) == re.sub(r"[\W\d_]", "", text)


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join)))
def test_every_tag_is_closed_where_it_was_opened(text: str) -> None:
    """So that one answer never changes how the rest of a page looks."""
    open_tags: list[str] = []
    for tag in _TAG.findall(marked(text)):
        if tag == "<br>":
            continue
        if tag.startswith("</"):
            assert open_tags.pop() == tag.replace("/", "")
        else:
            open_tags.append(tag)

    assert open_tags == []
