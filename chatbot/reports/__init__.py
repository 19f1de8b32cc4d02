"""Every figure that staff see, from one place: 15-minute aggregates plus the rows of the open bucket.

`facts` and `histograms` say what is kept, `counting` makes it from rows, `aggregates` keeps and reads
it, and the other modules turn it into figures. Questions count by when they were accepted, calls by when
they started, look-ups by when they were written; live and simulated rows never mix. Costs are those of the
ledger's calls, so a question without an answer still costs what its calls cost. All reading; the only
writer is `aggregates.keep`.
"""

from __future__ import annotations

from chatbot.reports.counting import only_unanswered
from chatbot.reports.facts import HITS, OUTCOMES

__all__ = ["HITS", "OUTCOMES", "only_unanswered"]
