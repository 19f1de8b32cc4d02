"""What no text of the repository says: folders of somebody's machine, and words that do not belong into it."""

from __future__ import annotations

import re

from tests.docs_pages import name_of, tracked

# Put together here, so that this file does not hold what it forbids.
MACHINE_FOLDERS = "|".join(("work", "root", "tmp"))
EXACT_WORDS = ("TO" + "DO", "FIX" + "ME", "CONT" + "RACT.md", "ARCHI" + "TECTURE.md")
WORDS = (
    "sub" + "agent",
    "cop" + "ilot",
    "chat" + "gpt",
    "claude " + "code",
    "as an " + "ai ",
    "ai-" + "generated",
)


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern occurs in the repository's text, as file:line."""
    return [
        f"{name_of(path)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_machine_paths() -> None:
    """No text of the repository names a folder of somebody's machine."""
    assert lines_with(re.compile(rf"(?<![\w.>*-])/(?:{MACHINE_FOLDERS})(?![\w-])")) == []


def test_no_forbidden_words() -> None:
    """No text of the repository holds a word that does not belong into it."""
    exact = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, EXACT_WORDS))})(?!\w)")
    any_case = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, WORDS))})", re.IGNORECASE)

    assert lines_with(exact) + lines_with(any_case) == []
