"""Finding the right article, using none below the floor, and checking figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.knowledge import ArticleText, Knowledge, terms, unsupported_figures
from chatbot.seeding import DEMO_DIR, read_article


def article(key: str, text: str, *, title: str = "", asked_as: tuple[str, ...] = ()) -> ArticleText:
    """An article of the tests."""
    return ArticleText(key, "en", 1, "t", title or key, text, asked_as, f"/help/{key}/")


def shop(locale: str) -> Knowledge:
    """The demo shop's articles in one language."""
    return Knowledge(
        [
            ArticleText(
                key=path.stem, locale=locale, version=1, url="", **_fields(read_article(path))
            )
            for path in sorted((DEMO_DIR / "articles" / locale).glob("*.md"))
        ]
    )


def _fields(values: dict[str, object]) -> dict[str, object]:
    return values | {"asked_as": tuple(values["asked_as"])}


ENGLISH, CHINESE = shop("en"), shop("zh-hans")
COURIERS = article("couriers", "We ship with SF Express. Delivery takes 3 days and costs 8 yuan.")
RETURNS = article("returns", "You can return goods within 7 days of delivery for a full refund.")
SIZES = article("sizes", "A person of 170 cm and 60 kg wears size M.")


@pytest.mark.parametrize(
    ("knowledge", "question", "key"),
    [
        (ENGLISH, "Which courier do you use?", "shipping-couriers"),
        (ENGLISH, "how do I reset my password", "account-password"),
        (ENGLISH, "what are the Double 12 offers", "promo-double12"),
        (ENGLISH, "can I wash it in the machine", "care-washing"),
        (CHINESE, "用什么快递", "shipping-couriers"),
        (CHINESE, "双十二有什么优惠活动", "promo-double12"),
        (CHINESE, "忘记密码怎么办", "account-password"),
        (CHINESE, "发票怎么开", "invoices-request"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lexical_search_finds_the_article(knowledge: Knowledge, question: str, key: str) -> None:
    """BM25 over words, or over n-grams of Han characters, puts the right article first."""
    found = knowledge.search(question, vector=None)
    assert found[0].article.key == key
    assert found[0].cosine is None


@pytest.mark.parametrize(
    ("knowledge", "question"),
    [
        (ENGLISH, "What is the capital of France?"),
        (ENGLISH, "zzyzx qwfp"),
        (ENGLISH, ""),
        (ENGLISH, "the of and"),
        (CHINESE, "明天会下雨吗"),
        (CHINESE, "😀"),
    ],
)
def test_below_the_floor_no_article_is_used(knowledge: Knowledge, question: str) -> None:
    """A question that the shop does not answer finds nothing."""
    assert knowledge.search(question, vector=None) == []


def test_ranking_is_ordered_and_scores_are_shares() -> None:
    """Every article is ranked, best first, with a score between 0 and 1."""
    ranked = ENGLISH.rank("How long does delivery take?", vector=None)
    scores = [item.score for item in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert len(ENGLISH.search("How long does delivery take?", vector=None, count=2)) == 2


def test_rare_word_weighs_more_than_a_common_one() -> None:
    """The article that holds the telling word wins over one that holds the usual ones."""
    common = [article(f"c{n}", "delivery of goods by parcel") for n in range(8)]
    rare = article("rare", "delivery to Iceland")
    found = Knowledge([*common, rare]).rank("delivery Iceland", vector=None)
    assert found[0].article.key == "rare"


def test_no_articles_find_nothing() -> None:
    """An empty locale is no error."""
    assert Knowledge([]).search("anything", vector=None) == []


def test_vector_is_fused_with_words() -> None:
    """With vectors the nearest passage decides between articles that words cannot tell apart."""
    first, second = article("first", "about goods"), article("second", "about goods")
    vectors = {
        "first": np.array([[0.0, 1.0]], dtype=np.float32),
        "second": np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32),
    }
    knowledge = Knowledge([first, second], vectors=vectors)
    found = knowledge.search("about goods", vector=np.array([1.0, 0.0], dtype=np.float32))
    assert [item.article.key for item in found[:1]] == ["second"]
    assert (found[0].cosine, found[1].cosine) == (1.0, 0.0)


def test_article_without_a_vector_is_judged_by_its_words() -> None:
    """Where the model does not know an article's words, the lexical score stands alone."""
    knowledge = Knowledge([COURIERS, RETURNS], vectors={"returns": np.eye(1, 2, dtype=np.float32)})
    vector = np.array([0.0, 1.0], dtype=np.float32)
    scored = {item.article.key: item for item in knowledge.rank("SF Express", vector=vector)}
    assert scored["couriers"].cosine is None
    assert scored["returns"].cosine == 0.0


@given(st.text(max_size=60))
def test_any_question_can_be_ranked(question: str) -> None:
    """No text makes the search fail, and every score is a number."""
    scores = [item.score for item in ENGLISH.rank(question, vector=None)[:3]]
    assert all(np.isfinite(score) for score in scores)


def test_terms_split_han_into_short_grams() -> None:
    """Chinese has no blanks: single characters and pairs are the units."""
    assert {"快递", "快", "递"} <= set(terms("快递费"))
    assert "the" not in terms("the couriers")


@pytest.mark.parametrize(
    ("answer", "unsupported"),
    [
        ("Delivery takes 3 days and costs 8 yuan.", ()),
        ("It takes three days.", ()),
        ("需要三天，运费八元。", ()),
        ("It takes 5 days.", ("5",)),
        ("You have 7 days, or 14 for members.", ("14",)),
        ("Wear M at 170 cm.", ()),
        ("No figures here.", ()),
    ],
    ids=["same", "in-words", "in-han", "invented", "one-invented", "third-article", "none"],
)
def test_figures_must_stand_in_an_article(answer: str, unsupported: tuple[str, ...]) -> None:
    """Figures in any spelling are compared by value; the ones that no article holds are named."""
    articles = [COURIERS, RETURNS, SIZES]
    found = unsupported_figures(answer, articles=articles)
    assert len(found) == len(unsupported)
    assert all(figure in written for figure, written in zip(unsupported, found, strict=True))


def test_figures_of_a_title_count() -> None:
    """What the title states is stated."""
    titled = article("d12", "Nothing.", title="The 12 days of December")
    assert unsupported_figures("It lasts 12 days.", articles=[titled]) == ()
    assert unsupported_figures("It lasts 12 days.", articles=[]) != ()


def test_shortened_article_keeps_its_first_paragraph() -> None:
    """However small the room, one paragraph stays, and nothing is cut inside one."""
    text = "First paragraph of a few words.\n\nSecond one.\n\nThird one."
    assert article("a", text).shortened(to_tokens=1).text == "First paragraph of a few words."
    assert article("a", text).shortened(to_tokens=10_000).text == text
