"""Whether the articles behind an answer speak of what was asked: the model, its data and its edges."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.text import Language
from cache.normalize import key_of
from chatbot.knowledge import ArticleText, Found, Knowledge
from chatbot.relevance import Relevance, Usual, admits_not_knowing, figures, units
from chatbot.relevance_training import (
    demo_articles,
    digest_of,
    examples,
    usual_language,
    without,
)

DATA = Path(__file__).resolve().parent.parent / "data"
SUFFIX: dict[Language, str] = {"en": "en", "zh-hans": "zh"}
RELEVANCE = Relevance.load(engine_id="of no model")
SHOP = {language: Knowledge(demo_articles(language)) for language in SUFFIX}
GYM = ArticleText(
    key="gym",
    locale="en",
    version=1,
    topic="t",
    title="Cancelling a gym contract",
    text="A gym contract can be cancelled in the app. It ends with the month.",
    asked_as=("how do I cancel my gym contract", "end my gym membership"),
    url="",
)


def is_beside(question: str, language: Language, knowledge: Knowledge) -> bool:
    """The judgement when the best article is cited, by words alone."""
    found = knowledge.rank(question, vector=None)[:3]
    return RELEVANCE.is_beside(
        question, language=language, vector=None, found=found, cited={found[0].article.key}
    )


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("怎么取消健身房合同", "zh-hans"),
        ("特斯拉的电池保修几年", "zh-hans"),
        ("how do I cancel my gym contract", "en"),
        ("how do I reset my Gmail password", "en"),
    ],
)
def test_foreign_subject_is_beside_the_question(question: str, language: Language) -> None:
    """A question in the shop's words about somebody else's business is not answered by the article."""
    assert is_beside(question, language, SHOP[language])


@pytest.mark.parametrize("question", ["用什么快递", "发票怎么开", "忘记密码怎么办", "退货运费谁出"])
def test_question_of_the_shop_is_not(question: str) -> None:
    """What the article is about may be shared."""
    assert not is_beside(question, "zh-hans", SHOP["zh-hans"])


def test_another_shops_articles_decide() -> None:
    """The same question is answered where an article speaks of it: the model names no subject of its own."""
    question = "how do I cancel my gym contract"
    here, there = SHOP["en"], Knowledge([*demo_articles("en"), GYM])
    assert is_beside(question, "en", here)
    assert not is_beside(question, "en", there)


def test_nothing_cited_is_beside() -> None:
    """Without a cited article among those found there is nothing that could answer."""
    found = SHOP["en"].rank("Which courier do you use?", vector=None)[:3]
    for cited in (frozenset[str](), frozenset({"made-up"})):
        assert RELEVANCE.is_beside(
            "Which courier do you use?", language="en", vector=None, found=found, cited=cited
        )


def test_vector_of_another_engine_is_not_weighed() -> None:
    """The direction was fitted for one engine: another engine's vector changes nothing."""
    question = "Which courier do you use?"
    found = SHOP["en"].rank(question, vector=None)[:3]
    cited = {found[0].article.key}
    judged = {
        RELEVANCE.is_beside(question, language="en", vector=vector, found=found, cited=cited)
        for vector in (None, np.ones(7, dtype=np.float32))
    }
    assert len(judged) == 1


@pytest.mark.parametrize(
    ("answer", "admits"),
    [
        ("I am sorry, the articles do not mention that.", True),
        ("We don’t have any information about this.", True),
        ("很抱歉，资料中没有提到这一点。", True),
        ("目前没有相关信息。", True),
        ("We ship with SF Express and ZTO.", False),
        ("没有实体店，也不接受电话订购。", False),
    ],
)
def test_answer_that_does_not_know_is_heard(answer: str, *, admits: bool) -> None:
    """A model that forgets the mark but says that it does not know is understood."""
    assert admits_not_knowing(answer) is admits


@pytest.mark.parametrize("language", SUFFIX)
def test_no_article_admits_anything(language: Language) -> None:
    """The shop's own sentences are never mistaken for not knowing."""
    assert [a.key for a in demo_articles(language) if admits_not_knowing(a.text)] == []


@pytest.mark.parametrize("language", SUFFIX)
def test_stored_model_was_fitted_from_the_training_text(language: Language) -> None:
    """A change of a training question asks for a new `manage.py fit_relevance`."""
    assert RELEVANCE.digest(language) == digest_of(examples(language))


@pytest.mark.parametrize("language", SUFFIX)
def test_evaluation_questions_are_not_trained_on(language: Language) -> None:
    """No question that measures the check was written for its training."""
    trained = {key_of(example.text) for example in examples(language)}
    with (DATA / f"unanswerable_{SUFFIX[language]}.csv").open(encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file) if key_of(row["text"]) in trained] == []


def test_question_does_not_vouch_for_itself() -> None:
    """Leaving a question out takes its words off the count, and rare ones become foreign."""
    usual = Usual({"courier": 2, "which": 9}, 20)
    assert without(usual, "Which courier").counts == {"which": 8}
    assert usual.counts == {"courier": 2, "which": 9}


def test_usual_language_knows_how_shoppers_talk() -> None:
    """What many shoppers say is usual; the subject of an unanswerable question is not."""
    usual = usual_language("en")
    assert usual.weight("pleas") < usual.weight("satellite")
    assert "satellit" not in usual.counts


@given(st.text(max_size=60))
def test_any_question_can_be_judged(question: str) -> None:
    """No text makes the check fail, and its figures are finite."""
    chosen = Found(article=GYM, score=0.1, lexical=0.1, cosine=None)
    counted = figures(question, chosen=chosen, found=[chosen], usual=Usual({}, 0))
    assert all(np.isfinite(value) for value in counted.values())
    assert len(set(units(question))) == len(units(question))
    assert RELEVANCE.is_beside(
        question, language="en", vector=None, found=[chosen], cited={"gym"}
    ) in (True, False)
