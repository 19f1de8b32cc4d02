"""What the product wrote down in English, read in Chinese."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.utils.translation import override

from base.sentences import sentence
from chatbot.demo_history import Asked, Theme
from chatbot.demo_reasons import reason_of
from chatbot.dry_launch import DIED, STOPPED
from routing.specs import Tier

# What the console, dry runs, receipts and the guards' notes say; what stands in quotes is a shopper's.
SAID = (
    "nothing found: the shared cache may be read and written",
    '"用什么快递" was answered before',
    '"用什么快递" was answered before from an older article',
    '"用什么快递" was not answered before',
    "0% of the word pieces are unknown",
    "the neighbours' answer fits: 99.9% sure (cosine 1.000), 96.8% needed",
    'FAQ: like "用什么快递" (score 1.00, 99% of the vote)',
    "COMPLEX: abstained: there are no examples to compare with",
    "version 1",
    "the built-in one",
    "约 is left out: it is the dearest model, and no budget names it for simple questions",
    "about 1116 tokens, and at most 400 of answer: at most $0.00133",
    "about 1116 tokens, and at most 400 of answer: the price is not known",
    "about 1116 tokens, and at most 400 of answer",
    "none: no model is asked",
    "no model can be called",
    "handed to a person; at most 200 tokens",
    "no stored answer is served, and the answer is not stored",
    "a rule says so: no stored answer is served",
    "asked again past the cache",
    "joined “用什么快递” while it was being answered: cosine 0.950",
    "No model is asked for this text.",
    "There are no questions to play: ask some, or upload a file.",
    "not for the shared cache; not stored: the question is not one to share",
    "no stored answer is sure enough: 9.7% sure (cosine 0.310), 95.5% needed; not stored: no article answers it",
    "nothing is stored for this partition; not stored: the articles it cites hardly speak of what was asked",
    STOPPED,
    DIED,
)
_ENGLISH = re.compile(r"[A-Za-z]{3,}")
_SAME = {"FAQ", "COMPLEX"}


@pytest.mark.parametrize("said", SAID)
def test_a_sentence_of_the_product_is_read_in_chinese(said: str) -> None:
    """No English word is left, and English readers get the words as they are."""
    with override("zh-hans"):
        shown = sentence(said)
    with override("en"):
        assert sentence(said) == said

    assert set(_ENGLISH.findall(shown)) <= _SAME


@pytest.mark.parametrize("outcome", ["exact", "semantic", "confirmed", "joined", "miss", "bypass"])
def test_the_made_up_history_says_what_the_product_says(outcome: str) -> None:
    """Every reason on its receipts is a sentence with a translation, and its figures fit the outcome."""
    theme = Theme("怎么退货", "zh-hans", Tier.FAQ, "", None)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    asked = Asked(at=at, theme=theme, outcome=outcome, answer="", matched="退货", cosine=0.93)
    reason = reason_of(asked)
    with override("zh-hans"):
        shown = sentence(reason)
    shares = [float(found) for found in re.findall(r"([\d.]+)%", reason)]

    assert not _ENGLISH.search(shown)
    assert len(shares) == (2 if outcome in ("semantic", "miss") else 0)
    assert not shares or (shares[0] >= shares[1]) == (outcome == "semantic")
