"""Stored answers as files: what is written is read back, and a bad line is told with its number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.cache_rows import CSV, JSONL, BadFile, BadLine, StoredRow, kind_of, read, written

ROW = StoredRow(
    site="default",
    language="en",
    wordings=("Which courier?", "=HYPERLINK(1)"),
    answer="- **SF**\n- ZTO, “fast”",
    sources=(("shipping-couriers", "en", 3),),
    pinned=True,
    prompt_version="v1",
    origin="model",
    model="m, (Vendor)",
    tier="FAQ",
    expires_at="2026-12-01T00:00:00+00:00",
)
WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


@pytest.mark.parametrize("kind", [CSV, JSONL])
@given(answer=WORDS, wordings=st.lists(WORDS, min_size=1, max_size=3))
def test_what_is_written_is_read_back(kind: str, answer: str, wordings: list[str]) -> None:
    """Any words survive both formats, formulas and quotes included."""
    rows = [ROW, replace(ROW, answer=answer, wordings=tuple(wordings), sources=())]
    text = "".join(written(rows, kind=kind))

    assert [row for _, row in read(text, kind=kind)] == rows


def test_no_cell_is_a_formula() -> None:
    """What a shopper wrote is no formula when staff open the file in a spreadsheet."""
    text = "".join(written([replace(ROW, wordings=("=1+1",), answer="@SUM(1)")], kind=CSV))

    assert "'=1+1" in text and "'@SUM(1)" in text


def test_only_the_needed_columns_need_be_there() -> None:
    """A file that somebody typed: four columns, the rest has its usual value."""
    text = "site,language,wordings,answer\r\ndefault,en,Which courier?,By SF.\r\n"
    [(number, row)] = read(text, kind=CSV)

    assert number == 2
    assert row == StoredRow("default", "en", ("Which courier?",), "By SF.")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ('{"site": "default", "language": "en", "wordings": [" "], "answer": "x"}', "wordings"),
        ('{"site": "default", "language": "en", "wordings": "a", "answer": "x"}', "a list"),
        ('{"site": "default", "language": "en", "wordings": [1], "answer": "x"}', "a list"),
        ('{"site": 1, "language": "en", "wordings": ["a"], "answer": "x"}', "site must be text"),
        (
            '{"site":"d","language":"en","wordings":["a"],"answer":"x","sources":["k"]}',
            "key locale version",
        ),
        (
            '{"site":"d","language":"en","wordings":["a"],"answer":"x","sources":[["k","en","x"]]}',
            "must be a number",
        ),
        (
            '{"site":"d","language":"en","wordings":["a"],"answer":"x","pinned":"maybe"}',
            "true or false",
        ),
    ],
)
def test_bad_line_is_told_with_its_number(line: str, reason: str) -> None:
    """The lines before and after it are read all the same."""
    good = "".join(written([ROW], kind=JSONL))
    found = list(read(f"{good}\n{line}\n{good}", kind=JSONL))
    problem = found[1][1]

    assert [number for number, _ in found] == [1, 3, 4]
    assert isinstance(problem, BadLine) and reason in str(problem)
    assert found[2][1] == ROW


def test_line_numbers_count_lines_inside_cells() -> None:
    """A row over several lines is named by its first, as an editor shows it."""
    text = "".join(written([ROW, ROW], kind=CSV))

    assert [number for number, _ in read(text, kind=CSV)] == [2, 5]


@pytest.mark.parametrize(
    "attempt",
    [lambda: kind_of("answers.xlsx"), lambda: list(read("a,b\n1,2\n", kind=CSV))],
    ids=["ending", "columns"],
)
def test_file_of_another_kind_is_refused(attempt: object) -> None:
    """Neither the ending nor the columns are guessed."""
    with pytest.raises(BadFile):
        attempt()  # type: ignore[operator]
