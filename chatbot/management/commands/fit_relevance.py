"""Fit the relevance model from its training questions and the demo articles; store it as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from base.text import Language
from cache.embedding import Embedder
from cache.vectors import KnownVectors
from chatbot.configuration import knowledge_of
from chatbot.relevance import MODEL_PATH, VECTOR_SCALE, figures, marks, with_vector
from chatbot.relevance_training import (
    Example,
    demo_articles,
    digest_of,
    examples,
    usual_language,
    without,
)
from chatbot.vectorising import MAX_UNKNOWN_SHARE

LANGUAGES: tuple[Language, ...] = ("en", "zh-hans")
SMALLEST_WEIGHT = 0.03
FOLDS = 6
Table = tuple[Any, NDArray[np.int_], NDArray[np.float64]]


class Command(BaseCommand):
    help = "Fit the check of stored answers' relevance and write its weights."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--strength", type=float, default=0.3, help="Inverse regularisation.")
        parser.add_argument(
            "--show", type=int, default=0, help="Print so many questions of each kind judged worst."
        )
        parser.add_argument(
            "--loses", type=float, default=0.05, help="Share of answerable questions not stored."
        )

    def handle(self, *args: object, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        embedder = Embedder(settings.EMBEDDING_MODEL, folder=settings.DATA_DIR)
        self._vectors = KnownVectors(
            embedder, folder=settings.DATA_DIR, max_unknown_share=MAX_UNKNOWN_SHARE
        )
        model: dict[str, dict[str, object]] = {
            language: self._fit(language, options, vectors=False) for language in LANGUAGES
        }
        model[with_vector("en")] = self._fit("en", options, vectors=True)
        model[with_vector("en")]["engine_id"] = embedder.engine_id
        stored = json.dumps(model, ensure_ascii=False, sort_keys=True, indent=0)
        MODEL_PATH.write_text(stored + "\n", encoding="utf-8")
        self.stdout.write(f"wrote {MODEL_PATH.name}, {MODEL_PATH.stat().st_size / 1e6:.2f} MB")

    def _fit(
        self, language: Language, options: dict[str, Any], *, vectors: bool
    ) -> dict[str, object]:
        training, usual = examples(language), usual_language(language)
        counted, marked, passed = self._shown(language, training, vectors=vectors)
        values = DictVectorizer(sparse=False)
        plain = values.fit_transform(counted)
        mean, deviation = plain.mean(axis=0), plain.std(axis=0)
        deviation[deviation == 0] = 1.0
        names = DictVectorizer()
        parts = [csr_matrix((plain - mean) / deviation), names.fit_transform(marked)]
        if vectors:
            parts.append(csr_matrix(self._directions(training) * VECTOR_SCALE))
        inputs = hstack(parts)
        table = (inputs.tocsr(), _labels(training), _balanced(training))
        regression = LogisticRegression(C=options["strength"], max_iter=3_000)
        bound = self._judge(f"{language}, {vectors=}", regression, table, training, passed, options)
        regression.fit(table[0], table[1], sample_weight=table[2])
        found = regression.coef_[0]
        count = len(values.feature_names_)
        end = count + len(names.feature_names_)
        return {
            "scales": {
                name: [round(float(number), 4) for number in row]
                for name, *row in zip(
                    values.feature_names_, mean, deviation, found[:count], strict=True
                )
            },
            "weights": {
                name: round(float(weight), 3)
                for name, weight in zip(names.feature_names_, found[count:end], strict=True)
                if abs(weight) >= SMALLEST_WEIGHT
            },
            "intercept": round(float(regression.intercept_[0]), 4),
            "bound": round(bound, 3),
            "total": usual.total,
            "counts": dict(usual.counts),
            "digest": digest_of(training),
            "direction": [round(float(weight), 4) for weight in found[end:]],
        }

    def _shown(
        self, language: Language, training: Sequence[Example], *, vectors: bool
    ) -> tuple[list[dict[str, float]], list[dict[str, float]], NDArray[np.bool_]]:
        """Figures and marks of every question with its best article, and whether that passes the floor."""
        knowledge = knowledge_of(demo_articles(language), embed=self._vectors.get)
        usual = usual_language(language)
        asked = self._vectors.get([example.text for example in training])
        asked = asked if vectors else [None] * len(training)
        counted, marked, passed = [], [], []
        for example, vector in zip(training, asked, strict=True):
            found = knowledge.rank(example.text, vector=vector)[:3]
            own = without(usual, example.text) if example.answerable else usual
            counted.append(figures(example.text, chosen=found[0], found=found, usual=own))
            marked.append(marks(example.text, article=found[0].article))
            passed.append(bool(knowledge.search(example.text, vector=vector, count=1)))
        return counted, marked, np.array(passed)

    def _directions(self, training: Sequence[Example]) -> NDArray[np.float32]:
        """The questions' unit vectors; zeros where the embedding model does not know the words."""
        rows = self._vectors.get([example.text for example in training])
        nothing = np.zeros(len(next(row for row in rows if row is not None)), dtype=np.float32)
        return np.stack([nothing if row is None else row for row in rows])

    def _judge(
        self,
        name: str,
        regression: LogisticRegression,
        table: Table,
        training: Sequence[Example],
        passed: NDArray[np.bool_],
        options: dict[str, Any],
    ) -> float:
        """The bound at which `--loses` of the answerable are lost; every one judged by a fit without it."""
        inputs, labels, weights = table
        doubts = np.zeros(len(labels))
        for fitted, judged in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(
            labels, labels
        ):
            regression.fit(inputs[fitted], labels[fitted], sample_weight=weights[fitted])
            doubts[judged] = regression.predict_proba(inputs[judged])[:, 1]
        sure = np.array([example.weight == 1.0 for example in training])
        answerable = doubts[passed & sure & (labels == 0)]
        unanswerable = doubts[passed & (labels == 1)]
        self._show(training, doubts, passed, options["show"])
        for share in sorted({0.05, 0.08, 0.1, 0.15, options["loses"]}):
            bound = float(np.quantile(answerable, 1 - share))
            caught = (unanswerable >= bound).mean()
            self.stdout.write(
                f"{name}: bound {bound:.3f} loses {share:.0%} of {len(answerable)} answerable,"
                f" keeps out {caught:.1%} of {len(unanswerable)} unanswerable above the floor"
            )
        return float(np.quantile(answerable, 1 - options["loses"]))

    def _show(
        self,
        training: Sequence[Example],
        doubts: NDArray[np.float64],
        passed: NDArray[np.bool_],
        count: int,
    ) -> None:
        """The questions above the floor that a fit without them took for the other kind."""
        above = [
            (float(doubt), example)
            for example, doubt, enough in zip(training, doubts, passed, strict=True)
            if enough
        ]
        for answerable in (True, False):
            own = [(doubt, row.text) for doubt, row in above if row.answerable == answerable]
            for doubt, text in sorted(own, reverse=answerable)[:count]:
                self.stdout.write(f"  {'' if answerable else 'un'}answerable {doubt:.2f}  {text}")


def _labels(training: Sequence[Example]) -> NDArray[np.int_]:
    return np.array([int(not example.answerable) for example in training])


def _balanced(training: Sequence[Example]) -> NDArray[np.float64]:
    """Each example's say, both kinds weighing the same in all."""
    own = np.array([example.weight for example in training])
    unanswerable = _labels(training) == 1
    return np.where(unanswerable, own * own[~unanswerable].sum() / own[unanswerable].sum(), own)
