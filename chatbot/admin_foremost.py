"""Tables of the first page that show shoppers' words: most asked, gaps, dearest. For who may read questions."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from base.admin import shortened
from chatbot.admin_tables import Cell, Line, Links, Table, money, number
from chatbot.reports.facts import KEPT
from chatbot.reports.foremost import Asked, Gap

READ_TEXTS = "chatbot.view_question"
WRITE_ARTICLE = "chatbot.add_article"
PIN = "cache.change_answer"
_TITLE_CHARACTERS = 120
_WORDINGS = 8


def most_asked(found: Sequence[Asked], links: Links) -> Table:
    """Wordings by how often they were sent."""
    lines = tuple(
        Line((_text(asked, links), number(asked.count, links.wording(asked)))) for asked in found
    )
    return Table(
        _("Most asked"),
        (_("Question"), _("Times")),
        lines,
        _("No wording came twice."),
        (_kept_note(),),
        key="most-asked",
    )


def dearest(found: Sequence[Asked], links: Links) -> Table:
    """Questions whose calls cost most; without the right to read texts, by number."""
    reads, pins = links.may(READ_TEXTS), links.may(PIN)
    lines = tuple(
        Line(
            (
                _text(asked, links) if reads else Cell(f"#{asked.question_id}"),
                number(asked.count, links.calls(question_id=asked.question_id)),
                money(asked.cost_nanousd),
                *((_pin(asked),) if reads and pins else ()),
            )
        )
        for asked in found
    )
    heads = (_("Question"), _("Calls"), _("Cost"), *(("",) if reads and pins else ()))
    return Table(_("Dearest questions"), heads, lines, _("Nothing was paid for."), key="dearest")


def gaps(found: Sequence[Gap], links: Links) -> Table:
    """Groups of wordings that articles do not answer or that cost calls, by what they are worth."""
    writes = links.may(WRITE_ARTICLE)
    lines = tuple(
        Line(
            (
                _gap_text(gap, links),
                number(gap.count),
                number(gap.without_article),
                money(gap.cost_nanousd),
                money(gap.worth_nanousd),
                *((_write(gap),) if writes else ()),
            )
        )
        for gap in found
    )
    heads = (_("Questions about the same"), _("Times"), _("No article"), _("Spent"), _("Worth"))
    notes = (
        _(
            "Worth: what was spent, plus an estimate for questions that no article answered: each counts as the "
            "average of these that a model answered."
        ),
        _kept_note(),
    )
    return Table(
        _("Gaps: what an article would save"),
        (*heads, *(("",) if writes else ())),
        lines,
        _("Every question had an article."),
        notes,
        key="gaps",
        wide=True,
    )


def _text(asked: Asked, links: Links) -> Cell:
    url = links.row("chatbot_question", asked.question_id)
    return Cell(shortened(asked.text), url, asked.text)


def _gap_text(gap: Gap, links: Links) -> Cell:
    first, others = gap.wordings[0], len(gap.wordings) - 1
    more = ngettext("and %(count)s wording", "and %(count)s wordings", others) % {"count": others}
    text = shortened(first.text) + (f" ({more})" if others else "")
    return Cell(text, links.row("chatbot_question", first.question_id), first.text)


def _pin(asked: Asked) -> Cell:
    url = reverse("admin:chatbot_tally_pin", args=[asked.question_id])
    return Cell(_("Pin its answer"), url, action=True)


def _write(gap: Gap) -> Cell:
    """The form for a new article, filled in with the wordings; a title is for people, so the most asked one."""
    first = gap.wordings[0]
    texts = [" ".join(asked.text.split()) for asked in gap.wordings[:_WORDINGS]]
    query = {
        "title": shortened(first.text, limit=_TITLE_CHARACTERS),
        "locale": first.locale,
        "asked_as": "\n".join(text[:300] for text in texts),
    }
    url = f"{reverse('admin:chatbot_article_add')}?{urlencode(query)}"
    return Cell(_("Write the article"), url, action=True)


def _kept_note() -> str:
    return _(
        "Of each hour and day the %(count)s foremost wordings are kept; others do not count for it."
    ) % {"count": KEPT}
