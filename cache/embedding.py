"""Text -> unit vector, on one thread of its own.

The thread takes whatever has queued up while the previous texts were being encoded (no timer, at most
MAX_TAKEN) and encodes them in buckets of like length, at most MAX_BATCH texts each, so that a short
question never pays for the padding of a long one. A text's vector does not depend on its bucket
(to 1e-6). The libraries are held to one thread each: on a shared machine two threads per query are
slower than one. Vectors carry `engine_id`; vectors of two engines never meet.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cache.embedding_engines import Engine, open_engine
from cache.embedding_onnx import EngineFailed

MAX_BATCH = 16
MAX_TAKEN = 32
# A bucket's longest text has at most this many times the tokens of its shortest, and a few more.
MAX_STRETCH = 1.25
SPARE_TOKENS = 2

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
    """The configured sentence-transformers model behind a bounded queue.

    `folder` is where the model is kept in its faster form between starts; without one
    sentence-transformers itself encodes. `runs_on` says in words which of the two does, and why.
    """

    def __init__(
        self, model_name: str = "", *, folder: Path | None = None, max_pending: int = 2_000
    ) -> None:
        self._engine: Engine = open_engine(model_name, folder=folder)
        self._queue: queue.Queue[_Job | None] = queue.Queue(maxsize=max_pending)
        self._thread = threading.Thread(target=self._loop, name="embedder", daemon=True)
        self._started = False
        self.model_name = model_name
        self.window_tokens = self._engine.window_tokens
        self.dimension = self._engine.dimension
        self.engine_id = self._engine.engine_id
        self.runs_on = self._engine.runs_on

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
        if not texts:
            return []
        threads = 1 if self._started else os.cpu_count() or 1
        pieces = self._engine.pieces(texts)
        batches = self._buckets(pieces)
        found: dict[int, Embedded] = {}
        matrices = self._engine.encode_all(
            [[texts[place] for place in batch] for batch in batches], threads=threads
        )
        for batch, matrix in zip(batches, matrices, strict=True):
            for place, vector in zip(batch, matrix, strict=True):
                found[place] = self._embedded(vector, pieces[place])
        return [found[place] for place in range(len(texts))]

    def unknown_shares(self, texts: list[str]) -> list[float]:
        """Share (0..1) of word pieces that the model does not know, per text; encodes nothing."""
        if not texts:
            return []
        unknown = self._engine.unknown_token
        return [_unknown_share(ids, unknown) for ids in self._engine.pieces(texts)]

    def _loop(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            if batch:
                self._answer(batch)

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for one text, then take all that are there, up to MAX_TAKEN."""
        batch: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            batch.append(job)
            if len(batch) >= MAX_TAKEN:
                return batch, True
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _answer(self, jobs: list[_Job]) -> None:
        """Encode bucket by bucket; each asker hears as soon as its bucket is done."""
        jobs = [job for job in jobs if job[1].set_running_or_notify_cancel()]
        try:
            pieces = self._engine.pieces([text for text, _ in jobs]) if jobs else []
        except (RuntimeError, ValueError, TypeError) as error:
            _fail(jobs, error)
            return
        for bucket in self._buckets(pieces):
            self._answer_bucket([jobs[place] for place in bucket], [pieces[n] for n in bucket])

    def _answer_bucket(self, jobs: list[_Job], pieces: list[list[int]]) -> None:
        try:
            (matrix,) = self._engine.encode_all([[text for text, _ in jobs]], threads=1)
        except (EngineFailed, RuntimeError, ValueError, TypeError) as error:
            _fail(jobs, error)
            return
        for (_, future), vector, ids in zip(jobs, matrix, pieces, strict=True):
            future.set_result(self._embedded(vector, ids))

    def _buckets(self, pieces: list[list[int]]) -> list[list[int]]:
        return buckets([min(len(ids), self.window_tokens) for ids in pieces])

    def _embedded(self, vector: Vector, ids: list[int]) -> Embedded:
        return Embedded(
            vector=np.asarray(vector, dtype=np.float32),
            unknown_share=_unknown_share(ids, self._engine.unknown_token),
            fits=len(ids) <= self.window_tokens - 2,
        )


def buckets(lengths: Sequence[int]) -> list[list[int]]:
    """Places of texts of like length (in tokens) together, shortest first; each place once."""
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        bucket = found[-1] if found else []
        stretched = bucket and lengths[place] > lengths[bucket[0]] * MAX_STRETCH + SPARE_TOKENS
        if not bucket or stretched or len(bucket) >= MAX_BATCH:
            found.append([place])
        else:
            bucket.append(place)
    return found


def _fail(jobs: list[_Job], error: Exception) -> None:
    for _, future in jobs:
        future.set_exception(error)


def _unknown_share(ids: list[int], unknown: int | None) -> float:
    return sum(piece == unknown for piece in ids) / max(1, len(ids))
