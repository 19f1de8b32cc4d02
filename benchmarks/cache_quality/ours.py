"""The product's own decision, playing a stream: shelf, evidence, judgement, identity by comparing answers."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from benchmarks.cache_quality.methods import Outcome
from benchmarks.cache_quality.shop import Shop, Told
from benchmarks.cache_quality.streams import Stream
from cache.decision import Weighed, sureness, weigh
from cache.identity import MAJORITY, MOST_COMPARED, Said, said, settle
from cache.judgement import Judgement
from cache.lexicon import Lexicon, words_of
from cache.shelf import Shelf
from cache.vetoes import ProductNames, conflicts, stated

JUDGE_ERROR = 0.05
NO_PRODUCTS = ProductNames({})


@dataclass(slots=True)
class Identity:
    """How well answers were recognised: of wordings attached to an answer, and of those that should be."""

    attached: int = 0
    attached_right: int = 0
    known_before: int = 0
    judged: int = 0

    @property
    def precision(self) -> float:
        """Share of attached wordings whose answer has their label."""
        return self.attached_right / self.attached if self.attached else 1.0

    @property
    def recall(self) -> float:
        """Share of stored wordings, whose label was known before, that were attached rightly."""
        return self.attached_right / self.known_before if self.known_before else 1.0


@dataclass(slots=True)
class Run:
    """Outcomes per row, identity, and how long the look-ups took."""

    outcomes: list[Outcome] = field(default_factory=list)
    identity: Identity = field(default_factory=Identity)
    lookup_s: float = 0.0
    not_stored: int = 0

    @property
    def lookups_per_s(self) -> float:
        """Look-ups with decision, vetoes included, embedding not."""
        return len(self.outcomes) / self.lookup_s


class _Cache:
    """What is stored during one run."""

    def __init__(self, stream: Stream, *, seed: int, lost_share: float) -> None:
        self.shelf = Shelf(stream.vectors.shape[1])
        self.lexicon = Lexicon()
        self.said: dict[int, Said] = {}
        self.label_of: dict[int, str] = {}
        self.known: set[str] = set()
        self._rng = random.Random(seed)
        self._lost_share = lost_share

    def identify(self, told: Told, label: str, weighed: Weighed, run: Run) -> int:
        """The answer that the new telling belongs to; the judge errs both ways."""
        new = said(told.text, articles=[told.article])
        near = list(dict.fromkeys(item.answer_id for item in weighed.neighbours))[:MOST_COMPARED]
        settled = settle(
            new, [(answer_id, self.said[answer_id]) for answer_id in near], lexicon=self.lexicon
        )
        answer_id = settled.same_as
        for unsure in settled.unsure:
            if self._judged_same(run, truth=self.label_of[unsure] == label):
                answer_id = unsure
                break
        if self._rng.random() < self._lost_share:
            answer_id = None
        run.identity.known_before += label in self.known
        if answer_id is None:
            answer_id = len(self.said)
            self.said[answer_id] = new
            self.label_of[answer_id] = label
            self.lexicon.add(new.units)
        else:
            run.identity.attached += 1
            run.identity.attached_right += self.label_of[answer_id] == label
        self.known.add(label)
        return answer_id

    def _judged_same(self, run: Run, *, truth: bool) -> bool:
        """What two verdicts of the judge agree on; each errs independently."""
        verdicts = {True: 0, False: 0}
        while max(verdicts.values()) < MAJORITY:
            run.identity.judged += 1
            verdicts[truth is not (self._rng.random() < JUDGE_ERROR)] += 1
        return verdicts[True] == MAJORITY


def play(
    stream: Stream,
    *,
    shop: Shop,
    judgement: Judgement,
    min_probability: float,
    seed: int,
    lost_share: float = 0.0,
) -> Run:
    """Ask the stream's questions of an empty cache, served from `min_probability` on."""
    run = Run()
    shop.begin()
    cache = _Cache(stream, seed=seed, lost_share=lost_share)
    read = [stated(text, products=NO_PRODUCTS) for text in stream.texts]
    rows = zip(stream.texts, stream.labels, stream.vectors, strict=True)
    for number, (text, label, vector) in enumerate(rows):
        started_s = time.perf_counter()
        question = stated(text, products=NO_PRODUCTS)
        weighed = weigh(
            cache.shelf.near(vector),
            words_of(text),
            vector,
            facts=cache.shelf.facts,
            vetoes_for=lambda wording_id, question=question: conflicts(question, read[wording_id]),  # type: ignore[misc]  # mypy cannot infer a lambda's default
        )
        sure = sureness(weighed, words_of(text), judgement=judgement)
        run.lookup_s += time.perf_counter() - started_s
        if weighed.evidence and sure >= min_probability:
            run.outcomes.append(cache.label_of[weighed.evidence.answer_id] == label)
            continue
        run.outcomes.append(None)
        told = shop.tell(text, label)
        if told is None:
            run.not_stored += 1
            continue
        answer_id = cache.identify(told, label, weighed, run)
        cache.shelf.add(number, answer_id=answer_id, text=text, vector=vector)
    return run
