"""The two programs that can encode a question, side by side: ONNX Runtime and sentence-transformers.

`python -m benchmarks.embedding` prints a table as Markdown and stores it in
`benchmarks/results/embedding.json`. Both encode the same questions of `tests/data/`, one at a time and
queued all at once, in turn and several rounds; a cell counts with its best round, because whatever else runs on the
machine only ever slows it down. The cosine is that between the vectors of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cache.embedding import Embedder
from cache.embedding_check import lowest_cosine

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "embedding.json"
FILES = ("routing_en", "unanswerable_en", "personal_en")


@dataclass(frozen=True, slots=True)
class Cell:
    """One program: one text at a time, and all texts queued at once."""

    runs_on: str
    one_p50_ms: float
    one_p95_ms: float
    queued_per_s: float


def questions(count: int) -> list[str]:
    """Shoppers' questions in English, of mixed lengths."""
    found: list[str] = []
    for name in FILES:
        with (ROOT / "tests" / "data" / f"{name}.csv").open(encoding="utf-8") as file:
            found += [row["text"] for row in csv.DictReader(file)]
    order = np.random.default_rng(1).permutation(len(found))[:count]
    return [found[place] for place in order]


def measure(embedder: Embedder, texts: list[str]) -> Cell:
    """One round."""
    took = []
    for text in texts:
        began_s = time.perf_counter()
        asyncio.run(_all(embedder, [text]))
        took.append((time.perf_counter() - began_s) * 1e3)
    began_s = time.perf_counter()
    asyncio.run(_all(embedder, texts))
    per_s = len(texts) / (time.perf_counter() - began_s)
    return Cell(
        embedder.runs_on.split(":")[0],
        float(np.percentile(took, 50)),
        float(np.percentile(took, 95)),
        per_s,
    )


async def _all(embedder: Embedder, texts: list[str]) -> None:
    await asyncio.gather(*(embedder.embed(text) for text in texts))


def best(cells: list[Cell]) -> Cell:
    """The best figure of each column."""
    return Cell(
        cells[0].runs_on,
        min(cell.one_p50_ms for cell in cells),
        min(cell.one_p95_ms for cell in cells),
        max(cell.queued_per_s for cell in cells),
    )


def table(onnx: Cell, itself: Cell) -> str:
    """Both as Markdown, with the ratio."""
    rows = [
        f"| {cell.runs_on} | {cell.one_p50_ms:.1f} / {cell.one_p95_ms:.1f} ms | {cell.queued_per_s:.0f}/s |"
        for cell in (itself, onnx)
    ]
    ratio = (
        f"| ratio | {itself.one_p50_ms / onnx.one_p50_ms:.2f}x / {itself.one_p95_ms / onnx.one_p95_ms:.2f}x |"
        f" {onnx.queued_per_s / itself.queued_per_s:.2f}x |"
    )
    head = ["| encoder | one at a time, p50 / p95 | queued |", "|---|---|---|"]
    return "\n".join([*head, *rows, ratio])


def main() -> None:
    """Measure both in turn, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    texts = questions(options.texts)
    with tempfile.TemporaryDirectory() as folder:
        both = (Embedder(folder=Path(folder)), Embedder())
    for embedder in both:
        embedder.start()
    cells = [[measure(embedder, texts) for embedder in both] for _ in range(options.rounds)]
    onnx, itself = (best(list(column)) for column in zip(*cells, strict=True))
    vectors = [np.stack([item.vector for item in one.embed_now(texts)]) for one in both]
    print(table(onnx, itself))
    print(f"lowest cosine between the two: {lowest_cosine(vectors[1], vectors[0]):.7f}")
    rows = [asdict(cell) for cell in (onnx, itself)]
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for embedder in both:
        embedder.stop()


if __name__ == "__main__":
    main()
