"""Vectors for a dry run: kept ones where the cache has them, others made in batches. Writes nothing.

They are made in a thread of their own, which leaves the interpreter to what is played meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from base.text import Language
from cache.embedding import Embedder
from cache.models import Answer, Wording
from cache.normalize import key_of
from cache.vector_rows import vectors_of
from chatbot.asked import unasked
from chatbot.configuration import Configuration
from chatbot.dry_cache import Kept
from chatbot.vectorising import MAX_UNKNOWN_SHARE

MOST_WORDINGS = 20_000
LANGUAGES: tuple[Language, ...] = ("en", "zh-hans")
Vector = NDArray[np.float32]


class TextVectors:
    """text -> unit vector, or None where the embedding model cannot judge it; kept while it lives."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vector | None] = {}
        self._begun: set[str] = set()
        self._maker = ThreadPoolExecutor(1, "dry-run-vectors")

    def close(self) -> None:
        """Give up what is not made yet."""
        self._maker.shutdown(cancel_futures=True)

    def begin(self, texts: Iterable[str]) -> Callable[[], dict[str, Vector | None]]:
        """Have the vectors of these texts made; the result waits for them. To be ended in the order of beginning."""
        wanted = list(dict.fromkeys(texts))
        missing = [text for text in wanted if text not in self._begun]
        self._begun.update(missing)
        self._known.update(self._stored([text for text in missing if text not in self._known]))
        missing = [text for text in missing if text not in self._known]
        making = self._maker.submit(self._embedder.embed_now, missing)

        def end() -> dict[str, Vector | None]:
            for text, made in zip(missing, making.result(), strict=True):
                judged = made.unknown_share <= MAX_UNKNOWN_SHARE and made.fits
                self._known[text] = made.vector if judged else None
            return {text: self._known[text] for text in wanted}

        return end

    def learn(self, kept: Iterable[Kept]) -> None:
        """Know the vectors of stored wordings."""
        self._known.update((one.text, one.vector) for one in kept if one.vector is not None)

    def _stored(self, texts: list[str]) -> dict[str, Vector]:
        """Those that the cache holds for the very same text."""
        rows = Wording.objects.filter(key__in={key_of(text) for text in texts})
        by_id = {pk: text for pk, text in rows.values_list("id", "text") if text in set(texts)}
        vectors = vectors_of(by_id, engine_id=self._embedder.engine_id)
        return {by_id[pk]: vector for pk, vector in vectors.items()}


def stored_before(
    moment: datetime, *, configuration: Configuration, simulated: bool, engine_id: str
) -> list[Kept]:
    """The newest MOST_WORDINGS wordings that could be served at a moment and still can, oldest first."""
    partitions = {
        unasked(
            "", language=language, configuration=configuration, simulated=simulated, now_s=0.0
        ).partition: language
        for language in LANGUAGES
    }
    rows = Wording.objects.filter(
        partition__in=partitions,
        suspended_at__isnull=True,
        answer__status__in=Answer.SERVED,
        created_at__lt=moment,
    )
    fields = ("id", "text", "partition", "answer_id", "answer__expires_at")
    found = list(rows.order_by("-id").values_list(*fields)[:MOST_WORDINGS])[::-1]
    vectors = vectors_of([row[0] for row in found], engine_id=engine_id)
    return [
        Kept(text, partitions[partition], vectors.get(pk), answer_id, until)
        for pk, text, partition, answer_id, until in found
    ]
