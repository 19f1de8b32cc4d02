"""A burst of questions that nobody has asked before: how many calls remain without joins, by words, by meaning.

Several processes share Redis; their questions (200 intents in 5 to 6 wordings, popular ones asked far more often)
come at once and stay in flight until every one leads or waits. Vectors, vetoes and Redis are the real ones; a call
is a wait. A join is wrong when leader and joiner have different intents. Then the same burst again, and the
process with the most leaders is killed: everybody in the other processes must be answered.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.join_texts import intents
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.redis_server import running_redis
from benchmarks.site import ROOT
from cache.embedding import Embedder

QUESTIONS = {Scale.SHORT: 240, Scale.FULL: 5_000}
INTENTS = {Scale.SHORT: 20, Scale.FULL: 200}
PROCESSES = {Scale.SHORT: 2, Scale.FULL: 4}
POPULARITY = 1.05  # exponent of the law of Zipf, over intents
SEED = 11
END_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Texts with their intents and vectors, and the places in them that are asked for."""

    texts: list[str]
    labels: list[str]
    asked: list[int]
    folder: Path

    @property
    def vectors(self) -> Path:
        """Where the unit vectors of `texts` lie."""
        return self.folder / "vectors.npy"


def run(scale: Scale) -> list[Row]:
    """Exact and semantic joins on one burst, then a killed process."""
    with tempfile.TemporaryDirectory(prefix="joins-") as name:
        burst = _burst(scale, Path(name))
        asked = len(burst.asked)
        exact = _ended(burst, processes=PROCESSES[scale], semantic=False)
        semantic = _ended(burst, processes=PROCESSES[scale], semantic=True)
        killed = _ended(burst, processes=PROCESSES[scale], semantic=True, kill=True)
    calls = [sum(row["calls"] for row in rows) for rows in (exact, semantic)]
    wrong = [text for rows in (exact, semantic, killed) for row in rows for text in row["wrong"]]
    living = sum(row["asked"] for row in killed)
    ended = sum(row["calls"] + row["joined"] for row in killed)
    distinct = len(set(burst.asked))
    return [
        Row(
            "joins.calls_by_words",
            calls[0],
            f"<= {distinct}",
            f"{asked} questions at once without joins: {asked} calls; {distinct} texts",
        ),
        Row(
            "joins.calls_by_meaning",
            calls[1],
            f"<= {round(0.75 * calls[0])}",
            f"calls none : words : meaning = {asked} : {calls[0]} : {calls[1]}",
        ),
        Row("joins.wrong", len(wrong), "== 0", "; ".join(wrong[:3])),
        Row(
            "joins.lost_after_a_kill",
            living - ended,
            "== 0",
            f"{living} asked in the processes that lived",
        ),
    ]


def _burst(scale: Scale, folder: Path) -> Burst:
    wordings = intents(INTENTS[scale])
    texts = [text for group in wordings.values() for text in group]
    labels = [label for label, group in wordings.items() for _ in group]
    names = list(wordings)
    chosen = random.Random(SEED)
    chosen.shuffle(names)
    weight = {name: 1 / rank**POPULARITY for rank, name in enumerate(names, start=1)}
    weights = [weight[label] for label in labels]
    burst = Burst(
        texts, labels, chosen.choices(range(len(texts)), weights, k=QUESTIONS[scale]), folder
    )
    embedder = Embedder()
    embedder.start()
    try:
        np.save(burst.vectors, np.stack([each.vector for each in embedder.embed_now(texts)]))
    finally:
        embedder.stop()
    return burst


def _ended(
    burst: Burst, *, processes: int, semantic: bool, kill: bool = False
) -> list[dict[str, Any]]:
    """What came of the burst, by process; a killed one says nothing."""
    with (
        running_redis() as server,
        _joiners(burst, server.url, processes, semantic=semantic) as joiners,
    ):
        leaders = [_placed(joiner) for joiner in joiners]
        if kill:
            joiners.pop(leaders.index(max(leaders))).kill()
        rows = []
        for joiner in joiners:
            assert joiner.stdin is not None
            joiner.stdin.write("land\n")
            joiner.stdin.flush()
        for joiner in joiners:
            printed, _ = joiner.communicate(timeout=END_WITHIN_S)
            rows.append(json.loads(printed.splitlines()[-1]))
        return rows


@contextmanager
def _joiners(
    burst: Burst, redis_url: str, processes: int, *, semantic: bool
) -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    try:
        for number in range(processes):
            order = burst.folder / f"order-{number}.json"
            fields = {"redis": redis_url, "texts": burst.texts, "labels": burst.labels}
            fields |= {"vectors": str(burst.vectors) if semantic else ""}
            fields |= {"asked": burst.asked[number::processes]}
            order.write_text(json.dumps(fields))
            command = [sys.executable, "-m", "benchmarks.faults.joiners", str(order)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            started.append(subprocess.Popen(command, cwd=ROOT, text=True, **pipes))
        yield list(started)
    finally:
        for process in started:
            process.kill()
            process.communicate()  # closes its pipes as well


def _placed(process: subprocess.Popen[str]) -> int:
    """Wait until everybody in a process leads or waits; how many lead."""
    assert process.stdout is not None
    word, _, number = process.stdout.readline().partition(" ")
    if word != "placed":
        message = "a process of the burst ended before its time"
        raise RuntimeError(message)
    return int(number)
