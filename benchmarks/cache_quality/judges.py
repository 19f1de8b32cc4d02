"""Who judges a stream: for English a model fitted on the other streams only, for Chinese the shipped one.

The shipped English weights were fitted on public sets that the streams are drawn from, so they have seen these
questions. What they learned from the other sets is what a new shop can expect; the shipped Chinese weights
have never seen a stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cache_quality.streams import Stream
from cache.fitting import fit
from cache.judgement import Judgement, judgement_for, shipped
from cache.labelled import Labelled

# As many rows of a set as `fit_decision` learns from.
MOST_ROWS = 3_600
FEWEST_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Judge:
    """A judgement; `has_seen` says whether its weights may come from the stream that it judges."""

    judgement: Judgement
    has_seen: bool


def judge_of(stream: Stream, streams: Sequence[Stream]) -> Judge:
    """The judge for one of `streams`; English ones need two others, else the shipped weights judge."""
    space = "ngrams" if stream.chinese else "minilm"
    others = [other for other in streams if other is not stream and other.language == "en"]
    if stream.chinese or len(others) < FEWEST_OTHERS:
        judgement = judgement_for(space, stream.language, models=shipped())
        return Judge(judgement, has_seen=not stream.chinese)
    name = f"minilm/en without {stream.name}"
    return Judge(fit([_labelled(other) for other in others], name=name), has_seen=False)


def _labelled(stream: Stream) -> Labelled:
    return Labelled(
        stream.texts[:MOST_ROWS], stream.labels[:MOST_ROWS], stream.model_vectors[:MOST_ROWS]
    )
