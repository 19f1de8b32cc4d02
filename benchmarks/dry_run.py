"""A dry run over thousands of past questions beside live traffic: how long it takes, and what hits feel of it.

    python -m benchmarks.dry_run --questions 5000 --vectors data/test

Prints one JSON object. The past is made up: distinct texts in both languages, a third of them asked again.
Hits are asked at a steady rate before, during and after; the ratio is p95 during by p95 of the quiet times.
On a machine with other work `processor_seconds` says what the run itself took, its start included.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from base.text import language_of
from benchmarks.site import (
    ROOT,
    Site,
    kept_vectors,
    running_simulator,
    running_site,
    vendor_environment,
)
from chatbot.replaying import play

HIT = "Which courier do you use?"
RATE_PER_S = 8.0
QUIET_QUESTIONS = 160
PLACES = ("in Berlin", "on Sundays", "for a gift", "with a voucher", "from abroad", "again, please")
PLACES_ZH = ("北京的", "周末", "送礼用", "用优惠券的话", "海外", "麻烦了")
DRAFT = """
from django.utils import timezone
from routing.models import Rule
from routing.publishing import start_draft
draft = start_draft(now=timezone.now())
Rule.objects.create(rule_set=draft, position=0, name="tried", any_of=["gift", "送礼"], tier="REGULAR", cache="no_read")
print(draft.version)
"""
# The past came all at once; a site that lived through it has counted it long ago.
COUNTING = """
from django.utils import timezone
from chatbot.tallies import count_closed_buckets
while count_closed_buckets(now=timezone.now()):
    pass
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement; 0 when the run ended well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=5_000)
    parser.add_argument("--vectors", type=Path, help="Folder with kept vectors and engine.")
    options = parser.parse_args(arguments)

    def before_start(connection: sqlite3.Connection) -> None:
        fill(connection, options.questions)

    with (
        tempfile.TemporaryDirectory() as folder,
        kept_vectors(options.vectors, Path(folder)),
        running_simulator() as address,
        running_site(Path(folder), simulator_url=address, before_start=before_start) as site,
    ):
        environment = vendor_environment(Path(folder), address)
        result = asyncio.run(measured(site, environment, count=options.questions))
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


async def measured(site: Site, environment: dict[str, str], *, count: int) -> dict[str, Any]:
    """Quiet, with the run, quiet again."""
    manage = [sys.executable, str(ROOT / "manage.py")]
    drafting = [*manage, "shell", "-c", DRAFT]
    version = (await asyncio.to_thread(output_of, drafting, environment)).split()[-1]
    await asyncio.to_thread(output_of, [*manage, "shell", "-c", COUNTING], environment)
    await hits(site, 5)
    before = await hits(site, QUIET_QUESTIONS)
    started_s, used_s = time.perf_counter(), processor_s()
    command = [*manage, "dry_run", version, "--last", str(count)]
    running = asyncio.create_task(asyncio.to_thread(output_of, command, environment))
    during: list[int] = []
    while not running.done():
        during += await hits(site, 16)
    output = await running
    seconds, used_s = time.perf_counter() - started_s, processor_s() - used_s
    after = await hits(site, QUIET_QUESTIONS)
    found = json.loads(output)
    quiet = (p95(before) + p95(after)) / 2
    return {
        "questions": found["questions"],
        "seconds": round(seconds, 1),
        "seconds_without_start": found["seconds"],
        "processor_seconds": round(used_s, 1),
        "hits_asked_during": len(during),
        "p95_quiet_ms": quiet,
        "p95_during_ms": p95(during),
        "p95_ratio": round(p95(during) / quiet, 2),
        "moved": found["moved"]["count"],
        "cache_hits": [found["base"]["hits"], found["draft"]["hits"]],
        "identity": [found["identity"]["same"], found["identity"]["logged"]],
    }


