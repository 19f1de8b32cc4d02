"""May the answer that the neighbours favour be served to this question? Pure.

`weigh` finds the favourite answer among the neighbours and what speaks for it: an answer whose nearest wording
is vetoed (`vetoes.py`) is out, whatever speaks for it, and its wordings no longer vote. `decide` compares
the probability (`judgement.py`) with the bound that the error budget asks for. Between refusing and accepting lie
the near misses: wordings of different answers that the shopper may be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cache.evidence import Evidence, Neighbour, evidence
from cache.facts import Facts
from cache.identity import MOST_COMPARED
from cache.judgement import DEFAULT_MAX_WRONG_SHARE, Judgement
from cache.lexicon import NEUTRAL, Words

MOST_OPTIONS = 3
# A near miss is worth asking about when it is this near and hardly behind the nearest. In a cache that holds little
# the model's probability says little below the bound, so nearness alone decides.
OPTION_MIN_COSINE = 0.60
OPTION_MOST_BEHIND = 0.12
MOST_VETOED = 4
# Farther away nothing is served, however sure the model is: there it was fitted on little or, below 0.10, on
# nothing, and in a cache of a few wordings it may be sure of what has nothing in common with the question.
LEAST_COSINE = 0.30
TWIN_MIN_COSINE = 0.88
FEWEST_TWIN_WORDS = 2
TWIN_PROBABILITY = 0.999
# From here on staff see a question that was not served as a near miss.
NEAR_MISS_COSINE = 0.80

E = TypeVar("E")
Vetoes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate(Generic[E]):
    """A stored entry, its wording's text, and its cosine to the question (-1..1)."""

    entry: E
    text: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """The neighbours best first, what speaks for the favourite that no veto forbids, and the vetoes.

    `vetoed` maps answer ids to what forbids them; it names only answers that were looked at.
    """

    neighbours: Sequence[Neighbour]
    evidence: Evidence | None
    vetoed: dict[int, Vetoes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision(Generic[E]):
    """What was decided, in words, with the best candidate whether it was served or not.

    `options` are the near misses, best first, one per answer: wordings that nothing speaks against
    and that are not sure enough to be served. The shopper may be asked whether one of them was
    meant. `probability` is how sure the favourite is (None without one), `judged_by` names the
    model, `features` are the numbers it judged (FEATURES, in their order). `near` has the nearest
    wording of each near answer, whether vetoed or not: a new answer is compared with theirs.
    """

    hit: Candidate[E] | None
    nearest: Candidate[E] | None
    vetoes: Vetoes
    reason: str
    options: tuple[Candidate[E], ...] = ()
    probability: float | None = None
    judged_by: str = ""
    near: tuple[Candidate[E], ...] = ()
    features: tuple[float, ...] = ()


class Forbids(Protocol):
    """Names what speaks against serving a stored wording's answer to the question."""

    def __call__(self, wording_id: int) -> Vetoes:
        """Empty when nothing does."""


def weigh(
    neighbours: Sequence[Neighbour],
    words: Words,
    vector: NDArray[np.float32],
    *,
    facts: Facts,
    vetoes_for: Forbids,
) -> Weighed:
    """Weigh the favourite among the answers of `neighbours`, which are best first and may be served."""
    vetoed: dict[int, Vetoes] = {}
    voting: Sequence[Neighbour] = neighbours
    while voting and len(vetoed) < MOST_VETOED:
        found = evidence(
            words, vector, neighbours=voting, standings=facts.standings, lexicon=facts.lexicon
        )
        vetoes = vetoes_for(found.nearest.wording_id)
        if not vetoes:
            return Weighed(neighbours=neighbours, evidence=found, vetoed=vetoed)
        vetoed[found.answer_id] = vetoes
        voting = [item for item in voting if item.answer_id not in vetoed]
    return Weighed(neighbours=neighbours, evidence=None, vetoed=vetoed)


def sureness(weighed: Weighed, words: Words, *, judgement: Judgement) -> float:
    """How sure the favourite is, 0..1; 0 without one or one that is far. Twins are sure whatever the model says."""
    found = weighed.evidence
    if found is None or found.nearest.cosine < LEAST_COSINE:
        return 0.0
    sure = judgement.probability(found.features)
    return max(sure, TWIN_PROBABILITY) if is_twin(words, found.nearest) else sure


def is_twin(words: Words, nearest: Neighbour) -> bool:
    """Whether a question and a wording differ in neutral words only ("how can I" / "how do I").

    One word more is left to the vote: on labelled questions it made half of the wrong answers and few right ones.
    Counted by words, so that it holds in a cache that has nothing else to vote; Han text is left to the vote.
    """
    mine, stored = words.units - NEUTRAL, nearest.words.units - NEUTRAL
    if len(mine) < FEWEST_TWIN_WORDS or not all(unit.isascii() for unit in mine):
        return False
    return mine == stored and nearest.cosine >= TWIN_MIN_COSINE


def decide(
    weighed: Weighed,
    words: Words,
    *,
    judgement: Judgement,
    candidate_of: Callable[[Neighbour], Candidate[E]],
    vetoes_for: Forbids,
    max_wrong_share: float = DEFAULT_MAX_WRONG_SHARE,
    option_min_cosine: float = OPTION_MIN_COSINE,
) -> Decision[E]:
    """Serve the favourite, offer near misses, or refuse; the reason says which number decided.

    Near misses are offered from `option_min_cosine` on; what is near differs between vector spaces.
    """
    if not weighed.neighbours:
        reason = "nothing is stored for this partition"
        return Decision(hit=None, nearest=None, vetoes=(), reason=reason)
    nearest = candidate_of(weighed.neighbours[0])
    near = tuple(candidate_of(item) for item in nearest_per_answer(weighed)[:MOST_COMPARED])
    first_vetoes = next(iter(weighed.vetoed.values()), ())
    found = weighed.evidence
    if found is None:
        reason = f"near wordings are stored, but: {'; '.join(first_vetoes)}"
        return Decision(
            hit=None,
            nearest=nearest,
            vetoes=first_vetoes,
            reason=reason,
            judged_by=judgement.name,
            near=near,
        )
    sure = sureness(weighed, words, judgement=judgement)
    bound = judgement.min_probability(max_wrong_share)
    favourite = candidate_of(found.nearest)
    compared = f"{sure:.1%} sure (cosine {favourite.cosine:.3f}), {bound:.1%} needed"
    if sure >= bound:
        return Decision(
            hit=favourite,
            nearest=nearest,
            vetoes=first_vetoes,
            reason=f"the neighbours' answer fits: {compared}",
            probability=sure,
            judged_by=judgement.name,
            near=near,
            features=tuple(found.features.tolist()),
        )
    options = _near_misses(weighed, min_cosine=option_min_cosine, vetoes_for=vetoes_for)
    return Decision(
        hit=None,
        nearest=nearest,
        vetoes=first_vetoes,
        reason=f"no stored answer is sure enough: {compared}",
        options=tuple(candidate_of(item) for item in options),
        probability=sure,
        judged_by=judgement.name,
        near=near,
        features=tuple(found.features.tolist()),
    )


def nearest_per_answer(weighed: Weighed) -> list[Neighbour]:
    """The nearest wording of each answer, best first."""
    found: dict[int, Neighbour] = {}
    for item in weighed.neighbours:
        found.setdefault(item.answer_id, item)
    return list(found.values())


def _near_misses(weighed: Weighed, *, min_cosine: float, vetoes_for: Forbids) -> list[Neighbour]:
    """The nearest wording of each answer that may have been meant, best first."""
    least = max(min_cosine, weighed.neighbours[0].cosine - OPTION_MOST_BEHIND)
    found: list[Neighbour] = []
    for item in nearest_per_answer(weighed):
        if len(found) == MOST_OPTIONS or item.cosine < least:
            break
        if item.answer_id not in weighed.vetoed and not vetoes_for(item.wording_id):
            found.append(item)
    return found
