"""May the nearest stored wording's answer be served to this question? Pure.

For now one static bound: a candidate is accepted when its cosine reaches `MIN_COSINE` and no veto
speaks against it. Candidates come best first; the first that passes is served. The bound is a floor: no
setting goes below `FLOOR_COSINE`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

MIN_COSINE = 0.88
FLOOR_COSINE = 0.80
NEIGHBOURS = 8
MOST_OPTIONS = 3
OPTION_MIN_COSINE = 0.60

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[E]):
    """A stored entry, its wording's text, and its cosine to the question (-1..1)."""

    entry: E
    text: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Decision(Generic[E]):
    """What was decided, in words, with the best candidate whether it was served or not.

    `options` are the near misses, best first: wordings that nothing speaks against and that are not
    sure enough to be served. The shopper may be asked whether one of them was meant.
    """

    hit: Candidate[E] | None
    nearest: Candidate[E] | None
    vetoes: tuple[str, ...]
    reason: str
    options: tuple[Candidate[E], ...] = ()


def decide(
    candidates: Sequence[Candidate[E]],
    *,
    vetoes_for: Callable[[str], tuple[str, ...]],
    min_cosine: float = MIN_COSINE,
) -> Decision[E]:
    """Choose among `candidates` (best first). `vetoes_for` names what speaks against a wording."""
    bound = max(min_cosine, FLOOR_COSINE)
    nearest = candidates[0] if candidates else None
    if nearest is None:
        return Decision(
            hit=None, nearest=None, vetoes=(), reason="nothing is stored for this partition"
        )
    first_vetoes: tuple[str, ...] = ()
    for candidate in candidates:
        if candidate.cosine < bound:
            break
        vetoes = vetoes_for(candidate.text)
        if not vetoes:
            reason = (
                f"cosine {candidate.cosine:.3f} reaches {bound:.2f} and nothing speaks against it"
            )
            return Decision(hit=candidate, nearest=nearest, vetoes=first_vetoes, reason=reason)
        first_vetoes = first_vetoes or vetoes
    if first_vetoes:
        reason = f"cosine {nearest.cosine:.3f} is close enough, but: {'; '.join(first_vetoes)}"
    else:
        reason = f"nearest cosine {nearest.cosine:.3f} is below {bound:.2f}"
    options = tuple(
        candidate
        for candidate in candidates
        if OPTION_MIN_COSINE <= candidate.cosine < bound and not vetoes_for(candidate.text)
    )
    return Decision(
        hit=None,
        nearest=nearest,
        vetoes=first_vetoes,
        reason=reason,
        options=options[:MOST_OPTIONS],
    )
