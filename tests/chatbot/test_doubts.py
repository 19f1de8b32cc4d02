"""Claims about the memory of doubted questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from chatbot.asked import Asked
from chatbot.doubts import Doubts
from chatbot.knowledge import ArticleText, Found

ARTICLE = ArticleText("returns", "en", 1, "returns", "Returns", "Text", (), "/help/returns/")


@dataclass(frozen=True, slots=True)
class Question:
    """What the memory reads of a question."""

    text: str
    partition: str = "shop/en"


def asked(text: str, *, partition: str = "shop/en") -> Asked:
    """A question in some words."""
    return cast("Asked", Question(text, partition))


def found(**changes: Any) -> list[Found]:
    """The best article, as changed."""
    return [Found(article=replace(ARTICLE, **changes), score=0.5, lexical=0.5, cosine=None)]


def test_the_same_words_stand_whatever_their_case() -> None:
    """A repeat is known by its normalised words, within its partition."""
    doubts = Doubts()
    doubts.note(asked("How do I cancel my gym contract?"), found=found())
    assert doubts.stand(asked("how do I cancel my gym contract"), found=found())
    assert not doubts.stand(asked("How do I cancel my order?"), found=found())
    other = asked("How do I cancel my gym contract?", partition="shop/zh-hans")
    assert not doubts.stand(other, found=found())


@pytest.mark.parametrize("changes", [{"version": 2}, {"key": "orders"}])
def test_a_changed_article_lets_the_models_try_anew(changes: dict[str, Any]) -> None:
    """A doubt holds for the article version that it was about."""
    doubts = Doubts()
    doubts.note(asked("Anything?"), found=found())
    assert not doubts.stand(asked("Anything?"), found=found(**changes))


def test_the_memory_is_bounded() -> None:
    """The oldest doubt goes first."""
    doubts = Doubts(most=2)
    for text in ("one", "two", "three"):
        doubts.note(asked(text), found=found())
    stands = [doubts.stand(asked(text), found=found()) for text in ("one", "two", "three")]
    assert stands == [False, True, True]
