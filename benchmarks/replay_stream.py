"""Replay a labelled stream through the running site and compare with its labels and the vendor's bill.

    python -m benchmarks.replay_stream FILE.csv --rows 500 --sessions 20 --rpm 300 --tpm 100000

Prints one JSON object. A served answer is right when the wording it was stored for carries the same label.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.site import Site, kept_vectors, running_simulator, running_site
from cache.normalize import key_of
from chatbot.replaying import Choose, Ended, Option, none_of_them, play

WORDINGS_PER_ARTICLE = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement; 0 unless the site or the vendor could not be started."""
    options = _parser().parse_args(arguments)
    rows = list(_rows(options.file))[: options.rows]
    rest = list(_rows(options.file))[options.rows :] if options.own_articles else []

    def before_start(connection: sqlite3.Connection) -> None:
        limits = "UPDATE routing_model SET requests_per_minute=?, tokens_per_minute=?"
        connection.execute(limits, (options.rpm, options.tpm))
        add_articles(connection, rest, asked={row["text"] for row in rows})

    with (
        tempfile.TemporaryDirectory() as folder,
        kept_vectors(options.vectors, Path(folder)),
        running_simulator("--rpm", str(options.rpm), "--tpm", str(options.tpm)) as address,
        running_site(Path(folder), simulator_url=address, before_start=before_start) as site,
    ):
        texts = [row["text"] for row in rows]
        choose = who_knows({row["text"]: row["label"] for row in rows})
        ended = asyncio.run(
            play(
                texts,
                url=site.url,
                sessions=options.sessions,
                rate_per_s=0.0,
                choose=choose if options.confirm == "right" else none_of_them,
            )
        )
        result = report(rows, ended, site=site)
    if options.details is not None:
        lines = (
            json.dumps(item.as_row() | {"label": rows[item.i]["label"]}, ensure_ascii=False)
            for item in ended
        )
        options.details.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


def who_knows(label_of: Mapping[str, str]) -> Choose:
    """A shopper who takes the offered question that has the asked one's label, and none where none has."""

    def choose(text: str, options: Sequence[Option]) -> Any:
        right = (
            item["option"] for item in options if label_of.get(item["question"]) == label_of[text]
        )
        return next(right, None)

    return choose


def add_articles(
    connection: sqlite3.Connection, rows: Sequence[dict[str, str]], *, asked: set[str]
) -> None:
    """Stand-in articles, one per label: the stream's own shop would have them, the demo shop has not.

    Their typical wordings come from rows that are not replayed. Labels of unanswerable rows get none.
    """
    wordings: dict[str, list[str]] = {}
    for row in rows:
        known = wordings.setdefault(row["label"], [])
        if (
            row["text"] not in asked
            and row["text"] not in known
            and len(known) < WORDINGS_PER_ARTICLE
        ):
            known.append(row["text"])
    for number, (label, texts) in enumerate(sorted(wordings.items())):
        if texts and not label.startswith("oos"):
            title = label.rsplit(":", 1)[-1].replace("_", " ").lower()
            connection.execute(
                "INSERT INTO chatbot_article (site_id, key, locale, topic, title, text, asked_as, url, version,"
                " enabled, serve_while_stale, updated_at) VALUES (1, ?, 'en', 'stream', ?, ?, ?, '', 1, 1, 0,"
                " '2026-11-01 00:00:00')",
                (f"stream-{number}", title, _stand_in_text(title), json.dumps(texts)),
            )
    connection.execute("UPDATE base_revision SET number = number + 1")


def _stand_in_text(title: str) -> str:
    return f"This page is about {title}. Open the page {title} in the shop and follow its steps."


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def report(rows: Sequence[dict[str, str]], ended: Sequence[Ended], *, site: Site) -> dict[str, Any]:
    """The figures of one replay, every one computed from what was seen."""
    repeats = _repeats(rows)
    labels = {row["text"]: row["label"] for row in rows}
    wordings = dict(site.rows("SELECT id, text FROM cache_wording"))
    wrong = [
        item
        for item in ended
        if item.wording_id
        and labels.get(str(wordings.get(item.wording_id))) != rows[item.i]["label"]
    ]
    shared_calls = _repeats_that_called(ended, repeats, site=site)
    outcomes = Counter(item.outcome for item in ended)
    fresh = len(rows) - len(repeats)
    return {
        "questions": len(rows),
        "accepted": sum(item.accepted for item in ended),
        "answered": sum(
            item.outcome in ("exact", "semantic", "joined", "confirmed", "miss", "bypass")
            for item in ended
        ),
        "outcomes": dict(outcomes),
        "origins": dict(Counter(item.origin for item in ended)),
        "repeats": len(repeats),
        "impersonal_repeats_with_a_call": shared_calls,
        "semantic_share_of_non_repeats": round(outcomes["semantic"] / max(1, fresh), 4),
        "wrong": len(wrong),
        "wrong_share_of_all": round(len(wrong) / len(rows), 4),
        "wrong_pairs": [(rows[item.i]["text"], wordings.get(item.wording_id)) for item in wrong],
        **_money(site),
    }


def _repeats(rows: Sequence[dict[str, str]]) -> set[int]:
    """Rows whose normalised text came before."""
    seen: set[str] = set()
    repeats = set()
    for i, row in enumerate(rows):
        key = key_of(row["text"])
        if key in seen:
            repeats.add(i)
        seen.add(key)
    return repeats


def _repeats_that_called(ended: Sequence[Ended], repeats: set[int], *, site: Site) -> int:
    """Repeats of questions that may be shared and were nevertheless answered by a model."""
    return sum(
        item.i in repeats and item.outcome == "miss" and item.origin == "model" for item in ended
    )


def _money(site: Site) -> dict[str, Any]:
    bill = site.vendor.bill()
    ledger = site.rows(
        "SELECT endpoint_key, currency, count(*), sum(amount_nano), sum(input_tokens), sum(output_tokens) "
        "FROM routing_call WHERE outcome IN ('completed','aborted','unknown') AND amount_nano > 0 GROUP BY 1, 2"
    )
    refused = sum(row.get("refused_429", 0) for row in bill["rows"])
    booked: Counter[str] = Counter()
    for _, currency, _, amount, _, _ in ledger:
        booked[str(currency)] += int(str(amount))
    return {
        "upstream_calls": bill["totals"].get("requests"),
        "upstream_429": refused,
        "bill_nano": bill["totals"]["cost_nano"],
        "ledger_nano": dict(booked),
        "ledger_equals_bill": dict(booked)
        == {k: v for k, v in bill["totals"]["cost_nano"].items() if v},
        "endpoints_used": sorted(str(row[0]) for row in ledger),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Replay a labelled stream through the site.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rpm", type=int, default=300)
    parser.add_argument("--tpm", type=int, default=100_000)
    parser.add_argument(
        "--own-articles", action="store_true", help="Add stand-in articles for the stream's labels."
    )
    parser.add_argument(
        "--confirm",
        choices=["none", "right"],
        default="none",
        help="Which offered question shoppers take: none, or the one with the same label.",
    )
    parser.add_argument(
        "--vectors", type=Path, default=None, help="Folder with article vectors of an earlier run."
    )
    parser.add_argument(
        "--details", type=Path, default=None, help="Write one JSON line per question."
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
