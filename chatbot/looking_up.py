"""The semantic look-up of one question: where it is looked up, and whether a stored answer may be served."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from cache.decision import Decision, Vetoes, decide
from cache.lexicon import words_of
from cache.spaces import MODEL, OPTION_MIN_COSINES, Sight, chinese_sight
from cache.store import Entry, Store
from cache.vetoes import Stated, conflicts, stated
from chatbot.asked import Asked
from chatbot.configuration import Configuration


def sight_of(asked: Asked, vector: NDArray[np.float32] | None) -> Sight | None:
    """The question as it can be looked up: by the model's vector, else by its n-grams if it is Chinese."""
    if vector is not None:
        return Sight(MODEL, vector)
    return chinese_sight(asked.text) if asked.language == "zh-hans" else None


async def look_up(asked: Asked, sight: Sight, *, store: Store) -> Decision[Entry]:
    """Whether the answer that the question's neighbours favour may be served, and the near misses."""
    products = asked.configuration.products
    forbids = partial(_vetoes, stated(asked.text, products=products), asked.configuration, store)
    weighed = await store.weigh(
        asked.partition,
        asked.text,
        sight,
        is_current=asked.is_current,
        vetoes_for=forbids,
    )
    return decide(
        weighed,
        words_of(asked.text),
        judgement=store.spaces.judgement(
            sight,
            language=asked.language,
            recalibrations=asked.configuration.recalibrations,
        ),
        candidate_of=store.candidate,
        vetoes_for=forbids,
        option_min_cosine=OPTION_MIN_COSINES[sight.space],
        max_wrong_share=asked.configuration.site.max_wrong_share(asked.language),
    )


def _vetoes(
    question: Stated, configuration: Configuration, store: Store, wording_id: int
) -> Vetoes:
    wording = store.wording(wording_id)
    if wording is None:
        return ("it has just been taken away",)
    return conflicts(question, stated(wording, products=configuration.products))
