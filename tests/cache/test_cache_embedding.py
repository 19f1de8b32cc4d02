"""The embedding model behind its queue: unit vectors, honest about what it cannot judge."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

import numpy as np
import pytest

from cache.embedding import MAX_BATCH, Embedder

WAIT_S = 15.0


def test_vectors_are_unit_float32(embedder: Embedder) -> None:
    """Whatever the text, its vector has the engine's dimension and length one."""
    found = embedder.embed_now(["Which courier do you use?", "用什么快递？", "", "x" * 5_000])
    matrix = np.stack([item.vector for item in found])
    assert (matrix.shape, matrix.dtype) == ((4, embedder.dimension), np.float32)
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1.0, atol=1e-5)


def test_meaning_is_near(embedder: Embedder) -> None:
    """A paraphrase is nearer than another question."""
    one, two, other = (
        item.vector
        for item in embedder.embed_now(
            ["Which courier do you use?", "What courier service is used?", "How do I wash it?"]
        )
    )
    assert one @ two > 0.8 > one @ other


@pytest.mark.parametrize(
    ("text", "known", "fits"),
    [
        ("Which courier do you use?", True, True),
        ("用什么快递", False, True),
        ("courier " * 2_000, True, False),
        ("", True, True),
    ],
    ids=["english", "unknown-script", "too-long", "empty"],
)
def test_what_it_cannot_judge_is_said(
    embedder: Embedder, text: str, *, known: bool, fits: bool
) -> None:
    """Unknown words and a cut end are reported beside the vector."""
    (found,) = embedder.embed_now([text])
    assert (found.unknown_share <= 0.1, found.fits) == (known, fits)
    assert embedder.unknown_shares([text]) == [found.unknown_share]


async def test_batch_gives_each_text_its_own_vector(embedder: Embedder) -> None:
    """Many at once come back to who asked, with the numbers that each has alone."""
    texts = [f"question number {number} about couriers" for number in range(MAX_BATCH * 2 + 3)]
    found = await asyncio.gather(*(embedder.embed(text) for text in texts))
    alone = [embedder.embed_now([text])[0] for text in texts]
    for item, expected in zip(found, alone, strict=True):
        assert np.allclose(item.vector, expected.vector, atol=1e-5)


def test_counting_pieces_leaves_the_encoder_alone() -> None:
    """Another thread may be encoding: its tokenizer's settings are not changed in its hands."""
    itself = Embedder()
    encoders: Any = itself._engine
    encoders._model.tokenizer(["some text"], truncation=True, max_length=8)
    itself.unknown_shares(["some text " * 400])
    backend = encoders._model.tokenizer.backend_tokenizer
    assert (backend.truncation or {}).get("max_length") == 8


async def test_full_queue_refuses_and_leavers_end_nothing() -> None:
    """The queue is bounded; who left, and a text that cannot be encoded, do not end the thread."""
    small = Embedder(max_pending=2)
    left = asyncio.create_task(small.embed("given up"))
    broken = asyncio.create_task(small.embed(None))
    await asyncio.sleep(0)
    with pytest.raises(queue.Full):
        await small.embed("one too many")
    left.cancel()
    await asyncio.sleep(0)
    small.start()
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        await asyncio.wait_for(broken, WAIT_S)
    alive = small._thread.is_alive()
    assert (await asyncio.wait_for(small.embed("next"), WAIT_S)).fits if alive else alive
    small.stop()
