"""Most asked wordings, dearest questions, and gaps: wordings grouped, with the texts read by key.

Wordings are one gap when their words (English without endings, Chinese in pairs) overlap by MIN_OVERLAP. A gap's worth
is what its questions cost, plus, for each question that no article answered, the cost of an average
question of the gaps that a model answered: an estimate of what it would have been worth to answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from base.stems import stem
from base.text import char_ngrams, tokens
from chatbot.models import Question
from chatbot.reports.facts import Tops
from chatbot.stopwords import STOP_WORDS

TOP = 8
# Wordings that are compared with each other: the work grows with their square.
COMPARED = 120
MIN_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question or a wording: its text, its newest question, how often, what its calls cost."""

    question_id: int
    text: str
    count: int
    cost_nanousd: int = 0
    locale: str = "en"


@dataclass(slots=True)
class Gap:
    """Wordings of one meaning that articles do not answer, or that a model had to answer anew.

    `worth_nanousd` is an estimate where `without_article` is not 0.
    """

    wordings: list[Asked] = field(default_factory=list)
    count: int = 0
    without_article: int = 0
    cost_nanousd: int = 0
    worth_nanousd: int = 0


def most_asked(tops: Tops) -> list[Asked]:
    """The wordings that were sent most often, letter case aside."""
    again = (values for values in tops.asked.values() if values[0] >= 2)
    chosen = nsmallest(TOP, again, key=lambda values: (-values[0], -values[1]))
    rows = _rows(newest for _, newest in chosen)
    return [_asked(rows[newest], times) for times, newest in chosen if newest in rows]


def dearest(tops: Tops) -> list[Asked]:
    """The questions whose calls cost most, with all their calls, failed ones too."""
    ordered = nsmallest(TOP, tops.dearest.items(), key=lambda item: (-item[1][1], int(item[0])))
    rows = _rows(int(question_id) for question_id, _ in ordered)
    return [
        _asked(rows[int(key)], calls, cost) for key, (calls, cost) in ordered if int(key) in rows
    ]


def gaps(tops: Tops) -> list[Gap]:
    """The gaps worth most, at most TOP."""
    found_gaps = tops.gaps.values()
    dearest_first = nsmallest(COMPARED, found_gaps, key=_dearest_first)
    unanswered_first = nsmallest(
        COMPARED // 2, found_gaps, key=lambda values: (-values[1], *_dearest_first(values))
    )
    chosen = {values[3]: values for values in (*unanswered_first, *dearest_first)}
    rows = _rows(chosen)
    found: list[tuple[frozenset[str], Gap]] = []
    for newest, (times, without, cost, _) in chosen.items():
        if newest in rows:
            words = words_of(rows[newest].text)
            gap = _nearest(words, found)
            gap.wordings.append(_asked(rows[newest], times, cost))
            gap.count += times
            gap.without_article += without
            gap.cost_nanousd += cost
    _value([gap for _, gap in found])
    ranked = sorted(
        (gap for _, gap in found),
        key=lambda gap: (-gap.worth_nanousd, -gap.cost_nanousd, -gap.count),
    )
    return [_most_asked_first(gap) for gap in ranked[:TOP]]


def _dearest_first(values: Sequence[int]) -> tuple[int, int, int]:
    return -values[2], -values[0], -values[3]


def words_of(text: str) -> frozenset[str]:
    """What a text is about: stems of its words that mean something, pairs of Han characters."""
    found: set[str] = set()
    for token in tokens(text):
        if "\u3400" <= token[0] <= "\u9fff":
            found.update(char_ngrams(token, smallest=2, largest=2) if len(token) > 1 else token)
        elif token not in STOP_WORDS:
            found.add(stem(token))
    return frozenset(found) or frozenset(tokens(text))


def _nearest(words: frozenset[str], found: list[tuple[frozenset[str], Gap]]) -> Gap:
    """The gap whose first wording overlaps most, or a new one."""
    best, nearest = MIN_OVERLAP, None
    for others, gap in found:
        shared = len(words & others)
        overlap = shared / (len(words | others) or 1)
        if overlap >= best and shared:
            best, nearest = overlap, gap
    if nearest is None:
        nearest = Gap()
        found.append((words, nearest))
    return nearest


def _value(found: list[Gap]) -> None:
    paid = sum(gap.count - gap.without_article for gap in found)
    spent = sum(gap.cost_nanousd for gap in found)
    each = spent // paid if paid else 0
    for gap in found:
        gap.worth_nanousd = gap.cost_nanousd + gap.without_article * each


def _most_asked_first(gap: Gap) -> Gap:
    gap.wordings.sort(key=lambda asked: (-asked.count, asked.question_id))
    return gap


def _rows(ids: Iterable[int]) -> dict[int, Question]:
    return Question.objects.only("id", "text", "locale", "language").in_bulk(list(ids))


def _asked(row: Question, count: int, cost_nanousd: int = 0) -> Asked:
    return Asked(row.pk, row.text, count, cost_nanousd, row.language or row.locale or "en")
