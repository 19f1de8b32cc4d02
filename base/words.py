"""Words that rows hold as codes (states, outcomes, origins), as staff read them in their language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "-": _("none"),
    "aborted": _("aborted"),
    "accepted": _("accepted"),
    "added": _("added"),
    "acknowledged": _("acknowledged"),
    "answer out of service": _("answer out of service"),
    "answered": _("answered"),
    "article": _("article"),
    "asked": _("asked"),
    "built-in rules": _("built-in rules"),
    "bypass": _("bypass"),
    "cache": _("cache"),
    "changed": _("changed"),
    "completed": _("completed"),
    "confirmed": _("confirmed"),
    "confirming": _("confirming"),
    "danger": _("danger"),
    "done": _("done"),
    "down": _("down"),
    "day": _("day"),
    "deleted": _("deleted"),
    "draft": _("draft"),
    "ended": _("ended"),
    "error": _("error"),
    "exact": _("exact"),
    "failed": _("failed"),
    "failing": _("failing"),
    "fine": _("fine"),
    "handed_over": _("handed_over"),
    "hit": _("hit"),
    "in force": _("in force"),
    "joined": _("joined"),
    "live": _("live"),
    "low": _("low"),
    "message": _("message"),
    "answer": _("answer"),
    "merged": _("merged"),
    "miss": _("miss"),
    "model": _("model"),
    "month": _("month"),
    "new": _("new"),
    "open": _("open"),
    "own": _("own"),
    "park": _("park"),
    "person": _("person"),
    "pinned": _("pinned"),
    "published": _("published"),
    "published rules": _("published rules"),
    "refused": _("refused"),
    "reset": _("reset"),
    "revoked": _("revoked"),
    "same": _("unchanged"),
    "scheduled": _("scheduled"),
    "semantic": _("semantic"),
    "served": _("served"),
    "shop": _("shop"),
    "shopper": _("shopper"),
    "simulated": _("simulated"),
    "staff": _("staff"),
    "stale": _("stale"),
    "started": _("started"),
    "stopped": _("stopped"),
    "suspended": _("suspended"),
    "system": _("system"),
    "taken out": _("taken out"),
    "template": _("template"),
    "trip": _("trip"),
    "unchanged": _("unchanged"),
    "unknown": _("unknown"),
    "up": _("up"),
    "used up": _("used up"),
    "waiting": _("waiting"),
    "warning": _("warning"),
    "working": _("working"),
}


def word(value: object) -> str:
    """The word for a code; what is no code (a model's name, a number) stays as it is."""
    return str(WORDS.get(str(value), value))


class Coloured(tuple[str, ...]):
    """A code that chooses a colour, and its words: a list shows both, a row's page the words."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(self[1])
