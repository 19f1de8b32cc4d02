"""Reading the repository's pages and sources for `test_docs.py`: files, sections, tables, declared options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("base", "cache", "routing", "chatbot", "simulator")
TEXT_SUFFIXES = frozenset(
    {".py", ".md", ".txt", ".toml", ".json", ".csv", ".html", ".css", ".js", ".svg"}
    | {".sh", ".yml", ".yaml", ".cfg", ".ini", ".example", ".lua", ".conf"}
)
TEXT_NAMES = frozenset({"Makefile", "Dockerfile", ".gitignore", "run"})


def read(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def ignored_patterns() -> list[str]:
    """Names that the repository does not track."""
    lines = read(".gitignore").splitlines()
    return [line.strip("/") for line in lines if line and not line.startswith("#")]


@cache
def tracked() -> tuple[Path, ...]:
    """Every text file that belongs to the repository."""
    ignored = [".git", *ignored_patterns()]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if any(fnmatch(path.name, pattern) for pattern in ignored):
                continue
            if path.is_dir():
                yield from walk(path)
            elif path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES:
                yield path

    return tuple(walk(ROOT))


def pages() -> list[Path]:
    """The pages for people; demo articles are the shop's."""
    return [path for path in tracked() if path.suffix == ".md" and "demo" not in path.parts]


def name_of(path: Path) -> str:
    """A path as test ids show it."""
    return str(path.relative_to(ROOT))


@cache
def all_code() -> str:
    """All source, build and script text, the tests of the pages left out."""
    sources = [
        path
        for path in tracked()
        if path.suffix in (".py", ".toml", ".js") or path.name in TEXT_NAMES
    ]
    own = {"docs_pages.py", "test_docs.py"}
    return "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name not in own)


def section(page: str, title: str) -> str:
    """The text under a heading, up to the next heading of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(title)}\n", page, re.M)
    assert match is not None, f"no section {title!r}"
    rest = page[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


def rows(text: str) -> dict[str, list[str]]:
    """Table rows by what stands in backticks in their first cell; one entry per name there."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = re.split(r"\s*\|\s*", line.strip("| "))
        if line.startswith("| `") and len(cells) > 1:
            found.update((name, cells[1:]) for name in re.findall(r"`([^`]+)`", cells[0]))
    return found


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Every anchor of a page."""
    return {
        slug(title) for title in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    }


def command_files() -> dict[str, Path]:
    """Our management commands by name."""
    found = [path for name in PACKAGES for path in (ROOT / name).glob("management/commands/*.py")]
    return {path.stem: path for path in found if path.stem != "__init__"}


def make_targets() -> set[str]:
    """The targets that the Makefile offers."""
    match = re.search(r"^\.PHONY:(.*)$", read("Makefile"), re.M)
    assert match is not None
    return set(match[1].split())


def options_of(path: Path) -> dict[str, str | None]:
    """The arguments that a file declares, with their default where it stands there as a constant."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    return {
        str(node.args[0].value): _default(node)
        for node in calls
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "add_argument"
        and isinstance(node.args[0], ast.Constant)
    }


def _default(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        if keyword.arg == "default" and isinstance(keyword.value, ast.Constant):
            value = keyword.value.value
            return f"{value:g}" if isinstance(value, float | int) else str(value)
        if keyword.arg == "action" and isinstance(keyword.value, ast.Constant):
            return "off" if keyword.value.value == "store_true" else None
    return None


@cache
def sent_frames() -> dict[str, set[str]]:
    """Types and fields of the frames that the server builds: dict literals in modules that know ServerFrame."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "chatbot").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "ServerFrame" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            fields = literal_fields(node)
            if "type" in fields:
                found.setdefault(fields["type"], set()).update(set(fields) - {"type"})
    return found


def literal_fields(node: ast.AST) -> dict[str, str]:
    """Keys of a dict literal; the value only where it is a constant."""
    if not isinstance(node, ast.Dict):
        return {}
    return {
        str(key.value): str(value.value) if isinstance(value, ast.Constant) else ""
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
    }
