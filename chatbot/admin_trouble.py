"""Tables of the first page about what did not go smoothly: waits, failures, models left out."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from base.sentences import sentence
from chatbot.admin_tables import Cell, Line, Links, Table, ms, number
from chatbot.reports import figures
from chatbot.reports.configured import LeftOut
from chatbot.reports.figures import Failure, Pressure


def pressure(found: Pressure, links: Links) -> Table:
    """Queue, shed questions, hand-offs."""
    p50, p95, p99 = (ms(value) for value in found.wait_ms)
    waits = _("median %(p50)s, p95 %(p95)s, p99 %(p99)s") % {"p50": p50, "p95": p95, "p99": p99}
    lines = (
        Line(
            (
                Cell(_("Calls that waited for room: %(waits)s") % {"waits": waits})
                if found.waited
                else Cell(_("Calls that waited for room")),
                number(found.waited, links.calls(wait_ms__gt=0)),
            )
        ),
        Line(
            (
                Cell(_("Answered from the article because no model could")),
                number(found.stood_in, links.questions(origin="article")),
            )
        ),
        Line(
            (
                Cell(_("Turned away: busy, or no model and no article")),
                number(found.shed, links.questions(error_code__in=",".join(figures.SHED))),
            )
        ),
        Line(
            (
                Cell(_("Handed to a person")),
                number(found.handed_over, links.questions(state__exact="handed_over")),
            )
        ),
    )
    return Table(_("Queue, shed, hand-offs"), ("", _("Count")), lines, "", key="pressure")


def failed_questions(found: Sequence[Failure], links: Links) -> Table:
    """Errors that shoppers saw."""
    lines = tuple(
        Line(
            (
                Cell(row.code or _("without a code")),
                number(row.count, links.questions(state__exact="failed", error_code=row.code)),
            )
        )
        for row in found
    )
    title = _("Errors that shoppers saw")
    return Table(title, (_("Code"), _("Questions")), lines, _("None."), key="errors")


def failed_calls(found: Sequence[Failure], links: Links) -> Table:
    """Failed attempts by kind, model and status."""
    lines = []
    for row in found:
        status = {"status": row.status} if row.status is not None else {"status__isnull": True}
        names = {
            "model_asked": row.model,
            "endpoint_key": row.endpoint_key,
            "failure": row.code or "-",
        }
        words = f"{row.code} {row.status or ''} · {row.model} · {row.endpoint_key}"
        url = links.calls(outcome__exact="failed", **names, **status)
        lines.append(Line((Cell(" ".join(words.split())), number(row.count, url))))
    heads = (_("Kind and model"), _("Calls"))
    return Table(_("Failed calls"), heads, tuple(lines), _("None."), key="failed-calls")


def left_out(found: Sequence[LeftOut], links: Links) -> Table:
    """Models of the chains that are not called today."""
    lines = tuple(
        Line(
            (
                Cell(sentence(row.reason), links.row("routing_model", row.model.id)),
                Cell(", ".join(row.tiers)),
            )
        )
        for row in found
    )
    return Table(
        _("Left out today"),
        (_("Model"), _("Chains")),
        lines,
        _("Every model of the chains may be called."),
        words=True,
        key="left-out",
    )
