"""`make bench-cache DATA=DIR`: the product's cache decision beside the peers on DIR/streams/*_fresh.csv.

Writes benchmarks/results/cache.json and the table of docs/cache-quality.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
django.setup()

from benchmarks.cache_quality.compare import compare  # noqa: E402 - Django has to be set up first
from benchmarks.cache_quality.judges import judges_of  # noqa: E402 - Django has to be set up first
from benchmarks.cache_quality.report import RESULTS, markdown, write_page  # noqa: E402 - Django has to be set up first
from benchmarks.cache_quality.streams import read  # noqa: E402 - Django has to be set up first
from cache.embedding import Embedder  # noqa: E402 - Django has to be set up first
from chatbot.guard import Guard  # noqa: E402 - Django has to be set up first
from chatbot.guard_model import GuardModel  # noqa: E402 - Django has to be set up first

# Every stream of fresh texts; longer ones only take longer.
FRESH, MOST_ROWS = "*_fresh.csv", 6_300


def main() -> None:
    """Play every stream and write what came out."""
    parser = argparse.ArgumentParser(prog="benchmarks.cache_quality")
    parser.add_argument("data", type=Path, help="a folder with streams/*.csv (text,label)")
    parser.add_argument("--pattern", default=FRESH)
    parser.add_argument(
        "--rows", type=int, default=MOST_ROWS, help="at most so many rows of each stream"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true", help="leave GPTCache out")
    options = parser.parse_args()
    paths = sorted((options.data / "streams").glob(options.pattern))
    if not paths:
        parser.error(f"{options.data}/streams has no {options.pattern}")
    guard, embedder = Guard(GuardModel.load()), Embedder()
    rows = []
    streams = [read(path, guard=guard, embedder=embedder, limit=options.rows) for path in paths]
    for stream in streams:
        sys.stdout.write(f"{stream.name}: {len(stream.texts)} of {stream.rows} rows not refused\n")
        sys.stdout.flush()
        judges = judges_of(stream, streams)
        rows += compare(stream, judges=judges, seed=options.seed, peers=not options.no_peers)
        sys.stdout.write(f"{markdown([row for row in rows if row['stream'] == stream.name])}\n")
        sys.stdout.flush()
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.rows == MOST_ROWS and options.pattern == FRESH and not options.no_peers:
        write_page(rows)


if __name__ == "__main__":
    main()
