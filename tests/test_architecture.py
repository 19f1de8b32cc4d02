"""The house rules that a program can check: imports point down, files stay small, types and style hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("base", "cache", "routing", "chatbot", "simulator")
BIN = Path(sys.executable).parent
LONGEST_FILE_LINES = 300
P90_FUNCTION_LINES = 30
LONGEST_FUNCTION_LINES = 60


@pytest.mark.parametrize(
    "command",
    [["lint-imports"], ["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=["import contracts", "ruff", "ruff format", "mypy strict"],
)
def test_tool_finds_nothing(command: list[str]) -> None:
    """Import contracts, style and strict types hold over the whole tree."""
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout[-4_000:] + result.stderr[-2_000:]


def test_files_stay_small() -> None:
    """No module of ours is longer than the house allows."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    }

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE_LINES} == {}


def test_functions_stay_small() -> None:
    """Nine of ten functions have at most thirty lines, and none more than sixty."""
    lengths = sorted(function_lengths())

    assert lengths[int(len(lengths) * 0.9)] <= P90_FUNCTION_LINES
    assert lengths[-1] <= LONGEST_FUNCTION_LINES


def function_lengths() -> Iterator[int]:
    """Lines of every function of ours, signature and docstring included."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_migrations_are_complete() -> None:
    """No change of a model lacks its migration."""
    result = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run", "--skip-checks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout
