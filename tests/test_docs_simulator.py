"""The simulator's page lists exactly the faults, options and fields that the code has."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.fault_catalog import (
    BAD_REQUEST_KINDS,
    BODIES,
    CONNECTION,
    KINDS_OF_FAULTS,
    LIMIT,
    RATE_KINDS,
    REFUSAL_OPTIONS,
    REFUSE,
    SPECS,
    WAIT_FORMS,
    FaultSpec,
)
from simulator.faults import ORDER_FIELDS
from tests.docs_pages import read, rows, section

PAGE = "docs/simulator.md"
SECTIONS = {
    REFUSE: "Faults instead of an answer",
    "answer": "Faults of what is said",
    "wire": "Faults of how it is sent",
    LIMIT: "Faults of limits and connections",
    CONNECTION: "Faults of limits and connections",
}


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cells(spec: FaultSpec) -> list[str]:
    """The row of a fault: options of its own with their defaults, and what it does."""
    shared = REFUSAL_OPTIONS if spec.kind == REFUSE else {}
    own = {k: v for k, v in spec.options.items() if k not in shared or shared[k] != v}
    options = ", ".join(f"`{name}` {_default(value)}" for name, value in own.items())
    return [options, spec.does[0].upper() + spec.does[1:]]


@pytest.mark.parametrize("title", sorted(set(SECTIONS.values())))
def test_faults_are_described(title: str) -> None:
    """Each section has one row per fault of its kind, with options and defaults, and no other."""
    kinds = {kind for kind, name in SECTIONS.items() if name == title}
    shown = rows(section(read(PAGE), title))
    expected = {spec.name: _cells(spec) for spec in SPECS.values() if spec.kind in kinds}

    assert {name: cells for name, cells in shown.items() if name in SPECS} == expected
    assert set(shown) - set(SPECS) <= set(REFUSAL_OPTIONS)


def test_every_kind_has_its_section() -> None:
    """No kind of fault is left without a place on the page."""
    assert set(SECTIONS) == set(KINDS_OF_FAULTS)


def test_options_of_error_answers_are_described() -> None:
    """The options that every error answer takes have a row each, with all their values."""
    text = section(read(PAGE), "Faults instead of an answer")
    table = rows(text)

    assert set(REFUSAL_OPTIONS) <= set(table)
    named = {option: set(re.findall(r"`([a-z_]+)`", table[option][0])) for option in table}
    assert set(WAIT_FORMS) <= named["wait_form"] and set(BODIES) == named["body"]
    assert all(f"`{kind}`" in text for kind in (*RATE_KINDS, *BAD_REQUEST_KINDS))


def test_fields_of_an_order_are_described() -> None:
    """The table of orders has every field that an order takes and no other."""
    assert set(rows(section(read(PAGE), "Orders"))) == set(ORDER_FIELDS)
