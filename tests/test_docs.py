"""The pages tell the truth: settings, commands, frames, codes, links and figures are compared with the code.

Files are only read. Both directions count: what the code has must be on its page, and what a page names must
be in the code.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import get_args

import django
import pytest

from base.env import SETTINGS
from chatbot import frames
from chatbot.frames import CLIENT_FRAMES, ErrorCode, NotBuilt
from tests.docs_pages import (
    PACKAGES,
    ROOT,
    all_code,
    anchors,
    command_files,
    literal_fields,
    make_targets,
    name_of,
    options_of,
    pages,
    read,
    rows,
    section,
    sent_frames,
)

every_page = pytest.mark.parametrize("page", pages(), ids=name_of)


# Settings


def test_settings_page_is_complete() -> None:
    """docs/settings.md has one row per setting, none that is gone, each with default and secrecy."""
    table = rows(read("docs/settings.md"))
    shown = {name: (cells[0].strip("`"), "Secret" in cells[1]) for name, cells in table.items()}

    assert shown == {item.name: (item.default or "empty", item.secret) for item in SETTINGS}


def test_env_example_is_complete() -> None:
    """.env.example holds every setting, commented out, with its default under its help, in order."""
    expected = [
        f"# {item.help}{' (secret)' if item.secret else ''}\n#{item.name}={item.default}"
        for item in SETTINGS
    ]

    assert read(".env.example").strip().split("\n\n")[1:] == expected


@every_page
def test_names_like_settings_exist(page: Path) -> None:
    """A name in capitals that a page puts in backticks occurs in the code."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", text)
    patterns = re.compile(r"NAME_\w+|[A-Z_]+_KEY_FILE|FORWARDED_ALLOW_IPS|WEB_CONCURRENCY")

    assert [n for n in named if n not in all_code() and not patterns.fullmatch(n)] == []


# Commands


def test_commands_page_is_complete() -> None:
    """docs/commands.md has a section for each of our commands and for no other."""
    described = set(re.findall(r"^### `(\w+)`$", read("docs/commands.md"), re.M))

    assert described == set(command_files())


# Commands whose options are declared in another file.
OPTIONS_IN = {
    "simulate_upstream": ROOT / "simulator" / "__main__.py",
    "import_articles": ROOT / "chatbot" / "management" / "importing.py",
    "import_products": ROOT / "chatbot" / "management" / "importing.py",
}


@pytest.mark.parametrize("name", sorted(command_files()))
def test_options_are_described(name: str) -> None:
    """A command's section has one row per option, none that is gone, and their constant defaults."""
    options = options_of(OPTIONS_IN.get(name) or command_files()[name])
    table = rows(section(read("docs/commands.md"), f"`{name}`"))

    assert set(table) == set(options)
    assert {o: table[o][0].strip("`") for o, default in options.items() if default is not None} == {
        o: default for o, default in options.items() if default is not None
    }


@every_page
def test_named_commands_exist(page: Path) -> None:
    """Every `manage.py NAME` of a page is one of our commands or one of Django's."""
    named = set(re.findall(r"manage\.py ([a-z]\w+)", page.read_text(encoding="utf-8")))
    builtin = Path(django.__file__).parent.rglob("management/commands/[a-z]*.py")

    assert named - set(command_files()) - {path.stem for path in builtin} == set()


def test_make_targets_are_described() -> None:
    """docs/commands.md lists every make target and none that is gone."""
    table = rows(section(read("docs/commands.md"), "make"))

    assert {name.removeprefix("make ") for name in table} == make_targets()


@every_page
def test_named_make_targets_exist(page: Path) -> None:
    """Every `make NAME` that a page shows as code is in the Makefile."""
    code = re.findall(r"^    .+$|`[^`\n]+`", page.read_text(encoding="utf-8"), re.M)
    call = re.compile(r"(?:^ {4,}|`|[A-Z_]+=\S+ )make ([a-z][\w-]*)")

    assert {name for line in code for name in call.findall(line)} - make_targets() == set()


# Frames


def test_server_frames_are_described() -> None:
    """The protocol page has a row for each frame that the server builds and for no other."""
    text = section(read("docs/protocol.md"), "Server to client")

    assert set(rows(text.split("\n### ")[0])) == set(sent_frames())


@pytest.mark.parametrize("kind", sorted(sent_frames()))
def test_fields_of_server_frames_are_described(kind: str) -> None:
    """Every field of a server frame is named on the protocol page, in its frame's row or table."""
    text = section(read("docs/protocol.md"), "Server to client")
    row = "".join(rows(text.split("\n### ")[0])[kind])
    described = row + (section(text, "Fields of `answer`") if kind == "answer" else "")

    assert {field for field in sent_frames()[kind] if f"`{field}`" not in described} == set()


