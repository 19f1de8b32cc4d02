"""docs/errors.md says what the code does."""

from __future__ import annotations

import re

import pytest

from routing.errors import Kind
from routing.vendors.classify import VERDICTS, ErrorFields, verdict_of
from tests.docs_pages import read, rows, section

PAGE = read("docs/errors.md")


def _cell(*, said: bool) -> str:
    return "yes" if said else "no"


@pytest.mark.parametrize("kind", Kind)
def test_the_table_is_the_code_s(kind: Kind) -> None:
    """Each kind has its row, and each cell is what the verdict allows."""
    verdict = VERDICTS[kind]
    onward = "once" if verdict.fall_back_once else "wider" if verdict.wider_only else "yes"
    assert rows(section(PAGE, "The table"))[kind.value][1:] == [
        _cell(said=verdict.retry_same),
        onward if verdict.fall_back else "no",
        _cell(said=verdict.breaker_failure),
        _cell(said=verdict.park),
        _cell(said=verdict.maybe_billed),
        _cell(said=verdict.alert),
    ]


def test_the_table_has_no_other_row() -> None:
    """No row stands for a kind that is gone."""
    assert set(rows(section(PAGE, "The table"))) == {kind.value for kind in Kind}


def _statuses() -> list[tuple[int, str]]:
    found = re.findall(r"^\| ([\d, ]+) \| `(\w+)`", PAGE, re.M)
    return [(int(status), kind) for names, kind in found for status in names.split(", ")]


@pytest.mark.parametrize(("status", "kind"), _statuses())
def test_a_status_means_what_the_page_says(status: int, kind: str) -> None:
    """A bare status, without any body, is of the kind that its row names first."""
    assert verdict_of(status, ErrorFields()).kind.value == kind


def test_every_usual_status_is_on_the_page() -> None:
    """The page explains what vendors are known to send."""
    usual = {204, 301, 302, 307, 308, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 431}
    usual |= {451, 499, 500, 502, 503, 504, 529}
    assert {status for status, _ in _statuses()} == usual
