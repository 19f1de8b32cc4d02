"""A hard budget holds to the last nano-dollar while several processes spend from it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import ROOT, unavailable
from tests.routing.tills import CALLS, COST_NANOUSD
from tests.servers import has_postgresql, running_postgresql

PROCESSES, ATTEMPTS = 3, 40
SUMS = (
    "from routing.models import Spending; from django.db.models import F, Sum; "
    "print(*Spending.objects.filter(row_id=4).values_list('spent_nanousd', 'reserved_nanousd')[0], "
    "Spending.objects.filter(row_id__in=(1, 2)).aggregate("
    "s=Sum(F('spent_nanousd') + F('reserved_nanousd')))['s'])"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """A migrated database of its own on each backend."""
    values = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": "", "LOG_LEVEL": "ERROR"}
    values["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    with ExitStack() as stack:
        if request.param == "postgresql":
            if not has_postgresql():
                unavailable("a PostgreSQL server")
            values["DATABASE_URL"] = stack.enter_context(running_postgresql())
        _python(values, "manage.py", "migrate", "--verbosity", "0", "--skip-checks")
        yield values


def _python(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def test_processes_together_spend_what_there_is(environment: Mapping[str, str]) -> None:
    """Of 120 calls by three processes exactly the 60 that are paid for get through, on both databases."""
    command = [sys.executable, "-m", "tests.routing.till_process", str(ATTEMPTS)]
    running = [
        subprocess.Popen(
            [*command, str(seed)],
            env=dict(environment),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(PROCESSES)
    ]
    ended = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES, ended
    opened = sum(int(out.split()[-1]) for out, _ in ended)
    shell = _python(environment, "manage.py", "shell", "--no-imports", "-c", SUMS)
    spent, reserved, by_model = (int(word) for word in shell.split()[-3:])

    assert opened == CALLS
    assert spent + reserved == by_model == CALLS * COST_NANOUSD
    assert spent > 0