def output_of(command: Sequence[str], environment: dict[str, str]) -> str:
    """What a command prints. Raises CalledProcessError."""
    return subprocess.run(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def processor_s() -> float:
    """Processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def hits(site: Site, count: int) -> list[int]:
    """Milliseconds of this many questions that the cache answers, each from a new shopper."""
    ended = await play([HIT] * count, url=site.url, sessions=4, rate_per_s=RATE_PER_S)
    return [item.ms for item in ended]


def p95(values: Sequence[int]) -> float:
    """The 95th percentile."""
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))])


def texts(count: int) -> Iterator[str]:
    """Distinct questions, two of three; the third is one of those before."""
    files = [ROOT / "tests" / "data" / name for name in ("routing_en.csv", "routing_zh.csv")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    known = [row[0] for row in csv.reader(lines)]
    rng, asked = Random(1), list[str]()
    for number in range(count):
        if asked and number % 3 == 2:
            yield rng.choice(asked)
            continue
        text = known[number % len(known)]
        turn = number // len(known)
        place = (PLACES_ZH if language_of(text) == "zh-hans" else PLACES)[turn % len(PLACES)]
        asked.append(text if turn == 0 else f"{text} {place} {turn if turn > 5 else ''}".strip())
        yield asked[-1]


def fill(connection: sqlite3.Connection, count: int) -> None:
    """Past questions of one shopper that a model answered, each with its stored answer, receipt and call."""
    start = datetime.now(tz=UTC) - timedelta(days=7)
    connection.execute(
        "INSERT INTO chatbot_shopper (site_id, public_id, external_id, created_at) VALUES (1, 'past', '', ?)",
        (start,),
    )
    connection.execute(
        "INSERT INTO chatbot_conversation (shopper_id, public_id, locale, last_seq, started_at, last_at, simulated)"
        " SELECT id, 'past', 'en', 0, ?, ?, 0 FROM chatbot_shopper WHERE public_id = 'past'",
        (start, start),
    )
    (conversation,) = connection.execute("SELECT max(id) FROM chatbot_conversation").fetchone()
    for number, text in enumerate(texts(count), start=1):
        at, language = start + timedelta(minutes=2 * number), language_of(text, default="en")
        state = {
            "at": at.isoformat(),
            "zone": "Asia/Shanghai",
            "language": language,
            "audience": "everyone",
            "topic": "",
            "vector": True,
            "engine": "",
        }
        row(
            connection,
            "cache_answer",
            id=number,
            partition="past",
            text="-",
            created_at=at,
            checked_at=at,
        )
        row(
            connection,
            "chatbot_question",
            id=number,
            conversation_id=conversation,
            client_id=f"p{number}",
            text=text,
            locale=language,
            language=language,
            state="answered",
            accepted_at=at,
            deadline_at=at,
            origin="model",
            cache="miss",
            start_state=json.dumps(state),
            simulated=0,
        )
        row(
            connection,
            "cache_lookup",
            question_id=number,
            site_id=1,
            partition="past",
            outcome="miss",
            stored_id=number,
            at=at,
            simulated=0,
        )
        row(
            connection,
            "routing_call",
            attempt_id=f"past-{number}",
            question_id=number,
            endpoint_key="gemini",
            model_asked="gemini-2.5-flash",
            started_at=at,
            outcome="completed",
            input_tokens=600 + number % 400,
            output_tokens=60 + number % 90,
            total_ms=900,
            simulated=0,
        )


def row(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """Insert one row; required columns that are not given are empty."""
    for _, name, kind, required, default, key in connection.execute(f"PRAGMA table_info({table})"):
        if required and not key and default is None and name not in values:
            text = kind.lower().startswith(("varchar", "text"))
            values[name] = ("[]" if name in JSON_LISTS else "") if text else 0
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


JSON_LISTS = ("guards", "features", "vetoes", "article_versions", "held_in")

if __name__ == "__main__":
    sys.exit(main())
