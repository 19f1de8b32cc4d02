"""Fit the guard's linear model from the training questions and store its weights as data."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from base.text import Language
from chatbot.guard_model import KINDS, MODEL_PATH, features
from chatbot.guard_training import Example, digest_of, examples, written

# From which probability of personal or leaning on a question is refused. Chosen between misses and
# needless refusals by cross-validation on the written questions; short Chinese questions are told
# apart less surely, so their bound is lower.
BOUNDS: dict[Language, float] = {"en": 0.4, "zh-hans": 0.3}
# Smaller weights are left out, which keeps the stored model small enough for the repository.
SMALLEST_WEIGHT = 0.12
FEWEST_EXAMPLES = 2
FOLDS = 5


class Command(BaseCommand):
    help = "Fit the personal/leaning guard from chatbot/guard_data and write its weights."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--strength", type=float, default=10.0, help="Inverse regularisation.")
        parser.add_argument("--bound", type=float, help="Refuse from here on (0..1), everywhere.")

    def handle(self, *args: object, **options: Any) -> None:
        model = {language: self._fit(language, options) for language in BOUNDS}
        stored = json.dumps(model, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        MODEL_PATH.write_text(stored.replace('],"', '],\n"') + "\n", encoding="utf-8")
        self.stdout.write(f"wrote {MODEL_PATH.name}, {MODEL_PATH.stat().st_size / 1e6:.2f} MB")

    def _fit(self, language: Language, options: dict[str, Any]) -> dict[str, object]:
        training = examples(language)
        bound = BOUNDS[language] if options["bound"] is None else options["bound"]
        vectorizer = DictVectorizer()
        inputs = vectorizer.fit_transform(_common_features(training))
        labels = np.array([example.kind for example in training])
        weights = np.array([example.weight for example in training])
        regression = LogisticRegression(C=options["strength"], max_iter=1_000, tol=1e-3)
        self._report(language, regression, (inputs, labels, weights), bound)
        regression.fit(inputs, labels, sample_weight=weights)
        against_general = (regression.coef_[1:] - regression.coef_[0]).T
        return {
            "weights": {
                name: [round(float(value), 2) for value in against_general[position]]
                for position, name in enumerate(vectorizer.feature_names_)
                if float(np.abs(against_general[position]).max()) >= SMALLEST_WEIGHT
            },
            "intercepts": [
                round(float(value - regression.intercept_[0]), 3)
                for value in regression.intercept_[1:]
            ],
            "bound": bound,
            "digest": digest_of(training),
        }

    def _report(
        self,
        language: Language,
        regression: LogisticRegression,
        table: tuple[Any, ...],
        bound: float,
    ) -> None:
        """Rates on the written questions, each judged by a model that was not fitted on it."""
        inputs, labels, weights = table
        count = len(written(language))
        general = np.zeros(count)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
        for fitted, judged in folds.split(labels[:count], labels[:count]):
            rows = np.concatenate([fitted, np.arange(count, len(labels))])
            regression.fit(inputs[rows], labels[rows], sample_weight=weights[rows])
            general[judged] = regression.predict_proba(inputs[judged])[:, 0]
        refused = general <= 1 - bound
        rates = ", ".join(
            f"{kind} {refused[labels[:count] == position].mean():.3f}"
            for position, kind in enumerate(KINDS)
        )
        self.stdout.write(f"{language}: {count} written of {len(labels)}; share refused: {rates}")


def _common_features(training: list[Example]) -> list[dict[str, float]]:
    """Each example's features, without those that hardly any other example has."""
    found = [features(example.text) for example in training]
    counts = Counter(name for values in found for name in values)
    return [
        {name: value for name, value in values.items() if counts[name] >= FEWEST_EXAMPLES}
        for values in found
    ]
