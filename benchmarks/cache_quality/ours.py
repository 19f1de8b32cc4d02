"""The product's own decision, playing a stream: shelf, evidence, judgement, identity by comparing answers."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from benchmarks.cache_quality.methods import Outcome
from benchmarks.cache_quality.shop import Shop, Told
from benchmarks.cache_quality.streams import Stream
from cache.decision import Weighed, sureness, weigh
from cache.identity import (
    MAJORITY,
    MOST_COMPARED,
    VERDICTS,
    Said,
    may_be_one,
    said,
    settle,
    settled_by,
)
from cache.judgement import Judgement
from cache.lexicon import Lexicon, words_of
from cache.models import Comparison
from cache.shelf import Shelf
from cache.vetoes import ProductNames, conflicts, stated

JUDGE_ERROR = 0.05
ROUNDS = Comparison.LAST_ROUND
NO_PRODUCTS = ProductNames({})


@dataclass(slots=True)
class Identity:
    """How well answers were recognised.

    Counted in wordings: `attached` to a known answer and of those `attached_right`; `known_before`, whose label had
    an answer; in the end all `stored` ones and those `together` in their label's largest answer. `judged` counts
    the judge's verdicts, `merged` the answers that went into another.
    """

    attached: int = 0
    attached_right: int = 0
    known_before: int = 0
    judged: int = 0
    merged: int = 0
    stored: int = 0
    together: int = 0

    @property
    def precision(self) -> float:
        """Share of attached wordings whose answer has their label."""
        return self.attached_right / self.attached if self.attached else 1.0

    @property
    def recall(self) -> float:
        """Share of stored wordings, whose label was known before, that were attached rightly."""
        return self.attached_right / self.known_before if self.known_before else 1.0

    @property
    def in_one(self) -> float:
        """Share of stored wordings that lead in the end to the answer of most wordings of their label."""
        return self.together / self.stored if self.stored else 1.0


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
        self._stream = stream
        self._rows_of: defaultdict[int, list[int]] = defaultdict(list)
        self._asked: Counter[frozenset[int]] = Counter()
        self._lost: set[int] = set()
        self._rng = random.Random(seed)
        self._lost_share = lost_share

    def store(self, number: int, told: Told, weighed: Weighed, run: Run) -> None:
        """A row's wording leads to the answer that its telling repeats, else to a new one; linked answers merge."""
        label = self._stream.labels[number]
        new = said(told.text, articles=[told.article])
        answer_id, left, others = self._recognised(new, label, weighed, run)
        run.identity.known_before += label in self.known
        self.known.add(label)
        if answer_id is None:
            answer_id = len(self.said)
            self.said[answer_id] = new
            self.label_of[answer_id] = label
            self.lexicon.add(new.units)
            self._asked.update(frozenset((answer_id, other)) for other in others)
        else:
            run.identity.attached += 1
            run.identity.attached_right += self.label_of[answer_id] == label
        self._put(number, answer_id)
        for other in left:
            answer_id = self._compared(answer_id, other, run)

    def _recognised(
        self, new: Said, label: str, weighed: Weighed, run: Run
    ) -> tuple[int | None, tuple[int, ...], tuple[int, ...]]:
        """The answer that the new telling belongs to, those that it links with it, those judged to be others.

        The judge errs both ways.
        """
        near = list(dict.fromkeys(item.answer_id for item in weighed.neighbours))[:MOST_COMPARED]
        settled = settle(
            new, [(answer_id, self.said[answer_id]) for answer_id in near], lexicon=self.lexicon
        )
        if self._rng.random() < self._lost_share:
            self._lost.add(len(self.said))
            return None, (), ()
        if settled.same_as is not None:
            return settled.same_as, settled.unsure, ()
        for place, unsure in enumerate(settled.unsure):
            if self._judged_same(run, truth=self.label_of[unsure] == label):
                mine, left = self.said[unsure], settled.unsure[place + 1 :]
                return unsure, tuple(one for one in left if may_be_one(mine, self.said[one])), ()
        return None, (), settled.unsure

    def _compared(self, answer_id: int, other: int, run: Run) -> int:
        """Two stored answers are compared, and once more when linked again; the one that stays is returned."""
        pair = frozenset((answer_id, other))
        if self._asked[pair] == ROUNDS or pair & self._lost:
            return answer_id
        self._asked[pair] += 1
        truth = self.label_of[answer_id] == self.label_of[other]
        needed = VERDICTS if self._asked[pair] == ROUNDS else MAJORITY
        if not self._judged_same(run, truth=truth, needed=needed):
            return answer_id
        run.identity.merged += 1
        stays, goes = min(pair), max(pair)
        for number in self._rows_of.pop(goes, []):
            self._put(number, stays)
        return stays

    def count(self, identity: Identity) -> None:
        """How the stored wordings lie in the end."""
        main: defaultdict[str, int] = defaultdict(int)
        for answer_id, numbers in self._rows_of.items():
            of_label = Counter(self._stream.labels[number] for number in numbers)
            for label, count in of_label.items():
                right = label == self.label_of[answer_id]
                main[label] = max(main[label], count if right else 0)
        identity.together = sum(main.values())
        identity.stored = sum(len(numbers) for numbers in self._rows_of.values())

    def _put(self, number: int, answer_id: int) -> None:
        self._rows_of[answer_id].append(number)
        self.shelf.add(
            number,
            answer_id=answer_id,
            text=self._stream.texts[number],
            vector=self._stream.vectors[number],
        )

    def _judged_same(self, run: Run, *, truth: bool, needed: int = MAJORITY) -> bool:
        """What the judge's verdicts settle; each errs independently."""
        verdicts: list[bool] = []
        while (same := settled_by(verdicts, needed=needed)) is None:
            run.identity.judged += 1
            verdicts.append(truth is not (self._rng.random() < JUDGE_ERROR))
        return same


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
        cache.store(number, told, weighed, run)
    cache.count(run.identity)
    return run
