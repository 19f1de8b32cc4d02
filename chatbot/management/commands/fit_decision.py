"""Fit the cache's decision models from labelled questions and store their weights as data."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from base.text import Language, language_of
from cache.embedding import Embedder
from cache.evidence import FEATURES
from cache.fitting import (
    BUDGETS,
    LINKED_LOST_SHARE,
    LOST_SHARE,
    MOST_ROWS,
    Paired,
    fit,
    least_bound,
    play,
    play_small,
    upper_share,
)
from cache.judgement import MODEL_PATH, Fitted
from cache.labelled import Labelled
from cache.ngrams import (
    FREQUENCIES_PATH,
    Frequencies,
    count_frequencies,
    ngram_vector,
    shipped_frequencies,
)
from chatbot.guard import Guard
from chatbot.guard_model import GuardModel
from chatbot.guard_training import written

OWN_CHINESE = MODEL_PATH.parent / "train_zh.csv"
CHINESE_PARTS = 3
SHUFFLE_SEED = 7


class Command(BaseCommand):
    help = (
        "Fit how sure the cache is of a neighbour's answer. English needs files of labelled questions "
        "(columns text,label; equal labels share an answer); Chinese is fitted on the project's own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--english", nargs="+", type=Path, metavar="FILE", help="Two files or more."
        )
        parser.add_argument("--only-chinese", action="store_true")
        parser.add_argument(
            "--pairs",
            nargs="*",
            type=Path,
            default=[],
            metavar="FILE",
            help="Pairs that differ in little (left,right,same,split); only rows of split dev are used.",
        )

    def handle(self, *args: object, **options: Any) -> None:
        self.guard = Guard(GuardModel.load())
        self.pairs: list[Path] = options["pairs"]
        stored = json.loads(MODEL_PATH.read_text("utf-8")) if MODEL_PATH.exists() else {}
        stored["ngrams/zh-hans"] = self._chinese()
        if not options["only_chinese"]:
            files: list[Path] = options["english"] or []
            if len(files) < 2:
                message = "give --english at least two files, or --only-chinese"
                raise CommandError(message)
            stored["minilm/en"] = self._english(files)
        MODEL_PATH.write_text(json.dumps(stored, sort_keys=True, indent=0) + "\n", "utf-8")
        self.stdout.write(f"wrote {MODEL_PATH.name}, {MODEL_PATH.stat().st_size / 1e3:.0f} kB")

    def _english(self, files: Sequence[Path]) -> dict[str, object]:
        embedder = Embedder()
        sets = []
        for file in files:
            texts, labels = self._rows(file, language="en")
            vectors = np.stack([item.vector for item in embedder.embed_now(texts)])
            sets.append(Labelled(texts, labels, vectors))
        pairs = [
            Paired(*row, np.stack([item.vector for item in embedder.embed_now(list(row[:2]))]))
            for row in self._contrasts("en")
        ]
        return self._fitted(sets, name="minilm/en", pairs=pairs)

    def _chinese(self) -> dict[str, object]:
        texts, labels = self._rows(OWN_CHINESE, language="zh-hans")
        counted = count_frequencies([*(item.text for item in written("zh-hans")), *texts])
        _write_frequencies(counted)
        shipped_frequencies.cache_clear()
        rows = list(zip(texts, labels, strict=True))
        random.Random(SHUFFLE_SEED).shuffle(rows)  # noqa: S311 - an order, not a secret
        subjects = sorted(set(labels))
        random.Random(SHUFFLE_SEED).shuffle(subjects)  # noqa: S311 - an order, not a secret
        part_of = {label: number % CHINESE_PARTS for number, label in enumerate(subjects)}
        sets = [
            _ngram_set([row for row in rows if part_of[row[1]] == part], frequencies=counted)
            for part in range(CHINESE_PARTS)
        ]
        pairs = []
        for stored, asked, same in self._contrasts("zh-hans"):
            found = [ngram_vector(text, frequencies=counted) for text in (stored, asked)]
            if found[0] is not None and found[1] is not None:
                pairs.append(Paired(stored, asked, same, np.stack([found[0], found[1]])))
        return self._fitted(sets, name="ngrams/zh-hans", pairs=pairs)

    def _contrasts(self, language: Language) -> list[tuple[str, str, bool]]:
        """Pairs of a language that were written for fitting."""
        found = []
        for file in self.pairs:
            with file.open(encoding="utf-8", newline="") as opened:
                found += [_contrast(row) for row in csv.DictReader(opened) if _may_be_seen(row)]
        return [pair for pair in found if language_of(pair[0]) == language]

    def _rows(self, file: Path, *, language: Language) -> tuple[list[str], list[str]]:
        """Questions that the guard lets into the shared cache, and their labels."""
        with file.open(encoding="utf-8", newline="") as opened:
            rows = [
                (row["text"], row["label"])
                for row in csv.DictReader(opened)
                if self.guard.inspect(row["text"], language=language).may_share
            ]
        self.stdout.write(f"{file.name}: {len(rows)} questions that may be shared")
        rows = rows[:MOST_ROWS]
        return [text for text, _ in rows], [label for _, label in rows]

    def _fitted(
        self,
        sets: Sequence[Labelled],
        *,
        name: str,
        pairs: Sequence[Paired],
    ) -> dict[str, object]:
        """The model of all sets; its bounds come from models that had not seen the set they judge.

        They hold for the set played whole, before and after answers stored twice are merged, and for small caches.
        """
        plays = []
        for left_out, questions in enumerate(sets):
            others = [item for number, item in enumerate(sets) if number != left_out]
            model = fit(others, name=name, pairs=pairs)
            for lost_share in (LOST_SHARE, LINKED_LOST_SHARE):
                judged = play(questions, probability=model.probability, lost_share=lost_share)
                plays.append((len(questions.texts), judged))
            plays.append(play_small(questions, probability=model.probability))
        bounds = [(budget, least_bound(plays, budget=budget)) for budget in BUDGETS]
        for budget, bound in bounds:
            self._say(name, budget, bound, plays)
        whole = fit(sets, name=name, pairs=pairs)
        known = tuple((budget, bound) for budget, bound in bounds if bound is not None)
        return _as_data(replace(whole, bounds=known))

    def _say(self, name: str, budget: float, bound: float | None, plays: Sequence[Any]) -> None:
        if bound is None:
            self.stdout.write(f"{name}, budget {budget:.2%}: no bound is strict enough")
            return
        for count, judged in plays:
            hits = sum(item.probability >= bound for item in judged)
            wrong = sum(item.probability >= bound and not item.right for item in judged)
            self.stdout.write(
                f"{name}, budget {budget:.2%}, bound {bound:.4f}: {hits / count:.1%} of {count} hit, "
                f"{wrong / count:.2%} wrong (up to {upper_share(wrong, of=count):.2%})"
            )


def _may_be_seen(row: Mapping[str, str]) -> bool:
    """Held rows are left for the tests; pairs of guards that look at one text say nothing here."""
    return row.get("split", "dev") == "dev" and row.get("guard") not in ("personal", "context")


def _contrast(row: Mapping[str, str]) -> tuple[str, str, bool]:
    """Both forms of pairs: left,right,same and a,b,kind."""
    if "left" in row:
        return row["left"], row["right"], row["same"] == "1"
    return row["a"], row["b"], row["kind"] == "must_allow"


def _ngram_set(rows: Sequence[tuple[str, str]], *, frequencies: Frequencies) -> Labelled:
    vectors = [ngram_vector(text, frequencies=frequencies) for text, _ in rows]
    kept = [(row, vector) for row, vector in zip(rows, vectors, strict=True) if vector is not None]
    return Labelled(
        texts=[row[0] for row, _ in kept],
        labels=[row[1] for row, _ in kept],
        vectors=np.stack([vector for _, vector in kept]),
    )


def _write_frequencies(counted: Frequencies) -> None:
    stored = {"texts": counted.texts, "counts": dict(counted.counts)}
    FREQUENCIES_PATH.write_text(
        json.dumps(stored, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n",
        "utf-8",
    )


def _as_data(model: Fitted) -> dict[str, object]:
    size = len(model.mean)
    data = {
        "features": list(FEATURES),
        "mean": _rounded(model.mean),
        "spread": _rounded(model.spread),
        "linear": _rounded(model.linear),
        "products": _rounded(model.products[np.triu_indices(size)]),
        "intercept": round(model.intercept, 5),
        "bounds": [list(pair) for pair in model.bounds],
    }
    return data | {"digest": weights_digest(data)}


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def weights_digest(data: Mapping[str, object]) -> str:
    """Names a model by its own numbers: what was learned from live labels for others is not laid on it."""
    numbers = {name: value for name, value in data.items() if name != "digest"}
    whole = json.dumps(numbers, sort_keys=True).encode()
    return hashlib.blake2b(whole, digest_size=4).hexdigest()
