"""Few ordinary questions look made to catch others; wordings that are made so do."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from base.text import Language
from chatbot.suspicion import suspicions

DATA = Path(__file__).resolve().parent.parent / "data"
MOST_ORDINARY = 0.01


@pytest.mark.parametrize(
    ("text", "language", "sign"),
    [
        ("How do I return shoes? see www.evil-shop.example", "en", "an address in the question"),
        ("Is help@evil.example your mail address", "en", "an address in the question"),
        ("退货看 evil-shop.com 可以吗", "zh-hans", "an address in the question"),
        ("Как вернуть обувь, which courier", "en", "letters of another script"),
        (
            "Which courier do you use " + "for all my parcels " * 20,
            "en",
            "an unusually long question",
        ),
        ("用什么快递" * 30, "zh-hans", "an unusually long question"),
        (
            "courier shipping return refund coupon invoice size warranty payment",
            "en",
            "a heap of words",
        ),
        (
            "Which courier courier courier courier do you use courier courier",
            "en",
            "a heap of words",
        ),
        ("快递快递快递快递运费运费退货退货快递运费", "zh-hans", "a heap of words"),
    ],
)
def test_a_made_up_wording_is_suspicious(text: str, language: Language, sign: str) -> None:
    """Each class by an example."""
    assert sign in suspicions(text, language=language)


@pytest.mark.parametrize(("name", "language"), [("en", "en"), ("zh", "zh-hans")])
def test_ordinary_questions_are_not(name: str, language: Language) -> None:
    """Of the labelled questions of shoppers at most one in a hundred."""
    texts = [
        row["text"]
        for kind in ("articles", "routing", "guards", "personal")
        for row in csv.DictReader((DATA / f"{kind}_{name}.csv").read_text("utf-8").splitlines())
        if row.get("text")
    ]
    suspicious = [text for text in texts if suspicions(text, language=language)]
    assert len(texts) >= 100
    assert len(suspicious) <= MOST_ORDINARY * len(texts), suspicious
