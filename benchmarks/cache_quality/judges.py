"""Who judges a stream: the shipped weights, and for English also a model fitted on the other streams only.

The shipped English weights were fitted on public sets that the streams are drawn from, so they have seen these
questions. What a model learned from the other sets is what a shop with other questions can expect; the
shipped Chinese weights have never seen a stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cache_quality.streams import Stream
from cache.fitting import MOST_ROWS, fit
from cache.judgement import Judgement, judgement_for, shipped
from cache.labelled import Labelled

FEWEST_OTHERS = 2
SHIPPED, HELD_OUT = "breakwater", "breakwater, judge without this stream"


def judges_of(stream: Stream, streams: Sequence[Stream]) -> dict[str, Judgement]:
    """Method name -> judgement for one of `streams`; a held-out one needs two other English streams."""
    space = "ngrams" if stream.chinese else "minilm"
    judges = {SHIPPED: judgement_for(space, stream.language, models=shipped())}
    others = [other for other in streams if other is not stream and other.language == "en"]
    if not stream.chinese and len(others) >= FEWEST_OTHERS:
        judges[HELD_OUT] = fit([_labelled(other) for other in others], name=HELD_OUT)
    return judges


def _labelled(stream: Stream) -> Labelled:
    return Labelled(
        stream.texts[:MOST_ROWS], stream.labels[:MOST_ROWS], stream.model_vectors[:MOST_ROWS]
    )
