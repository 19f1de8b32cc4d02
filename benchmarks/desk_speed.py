"""How fast the desk's first page is over a long history, and what keeping its aggregates costs.

`python -m benchmarks.desk_speed` fills a temporary SQLite database with --rows questions, receipts and calls of
30 days (a tenth of them made one by one, the others copies at the same moments), counts them up as the worker
does, and opens the page for each range several times as staff do. It prints the median, the slowest and the
processor time, and beside them a plain page of the admin and a plain COUNT over the questions: other work on
the machine lengthens them all, so the ratios say more than any of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

GOAL_MS = 300
DAYS = 30
AT_ONCE = 5_000
COPIES = 10
RANGES = ("range=1", "range=yesterday", "range=7", "range=30", "range=30&zone=Asia/Kolkata")
_OUTCOMES = ("exact", "semantic", "confirmed", "joined", "miss", "miss", "bypass")


def main() -> None:
    """Fill, count, time, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DATA_DIR=folder, DJANGO_SETTINGS_MODULE="chatbot.settings", DATABASE_URL=""
        )
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        now = datetime.now(tz=UTC)
        print(f"filling {options.rows:,} rows of each kind", file=sys.stderr)
        _fill(options.rows, now=now)
        counted_s = _timed(lambda: _count(now))
        print(f"counted up in {counted_s:.0f} s", file=sys.stderr)
        print(json.dumps(_figures(options.times, rows=options.rows, counted_s=counted_s), indent=2))


def _fill(rows: int, *, now: datetime) -> None:
    from cache.models import Lookup
    from chatbot.models import Conversation, Question, Shopper, Site
    from chatbot.seeding import seed
    from routing.models import Call

    seed()
    chance = Random(11)
    shopper = Shopper.objects.create(site=Site.objects.get(), public_id="bench")
    talk = Conversation.objects.create(shopper=shopper, public_id="bench")
    made = rows // COPIES
    for first in range(0, made, AT_ONCE):
        batch = [
            _question(Question, chance, talk, number, of=made, now=now)
            for number in range(first, min(made, first + AT_ONCE))
        ]
        Question.objects.bulk_create(batch)
        Lookup.objects.bulk_create(_lookup(Lookup, row) for row in batch)
        Call.objects.bulk_create(_call(Call, chance, row) for row in batch)
    for copy in range(1, COPIES):
        for model, unique, moved in (
            (Question, "client_id", ""),
            (Lookup, "", "question_id"),
            (Call, "attempt_id", "question_id"),
        ):
            _copy(model, copy, made=made, unique=unique, moved=moved)


def _copy(model: Any, copy: int, *, made: int, unique: str, moved: str) -> None:
    """Copy the made rows once more: a unique text gets an ending, a question's id moves to its copy's."""
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = {unique: f"{unique} || '-{copy}'", moved: f"{moved} + {copy * made}"}
    chosen = ", ".join(values.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {table} WHERE id <= {made}"
        )


def _question(model: Any, chance: Random, talk: Any, number: int, *, of: int, now: datetime) -> Any:
    cache = chance.choice(_OUTCOMES)
    new = cache in ("miss", "bypass")
    at = now - timedelta(days=DAYS) * (1 - number / of)
    total_ms = int(chance.lognormvariate(7.5, 0.7)) if new else 1 + chance.randrange(60)
    return model(
        conversation=talk,
        client_id=f"q-{number}",
        text=f"Question {int(chance.paretovariate(0.7)) % 20_000} about parcel and courier?",
        locale="en",
        state=model.ANSWERED,
        accepted_at=at,
        deadline_at=at,
        cache=cache,
        origin="model" if new else "cache",
        tier=chance.choice(("FAQ", "REGULAR", "COMPLEX", "HIGH")) if new else "",
        model=f"m-{chance.randrange(6)} (Vendor)" if new else "",
        cost_nanousd=chance.randrange(10**6) if new else 0,
        first_content_ms=total_ms // 3 if new else None,
        total_ms=total_ms,
    )


def _lookup(model: Any, row: Any) -> Any:
    return model(
        question_id=row.pk,
        site_id=1,
        partition="default/en/everyone/v1/live",
        outcome=row.cache,
        reason="bench",
        at=row.accepted_at,
        saved_nanousd=0 if row.model else 400_000,
    )


def _call(model: Any, chance: Random, row: Any) -> Any:
    return model(
        attempt_id=f"a-{row.client_id}",
        question_id=row.pk,
        tier=row.tier or "FAQ",
        endpoint_key=chance.choice(("openai", "deepseek", "gemini")),
        model_asked=f"m-{chance.randrange(6)}",
        started_at=row.accepted_at,
        outcome=model.FAILED if chance.random() < 0.05 else model.COMPLETED,
        input_tokens=1_500,
        output_tokens=300,
        cost_nanousd=chance.randrange(10**6),
    )


def _count(now: datetime) -> None:
    from chatbot.tallies import count_closed_buckets

    while count_closed_buckets(now=now):
        pass


def _figures(times: int, *, rows: int, counted_s: float) -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.test import Client

    from chatbot.models import Question

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench"))
    count_ms = 1000 * _timed(lambda: Question.objects.filter(cache="miss").count())
    pages = {
        query: _page(client, f"/admin/?rows=live&{query}", times=times, count_ms=count_ms)
        for query in RANGES
    }
    plain = _page(client, "/admin/auth/group/", times=times, count_ms=count_ms)
    slowest = max(page["median_ms"] for page in pages.values())
    return {
        "rows_of_each": rows,
        "counting_s": round(counted_s),
        "one_count_ms": round(count_ms),
        "plain_admin_page": plain,
        "pages": pages,
        "goal_ms": GOAL_MS,
        "reached": slowest < GOAL_MS,
    }


def _page(client: Any, url: str, *, times: int, count_ms: float) -> dict[str, float]:
    client.get(url)  # templates are read once per process
    taken, busy_ms = [], []
    for _ in range(times):
        before = time.process_time()
        taken.append(1000 * _timed(lambda: _opened(client, url)))
        busy_ms.append(1000 * (time.process_time() - before))
    median = statistics.median(taken)
    return {
        "processor_ms": round(statistics.median(busy_ms)),
        "median_ms": round(median),
        "fastest_ms": round(min(taken)),
        "slowest_ms": round(max(taken)),
        "times_one_count": round(median / count_ms, 2),
    }


def _opened(client: Any, url: str) -> None:
    status = client.get(url).status_code
    if status != 200:
        message = f"{url} answered {status}"
        raise RuntimeError(message)


def _timed(work: Callable[[], Any]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


if __name__ == "__main__":
    main()
