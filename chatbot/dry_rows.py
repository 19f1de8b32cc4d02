"""The questions of a dry run: past ones with what was logged of them, or the lines of an uploaded file. Only reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from base.text import Language, language_of
from cache.models import Answer, Lookup
from chatbot.cache_rows import BadFile
from chatbot.frames import MAX_QUESTION_CHARACTERS
from chatbot.models import Question
from routing.models import Call
from routing.specs import Usage

MOST_QUESTIONS = 20_000
MOST_UPLOAD_BYTES = 5_000_000
AT_ONCE = 200
HITS = ("exact", "semantic", "confirmed", "joined", "stale")
_FIELDS = (
    "id",
    "text",
    "language",
    "accepted_at",
    "start_state",
    "decided_tier",
    "rule_set_version",
    "origin",
    "cache",
    "retry_of_id",
)


@dataclass(frozen=True, slots=True)
class Logged:
    """A question as it is replayed. `state` is empty where no decision was logged.

    `usage` is what the call that answered it used; None where none did. `stored_as` is the answer that its
    own answer was stored as, `served_from` the one that it was served from; `until` ends its life.
    """

    id: int
    text: str
    language: Language
    at: datetime
    state: Mapping[str, Any] = field(default_factory=dict)
    tier: str = ""
    version: int = 0
    origin: str = ""
    cache: str = ""
    is_retry: bool = False
    usage: Usage | None = None
    booked_nanousd: int = 0
    stored_as: int | None = None
    served_from: int | None = None
    until: datetime | None = None

    @property
    def answer_id(self) -> int | None:
        """The stored answer that it led to, by making it or by being served from it."""
        return self.stored_as or self.served_from

    @property
    def is_logged(self) -> bool:
        """Whether it was asked; the lines of a file were not."""
        return bool(self.cache)


def newest(count: int, *, simulated: bool) -> list[int]:
    """Ids of the newest ended questions, oldest first."""
    rows = Question.objects.filter(simulated=simulated, state__in=Question.TERMINAL)
    return list(rows.exclude(cache="").order_by("-id").values_list("id", flat=True)[:count])[::-1]


def logged(ids: Sequence[int]) -> Iterator[list[Logged]]:
    """The questions with their receipts and calls, AT_ONCE at a time."""
    for start in range(0, len(ids), AT_ONCE):
        yield _part(ids[start : start + AT_ONCE])


def _part(ids: Sequence[int]) -> list[Logged]:
    answers: dict[int, tuple[int | None, int | None]] = {
        question: (stored, served)
        for question, stored, served in Lookup.objects.filter(question_id__in=ids)
        .order_by("id")
        .values_list("question_id", "stored_id", "answer_id")
    }
    usages, booked = _calls(ids)
    named = {answer for pair in answers.values() for answer in pair if answer is not None}
    ends = dict(Answer.objects.filter(id__in=named).values_list("id", "expires_at"))
    rows = Question.objects.filter(id__in=ids).order_by("id").values(*_FIELDS)
    found = []
    for row in rows:
        stored, served = answers.get(row["id"], (None, None))
        answer_id = stored or served
        one = Logged(
            id=row["id"],
            text=row["text"],
            language=_language(row["language"], row["text"]),
            at=row["accepted_at"],
            state=row["start_state"] or {},
            tier=row["decided_tier"],
            version=row["rule_set_version"],
            origin=row["origin"],
            cache=row["cache"],
            is_retry=row["retry_of_id"] is not None,
            usage=usages.get(row["id"]),
            booked_nanousd=booked.get(row["id"], 0),
            stored_as=stored,
            served_from=served,
            until=ends.get(answer_id) if answer_id is not None else None,
        )
        found.append(one)
    return found


def _calls(ids: Sequence[int]) -> tuple[dict[int, Usage], dict[int, int]]:
    """What the last completed call of each question used (others only rewrote or failed), and what all cost."""
    usages: dict[int, Usage] = {}
    booked: dict[int, int] = {}
    calls = Call.objects.filter(question_id__in=ids).order_by("id")
    for question_id, outcome, cost, *tokens in calls.values_list(
        "question_id",
        "outcome",
        "cost_nanousd",
        "input_tokens",
        "output_tokens",
        "cached_input_tokens",
    ):
        key = int(question_id or 0)
        booked[key] = booked.get(key, 0) + cost
        if outcome == Call.COMPLETED:
            usages[key] = Usage(*tokens)
    return usages, booked


def uploaded(content: bytes, *, now: datetime, zone: ZoneInfo) -> list[Logged]:
    """The lines of a CSV with the columns text and, if it likes, at (ISO; without an offset in `zone`).

    Raises BadFile.
    """
    try:
        lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(_("The file is not a CSV in UTF-8.")) from error
    if not lines or "text" not in lines[0]:
        raise BadFile(_("The file needs a column named text, and a line below it."))
    if len(lines) > MOST_QUESTIONS:
        raise BadFile(_("At most %(most)s questions at once.") % {"most": MOST_QUESTIONS})
    found = []
    for number, line in enumerate(lines, start=1):
        text = str(line["text"] or "").strip()[:MAX_QUESTION_CHARACTERS]
        if text:
            at = _moment(line, number, now, zone)
            found.append(Logged(-number, text, language_of(text, default="en"), at))
    if not found:
        raise BadFile(_("No line of the file has a text."))
    return sorted(found, key=lambda question: question.at)


def _moment(line: Mapping[str, Any], number: int, now: datetime, zone: ZoneInfo) -> datetime:
    written = (line.get("at") or "").strip()
    if not written:
        return now
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        text = _("Line %(line)s: “%(at)s” is no moment such as 2026-11-11T20:30.")
        raise BadFile(text % {"line": number + 1, "at": written[:40]}) from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _language(stored: str, text: str) -> Language:
    if stored in ("en", "zh-hans"):
        return "zh-hans" if stored == "zh-hans" else "en"
    return language_of(text, default="en")
