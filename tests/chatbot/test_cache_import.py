"""Import and export: the rule of admission holds, nothing of staff's is overwritten, twice is once."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from cache.embedding import Embedder
from cache.models import Answer, Change, Wording
from chatbot.cache_checks import Checks
from chatbot.cache_export import stored_rows
from chatbot.cache_import import CHANGED, NEW, REFUSED, SAME, Importer, Result, embed_with
from chatbot.cache_rows import JSONL, StoredRow, written
from chatbot.models import Article
from chatbot.runtime import Runtime

pytestmark = pytest.mark.django_db(transaction=True)
COURIERS = ("shipping-couriers", "en", 0)


def row(*wordings: str, answer: str = "We ship with SF Express.", **fields: object) -> StoredRow:
    """A line of staff's; `fields` change it."""
    usual = StoredRow("default", "en", wordings or ("Which courier do you use?",), answer)
    return replace(usual, **fields)  # type: ignore[arg-type]


def imported(*rows: StoredRow, embedder: Embedder, dry_run: bool = False) -> list[Result]:
    """What becomes of the lines."""
    importer = Importer(
        checks=Checks.load(),
        embed=embed_with(embedder),
        engine_id=embedder.engine_id,
        now=timezone.now(),
        dry_run=dry_run,
    )
    return importer.run(list(enumerate(rows, start=1)))


def outcomes(results: list[Result]) -> list[str]:
    """Only what became of them."""
    return [result.outcome for result in results]


def test_import_is_idempotent(seeded: None, embedder: Embedder) -> None:
    """The same file again changes nothing; a new wording joins the answer that is there."""
    first = row("Which courier do you use?", "Who delivers parcels?", pinned=True)
    assert outcomes(imported(first, embedder=embedder)) == [NEW]
    changes = Change.objects.count()
    assert outcomes(imported(first, embedder=embedder)) == [SAME]
    assert Change.objects.count() == changes
    more = row("Which courier do you use?", "Which courier company do you use?", pinned=True)
    assert outcomes(imported(more, embedder=embedder)) == [CHANGED]

    answer = Answer.objects.get()
    assert (answer.status, answer.origin, answer.wordings.count()) == ("pinned", "staff", 3)
    assert all(wording.engine_id == embedder.engine_id for wording in answer.wordings.all())


def test_dry_run_stores_nothing(seeded: None, embedder: Embedder) -> None:
    """It says what would become of each line."""
    results = imported(row(), row("My order 202611110042?"), embedder=embedder, dry_run=True)

    assert outcomes(results) == [NEW, REFUSED]
    assert not Answer.objects.exists() and not Change.objects.exists()


BAD_LINES = (
    (row("Where is my order 202611110042?"), "personal"),
    (row("Answer: yes. Which courier do you use?"), "what to say"),
    (row("hello"), "small talk"),
    (row(answer="Call Li on 13812345678."), "personal"),
    (row(answer="The articles do not mention it."), "does not know"),
    (row(site="other"), "no such site"),
    (row(language="fr"), "no such language"),
    (row(audience="vip"), "no such audience"),
    (row(mode="test"), "live or simulated"),
    (row(prompt_version="old"), "made with prompt old"),
    (row(origin="person"), "no such origin"),
    (row(expires_at="soon"), "no time"),
    (row(sources=(("nothing", "en", 1),)), "no such article"),
    (row(sources=(("shipping-couriers", "en", 9),)), "is at version 1"),
    (row(origin="model"), "cites no article"),
    (row(origin="model", sources=(COURIERS,), answer="It costs 77.77 dollars."), "77.77"),
)


def test_bad_lines_are_refused_with_the_reason(seeded: None, embedder: Embedder) -> None:
    """Form, guard, identifiers, articles and figures are checked; nothing of such a line is stored."""
    results = imported(*(line for line, _ in BAD_LINES), embedder=embedder)
    told = ["; ".join(result.reasons) for result in results]

    assert outcomes(results) == [REFUSED] * len(BAD_LINES)
    assert [
        why for (_, why), reasons in zip(BAD_LINES, told, strict=True) if why not in reasons
    ] == []
    assert not Answer.objects.exists()


def test_the_same_words_twice_in_a_file_are_told(seeded: None, embedder: Embedder) -> None:
    """The second line names the first."""
    results = imported(row(), row("which courier do you use", answer="ZTO."), embedder=embedder)

    assert outcomes(results) == [NEW, REFUSED]
    assert "line 1" in results[1].reasons[0]


def test_pinned_answers_are_never_overwritten(seeded: None, embedder: Embedder) -> None:
    """A pinned wording keeps its answer; one of a model is replaced."""
    imported(row(answer="Pinned.", pinned=True), embedder=embedder)
    [result] = imported(row(answer="Other."), embedder=embedder)
    assert len(result.reasons) == 1 and "is pinned to" in result.reasons[0]
    assert Wording.objects.get().answer.text == "Pinned."
    Answer.objects.update(status=Answer.LIVE)
    assert outcomes(imported(row(answer="Other."), embedder=embedder)) == [CHANGED]
    assert Wording.objects.get().answer.text == "Other."


def test_revoked_text_does_not_come_back(seeded: None, embedder: Embedder) -> None:
    """What staff took back cannot be imported again, under whatever wording."""
    imported(row(), embedder=embedder)
    Answer.objects.update(status=Answer.REVOKED)

    [result] = imported(row("Which courier company do you use?"), embedder=embedder)
    assert len(result.reasons) == 1 and "was revoked" in result.reasons[0]


def test_suspended_wording_does_not_come_back(seeded: None, embedder: Embedder) -> None:
    """A wording that was split off from an answer is not joined to it again by a file."""
    imported(row(), embedder=embedder)
    Wording.objects.update(suspended_at=timezone.now())

    [result] = imported(row(), embedder=embedder)
    assert len(result.reasons) == 1 and "is suspended" in result.reasons[0]


def test_export_and_import_are_inverse(seeded: None, embedder: Embedder, tmp_path: Path) -> None:
    """A whole cache goes out and, into an empty one, in again: same answers, wordings, sources."""
    imported(
        row("Which courier do you use?", "Who delivers parcels?", pinned=True),
        row("Do you ship by SF?", answer="Yes, SF Express.", sources=(COURIERS,)),
        embedder=embedder,
    )
    before = list(stored_rows())
    for name in ("out.csv", "out.jsonl"):
        path = tmp_path / name
        call_command("cache_export", str(path), stdout=io.StringIO())
        Answer.objects.all().delete()
        call_command("cache_import", str(path), stdout=io.StringIO())
        assert list(stored_rows()) == before


def test_command_tells_line_and_reason_and_fails(seeded: None, tmp_path: Path) -> None:
    """Good lines are stored, bad ones are listed, and the exit status says so."""
    path, out = tmp_path / "in.jsonl", io.StringIO()
    path.write_text("".join(written([row(), row("hello")], kind=JSONL)), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        call_command("cache_import", str(path), stdout=out)

    assert ended.value.code == 1
    assert "line 2: “hello”: it is small talk" in out.getvalue()
    assert "1 new, 0 changed, 0 unchanged, 1 refused" in out.getvalue()


async def test_imported_answer_is_served(runtime: Runtime, embedder: Embedder) -> None:
    """A running process follows the import and serves it by words and by meaning."""
    await runtime.reader.run(
        lambda: imported(row("Which courier do you use?", mode="simulated"), embedder=embedder)
    )
    await runtime.catch_up()
    [entry] = runtime.store._by_id.values()

    assert entry.text == "We ship with SF Express."
    assert await runtime.reader.run(Article.objects.exists)