def is_built(kind: str) -> bool:
    """Whether this version does something with a client frame."""
    fields = {
        "id": "1",
        "of": "2",
        "text": "x",
        "value": "up",
        "after": 0,
        "before": 0,
        "option": None,
    }
    return not isinstance(frames.parse(json.dumps({"type": kind, **fields})), NotBuilt)


def test_client_frames_are_described() -> None:
    """The protocol page has each client frame, and marks exactly those that are not built."""
    table = rows(section(read("docs/protocol.md"), "Client to server"))

    assert {name: cells[1] for name, cells in table.items()} == {
        name: "yes" if is_built(name) else "not_available" for name in CLIENT_FRAMES
    }


def test_error_codes_are_described() -> None:
    """The protocol page explains each error code and none that is gone."""
    assert set(rows(section(read("docs/protocol.md"), "Error codes"))) == set(get_args(ErrorCode))


def test_close_codes_are_described() -> None:
    """The codes with which the site closes a socket, and the server's own 1009, are on the page."""
    own = re.search(r"^CLOSE_.*= ([\d, _]+)$", read("chatbot/watchers.py"), re.M)
    assert own is not None
    listed = re.findall(r"^\| (\d{4}) \|", section(read("docs/protocol.md"), "Close codes"), re.M)

    assert set(listed) == {"1009", *own[1].replace("_", "").split(", ")}


def test_bounds_are_described() -> None:
    """The bounds of questions, frames and ids on the protocol page are those of the code."""
    bounds = (
        f"{frames.MAX_QUESTION_CHARACTERS:,} characters",
        f"{frames.MAX_FRAME_BYTES // 1024} KiB",
        f"{frames.MAX_SOCKET_BYTES // 1024**2} MiB",
        f"at most {frames.MAX_ID_CHARACTERS} printable",
    )

    assert [bound for bound in bounds if bound not in read("docs/protocol.md")] == []


# Models, prices, tasks


def test_prices_are_those_of_the_data() -> None:
    """The price table holds the list prices of the seeded rows."""
    listed = json.loads(read("chatbot/demo/routing.json"))["list_prices_usd_per_million_tokens"]

    assert rows(section(read("docs/models-and-prices.md"), "Prices")) == listed["prices"]


def test_last_days_are_those_of_the_data() -> None:
    """Every model with a last day has a row with that day, and no other model has one."""
    models = json.loads(read("chatbot/demo/routing.json"))["models"]
    text = read("docs/models-and-prices.md")
    shown = re.findall(r"^\| ([\w.-]+)[^|]*\| (\d{4}-\d\d-\d\d) \|", text, re.M)

    assert set(shown) == {(m["name"], m["valid_until"]) for m in models if "valid_until" in m}


def test_chains_are_those_of_the_data() -> None:
    """The chain of each tier names its models in their order."""
    data = json.loads(read("chatbot/demo/routing.json"))
    names = sorted({model["name"] for model in data["models"]}, key=len, reverse=True)
    any_name = re.compile("|".join(map(re.escape, names)))
    table = rows(section(read("docs/models-and-prices.md"), "Chains: which model is asked"))

    assert {tier: any_name.findall(cells[1]) for tier, cells in table.items()} == {
        tier: list(dict.fromkeys(place.split("/")[1] for place in places))
        for tier, places in data["chains"].items()
    }


def test_schedule_is_described() -> None:
    """The operations page lists each periodic task and no other."""
    tree = ast.parse(read("chatbot/schedule.py"))
    tasks = {key for node in ast.walk(tree) for key in literal_fields(node)}

    assert set(rows(section(read("docs/operations.md"), "Background tasks"))) == tasks


# Links, files, words


@every_page
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists, and a heading in it where it names one."""
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    relative = [target.partition("#") for target in targets if not re.match(r"[a-z]+:", target)]
    found = [(page.parent / name if name else page, anchor) for name, _, anchor in relative]

    assert [str(path) for path, _ in found if not path.exists()] == []
    assert [anchor for path, anchor in found if anchor and anchor not in anchors(path)] == []


@every_page
def test_named_files_exist(page: Path) -> None:
    """Every file or folder of ours that a page puts in backticks is there."""
    folders = "|".join((*PACKAGES, "tests", "docs", "templates", "benchmarks", "deploy", r"\.ci"))
    named = re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text(encoding="utf-8"))

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_readme_is_short() -> None:
    """The README stays a page that is read to its end, and its picture stays small."""
    assert len(read("README.md").splitlines()) <= 70
    assert (ROOT / "docs" / "images" / "chat.png").stat().st_size < 300_000


def test_changelog_has_the_version() -> None:
    """The version that the project declares has an entry with a date."""
    version = re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.M)
    assert version is not None
    entry = rf"^## {re.escape(version[1])} - \d{{4}}-\d{{2}}-\d{{2}}$"

    assert re.search(entry, read("CHANGELOG.md"), re.M)
