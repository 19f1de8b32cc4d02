"""Fit the guard's linear model from the training questions and store its weights as data."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import Normalizer

from chatbot.guard_model import KINDS, MODEL_PATH, features

TRAINING = {"en": "train_en.csv", "zh-hans": "train_zh.csv"}
SMALLEST_WEIGHT = 0.02


class Command(BaseCommand):
    help = "Fit the personal/leaning guard from chatbot/guard_data and write its weights."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--strength", type=float, default=30.0, help="Inverse regularisation.")
        parser.add_argument("--personal-bound", type=float, default=0.35)
        parser.add_argument("--leaning-bound", type=float, default=0.5)

    def handle(self, *args: object, **options: Any) -> None:
        model = {
            language: self._fit(language, MODEL_PATH.parent / name, options)
            for language, name in TRAINING.items()
        }
        MODEL_PATH.write_text(json.dumps(model, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        self.stdout.write(f"wrote {MODEL_PATH.name}")

    def _fit(self, language: str, path: Path, options: dict[str, Any]) -> dict[str, object]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        labels = np.array([KINDS.index(row["kind"]) for row in rows])
        vectorizer = DictVectorizer()
        counts = vectorizer.fit_transform([dict.fromkeys(features(row["text"]), 1.0) for row in rows])
        inputs = Normalizer().fit_transform(counts)
        regression = LogisticRegression(C=options["strength"], max_iter=2_000)
        guessed = cross_val_predict(regression, inputs, labels, cv=10, method="predict_proba")
        self._report(language, labels, guessed, options)
        regression.fit(inputs, labels)
        weights = regression.coef_.T
        return {
            "weights": {
                name: [round(float(value), 3) for value in weights[position]]
                for position, name in enumerate(vectorizer.feature_names_)
                if float(np.abs(weights[position]).max()) >= SMALLEST_WEIGHT
            },
            "intercepts": [round(float(value), 4) for value in regression.intercept_],
            "personal_bound": options["personal_bound"],
            "leaning_bound": options["leaning_bound"],
        }

    def _report(self, language: str, labels: Any, guessed: Any, options: dict[str, Any]) -> None:
        personal, general = labels == 1, labels == 0
        flagged = guessed[:, 1] >= options["personal_bound"]
        leaning = guessed[:, 2] >= options["leaning_bound"]
        self.stdout.write(
            f"{language}: {len(labels)} rows; cross-validated personal recall {flagged[personal].mean():.3f}, "
            f"general refused {(flagged | leaning)[general].mean():.3f}, "
            f"leaning recall {leaning[labels == 2].mean():.3f}"
        )
