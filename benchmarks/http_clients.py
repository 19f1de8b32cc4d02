"""HTTP clients side by side: many one-second streams at once, by each library that is installed.

`python -m benchmarks.http_clients` prints a table as Markdown and stores it in
`benchmarks/results/http_clients.json`. Every round measures every cell once, one after the other, so
that all clients meet the same machine; a cell counts with its best round, because whatever else runs
there only ever slows it down. docs/http-clients.md has the method and the decision that follows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.sse_vendor import running_vendor
from benchmarks.stream_clients import CLIENTS, Cell, cell, missing

RESULTS = Path(__file__).resolve().parent / "results" / "http_clients.json"
CONCURRENCIES = (100, 300, 1_000)
Best = dict[tuple[str, int], Cell]


def measure(
    names: Sequence[str], *, concurrencies: Sequence[int], seconds: float, rounds: int
) -> Best:
    """The best round of every cell: the one with most streams a second."""
    best: Best = {}
    with running_vendor() as url:
        for _ in range(rounds):
            for concurrency in concurrencies:
                for name in names:
                    found = cell(name, url, concurrency=concurrency, seconds=seconds)
                    key = (name, concurrency)
                    if key not in best or best[key].streams_per_s < found.streams_per_s:
                        best[key] = found
                    _say(f"  {name} at {concurrency}: {found.streams_per_s:.0f}/s")
    return best


def table(best: Best, *, names: Sequence[str], concurrencies: Sequence[int]) -> str:
    """Streams a second, as a multiple of httpx at the same concurrency, CPU and duration."""
    head = "".join(f" {n} at once |" for n in concurrencies)
    lines = [f"| client |{head}", "|---|" + "---|" * len(concurrencies)]
    for name in names:
        cells = "".join(f" {_words(best, name, n)} |" for n in concurrencies)
        lines.append(f"| {name} |{cells}")
    return "\n".join(lines)


def _words(best: Best, name: str, concurrency: int) -> str:
    found, base = best[name, concurrency], best.get(("httpx", concurrency))
    ratio = f" ({found.streams_per_s / base.streams_per_s:.1f}x)" if _counts(base) else ""
    failed = f", {found.failed} failed" if found.failed else ""
    return (
        f"{found.streams_per_s:.0f}/s{ratio}, {found.cpu_ms_per_stream:.2f} ms CPU,"
        f" median {found.median_s:.2f} s{failed}"
    )


def _counts(base: Cell | None) -> bool:
    return base is not None and base.streams_per_s > 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Measure what is installed, print the table and store the cells."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http_clients", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CLIENT", help=", ".join(CLIENTS))
    parser.add_argument("--concurrency", type=int, nargs="+", default=list(CONCURRENCIES))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    asked = options.names or list(CLIENTS)
    absent = missing(asked)
    for name in absent:
        _say(f"skipped: {name} is not installed")
    names = [name for name in asked if name not in absent]
    best = measure(
        names,
        concurrencies=options.concurrency,
        seconds=options.seconds,
        rounds=options.rounds,
    )
    sys.stdout.write(table(best, names=names, concurrencies=options.concurrency) + "\n")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(found) for found in best.values()], indent=1) + "\n")


if __name__ == "__main__":
    main()
