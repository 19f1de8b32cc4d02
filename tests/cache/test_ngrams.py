"""Chinese by character n-grams: rewordings are near, other words are far, and a shelf of them decides."""

from __future__ import annotations

import numpy as np
import pytest

from cache.ngrams import DIMENSION, ngram_vector, shipped_frequencies
from cache.spaces import NGRAMS, chinese_sight


def cosine(left: str, right: str) -> float:
    vectors = [ngram_vector(text, frequencies=shipped_frequencies()) for text in (left, right)]
    assert vectors[0] is not None
    assert vectors[1] is not None
    return float(vectors[0] @ vectors[1])


def test_a_vector_is_a_unit_vector() -> None:
    """Every text with words has length one and the space's dimension."""
    vector = ngram_vector("你们用什么快递", frequencies=shipped_frequencies())
    assert vector is not None
    assert vector.shape == (DIMENSION,)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_a_text_without_words_has_no_vector() -> None:
    """Signs alone are looked up nowhere."""
    assert ngram_vector("？？！", frequencies=shipped_frequencies()) is None
    assert chinese_sight("。。。") is None


def test_rewordings_are_nearer_than_other_questions() -> None:
    """Shared rare characters make near; shared common ones do not."""
    reworded = cosine("退货的运费谁出", "退货运费谁来出")
    assert reworded > 0.4
    assert reworded > cosine("退货的运费谁出", "这个谁设计的") + 0.15


def test_sight_names_its_space() -> None:
    """A look-up knows in which space its vector lies."""
    sight = chinese_sight("什么时候发货")
    assert sight is not None
    assert sight.space == NGRAMS
