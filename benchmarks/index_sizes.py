"""The index of one partition at several sizes: search, memory, adding, deleting, building, recall.

`python -m benchmarks.index_sizes` prints a table as Markdown and stores it in
`benchmarks/results/index_sizes.json`. Each size runs in a process of its own, so that its memory is its own.
Vectors are synthetic: unit vectors of 384 numbers, twenty around each middle at a cosine of about 0.8; a
question lies at about 0.93 from a stored one, as a repeat in other words does. Times are wall-clock
times of one thread, with its processor time beside them, because other work lengthens the first only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cache.index import use_one_thread
from cache.index_large import LargeIndex
from cache.partitions import Partitions
from cache.snapshots import Part, SnapshotFile, Stand

RESULTS = Path(__file__).resolve().parent / "results" / "index_sizes.json"
ROOT = Path(__file__).resolve().parent.parent
DIMENSION, PER_MIDDLE, SPREAD, STRAY = 384, 20, 0.5, 0.4
SIZES = (10_000, 100_000, 1_000_000)
AT_ONCE = 20_000
SEARCHES, EXACT_SEARCHES, CHANGES, NEIGHBOURS = 400, 100, 1_000, 8
PAUSE_S = 0.2
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """One size. Times of a search and of a change are medians and 95th percentiles."""

    wordings: int
    search_p50_ms: float
    search_p95_ms: float
    search_cpu_ms: float
    exact_p50_ms: float
    recall_at_8: float
    memory_mb: float
    add_us: float
    delete_us: float
    build_s: float
    snapshot_mb: float
    snapshot_write_s: float
    snapshot_load_s: float


class Vectors:
    """The stored vectors and the questions, the same for every run."""

    def __init__(self, count: int) -> None:
        self._random = np.random.default_rng(count)
        self._middles = self._random.standard_normal(
            (max(1, count // PER_MIDDLE), DIMENSION), dtype=np.float32
        )
        self._count = count

    def parts(self) -> Iterator[Matrix]:
        """All of them, some at once."""
        for start in range(0, self._count, AT_ONCE):
            yield self._some(min(AT_ONCE, self._count - start))

    def _some(self, count: int) -> Matrix:
        rows = self._middles[self._random.integers(0, len(self._middles), count)]
        return _unit(rows + SPREAD * self._noise(count))

    def questions(self, near: Matrix) -> Matrix:
        """A question beside each of some stored vectors."""
        return _unit(near * np.sqrt(DIMENSION) + STRAY * self._noise(len(near)))

    def _noise(self, count: int) -> Matrix:
        return self._random.standard_normal((count, DIMENSION), dtype=np.float32)


def _unit(rows: Matrix) -> Matrix:
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def measure(count: int) -> Row:
    """Fill, build, search and change an index of `count` vectors, on its one thread."""
    vectors = Vectors(count)
    before_mb = _memory_mb()
    with ThreadPoolExecutor(1, initializer=use_one_thread) as owner:
        index = LargeIndex(DIMENSION, owner=owner)
        near = owner.submit(_filled, index, vectors).result()
        build_s = _build(index, owner)
        memory_mb = _memory_mb() - before_mb
        questions = vectors.questions(near)
        walls, cpus, recall, exact = owner.submit(_searched, index, questions).result()
        add_us, delete_us = owner.submit(_changed, index, near).result()
    size_mb, write_s, load_s = _snapshot(index)
    return Row(
        wordings=count,
        search_p50_ms=float(np.percentile(walls, 50)),
        search_p95_ms=float(np.percentile(walls, 95)),
        search_cpu_ms=float(np.percentile(cpus, 50)),
        exact_p50_ms=float(np.percentile(exact, 50)),
        recall_at_8=recall,
        memory_mb=memory_mb,
        add_us=add_us,
        delete_us=delete_us,
        build_s=build_s,
        snapshot_mb=size_mb,
        snapshot_write_s=write_s,
        snapshot_load_s=load_s,
    )


def _filled(index: LargeIndex, vectors: Vectors) -> Matrix:
    """Put all in; returns some of them, spread over the whole."""
    item_id = 0
    for rows in vectors.parts():
        for row in rows:
            index.flat.add(item_id, row)
            item_id += 1
    return index.flat.sample(SEARCHES)


def _build(index: LargeIndex, owner: ThreadPoolExecutor) -> float:
    began_s = time.perf_counter()
    owner.submit(index.build_if_due).result()
    while index.builds:
        time.sleep(PAUSE_S)
    return time.perf_counter() - began_s if index.is_large else 0.0


def _searched(
    index: LargeIndex, questions: Matrix
) -> tuple[list[float], list[float], float, list[float]]:
    """Wall and processor time of each search in ms, recall, and wall time of comparing with all."""
    walls, cpus, exact, hits = [], [], [], 0
    for question in questions:
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        index.search(question, count=NEIGHBOURS)
        walls.append((time.perf_counter() - wall_s) * 1e3)
        cpus.append((time.thread_time() - cpu_s) * 1e3)
    some = questions[:: max(1, len(questions) // EXACT_SEARCHES)]
    for question in some:
        wall_s = time.perf_counter()
        true = index.flat.search(question, count=NEIGHBOURS)
        exact.append((time.perf_counter() - wall_s) * 1e3)
        found = index.search(question, count=NEIGHBOURS)
        hits += len({key for key, _ in true} & {key for key, _ in found})
    return walls, cpus, hits / (NEIGHBOURS * len(some)), exact


def _changed(index: LargeIndex, rows: Matrix) -> tuple[float, float]:
    """Median processor time of adding one and of deleting one, in microseconds."""
    first = 10_000_000
    ids = list(range(first, first + CHANGES))
    adds = _each(ids, lambda item_id: index.add(item_id, rows[item_id % len(rows)]))
    old = list(range(0, CHANGES * 5, 5))
    return adds, _each(old, index.remove)


def _each(ids: list[int], work: Callable[[int], object]) -> float:
    took = []
    for item_id in ids:
        cpu_s = time.thread_time()
        work(item_id)
        took.append((time.thread_time() - cpu_s) * 1e6)
    return float(np.median(took))


def _snapshot(index: LargeIndex) -> tuple[float, float, float]:
    """Size of the snapshot in MB, and the seconds to write it and to start from it."""
    with tempfile.TemporaryDirectory() as folder:
        file = SnapshotFile(Path(folder), engine_id="benchmark", dimension=DIMENSION)
        kept = Partitions(DIMENSION)
        kept._indexes["p"] = index  # as a process has it that has run for long
        began_s = time.perf_counter()
        kept.write(file, Stand(seq=1, mark="benchmark"))
        write_s = time.perf_counter() - began_s
        size_mb = file.path.stat().st_size / 1e6
        began_s = time.perf_counter()
        read = file.read()
        assert read is not None
        kept._fill("again", read.parts.get("p", Part()), {})
        load_s = time.perf_counter() - began_s
        kept.stop()
        return size_mb, write_s, load_s


def _memory_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1e3


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| wordings | search p50 / p95 (CPU) | comparing with all, p50 | recall of 8 | memory | add | delete | build |"
        " snapshot: size, write, load |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.wordings:,} | {row.search_p50_ms:.2f} / {row.search_p95_ms:.2f} ms ({row.search_cpu_ms:.2f}) |"
        f" {row.exact_p50_ms:.2f} ms | {row.recall_at_8:.4f} | {row.memory_mb:,.0f} MB | {row.add_us:.0f} us |"
        f" {row.delete_us:.0f} us | {row.build_s:.1f} s | {row.snapshot_mb:,.0f} MB, {row.snapshot_write_s:.1f} s,"
        f" {row.snapshot_load_s:.1f} s |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure every size in a process of its own, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--one", type=int, help="Measure this size here and print it as JSON.")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measure(options.one))))
        return
    rows = []
    for size in options.sizes:
        command = [sys.executable, "-m", "benchmarks.index_sizes", "--one", str(size)]
        ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(Row(**json.loads(ended.stdout)))
        print(f"  {size:,} done", flush=True)
    print(table(rows))
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
