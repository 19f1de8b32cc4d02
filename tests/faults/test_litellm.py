"""The client understands a LiteLLM proxy.

The suite plays the proxy's recorded answers, in CI as well: installing the proxy takes minutes and
three quarters of a gigabyte. `python -m benchmarks.faults litellm` asks a running one.
"""

from __future__ import annotations

import json

from benchmarks.faults.litellm import RECORDS, run
from benchmarks.faults.litellm_cases import CASES
from benchmarks.faults.scenarios import Scale


def test_every_recorded_answer_is_understood() -> None:
    """Answers in three protocols, refusals, timeouts and errors in the middle: each is what it should be."""
    assert [row for row in run(Scale.SHORT) if not row.reached] == []


def test_every_case_was_recorded() -> None:
    """The records hold the cases and nothing else; record anew after changing either."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))

    assert set(records) == {case.name for case in CASES}
    assert len(CASES) == len(records)


def test_the_cases_are_not_all_alike() -> None:
    """Many kinds of failure are among them, in each protocol, and answers streamed and not."""
    assert len({case.expected for case in CASES}) >= 9
    assert {case.kind for case in CASES if case.stream} == {
        case.kind for case in CASES if not case.stream
    }
