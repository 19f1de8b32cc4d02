"""The cache comparison in short: its rule, its simulated shop, and our decision on the project's own questions."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cache_quality import methods, ours
from benchmarks.cache_quality.rules import fixed_bound, halves, shares
from benchmarks.cache_quality.shop import WORDINGS, Shop
from benchmarks.cache_quality.streams import Stream
from cache.judgement import shipped
from cache.ngrams import ngram_vector, shipped_frequencies

QUESTIONS = Path(__file__).resolve().parents[2] / "cache/decision_data/train_zh.csv"
FEWEST_WORDINGS = 8


@pytest.fixture(scope="module")
def stream() -> Stream:
    """Some of the project's own Chinese questions in a fixed order."""
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)][:360]
    random.Random(4).shuffle(rows)
    found = [ngram_vector(text, frequencies=shipped_frequencies()) for text, _ in rows]
    vectors = np.stack([vector for vector in found if vector is not None])
    assert len(vectors) == len(rows)
    return Stream(
        name="own",
        texts=[text for text, _ in rows],
        labels=[label for _, label in rows],
        vectors=vectors,
        model_vectors=vectors,
        rows=400,
        language="zh-hans",
    )


def test_the_bound_is_fixed_on_one_half() -> None:
    """The most hits with few enough wrong ones on the even rows; the odd rows do not count."""
    good = [True, False] * 500  # right on every even row, wrong on every odd one
    bad = [False, True] * 500
    assert fixed_bound({0.9: good, 0.8: bad}) == 0.9
    assert fixed_bound({0.8: bad}) is None
    assert shares(halves(good)[1]).wrong == 1.0


def test_an_answer_is_told_in_many_wordings(stream: Stream) -> None:
    """At least eight texts per label, found by the shop's own retrieval or not told at all."""
    shop = Shop(stream, seed=1)
    told = {}
    for text, label in zip(stream.texts, stream.labels, strict=True):
        for _ in range(WORDINGS):
            answer = shop.tell(text, label)
            if answer is not None:
                told.setdefault(label, set()).add(answer.text)
    assert np.median([len(texts) for texts in told.values()]) >= FEWEST_WORDINGS


def test_our_decision_serves_more_than_a_static_bound(stream: Stream) -> None:
    """On the same rows and vectors: more hits than any static bound at no more wrong answers."""
    judgement = shipped()["ngrams/zh-hans"]
    run = ours.play(
        stream, shop=Shop(stream, seed=1), judgement=judgement, min_probability=0.8, seed=1
    )
    mine = shares(run.outcomes)
    static = [
        shares(methods.static(stream, vectors=stream.vectors, min_cosine=step / 50))
        for step in range(20, 50)
    ]
    best = max((found.hit for found in static if found.wrong <= mine.wrong), default=0.0)
    assert mine.hit > best
    assert run.identity.precision > 0.9
    assert run.identity.merged > 0
    assert run.identity.in_one > run.identity.recall


def test_lost_identities_cost_hits(stream: Stream) -> None:
    """Where answers are not recognised, neighbours cannot vote."""
    judgement = shipped()["ngrams/zh-hans"]
    whole = ours.play(
        stream, shop=Shop(stream, seed=1), judgement=judgement, min_probability=0.8, seed=1
    )
    lost = ours.play(
        stream,
        shop=Shop(stream, seed=1),
        judgement=judgement,
        min_probability=0.8,
        seed=1,
        lost_share=0.5,
    )
    assert lost.identity.recall < whole.identity.recall
    assert shares(lost.outcomes).hit <= shares(whole.outcomes).hit
