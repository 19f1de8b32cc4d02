"""A dry run's result as its page shows it: figures in words, money, and whether the vendors' limits hold a peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.money import usd
from chatbot.dry_report import BESIDE_NOW, BESIDE_THEN, GONE, JOINED, LATER, UNSURE
from routing.models import Model

REASONS = {
    LATER: gettext_lazy(
        "an answer stands here that did not stand then: it had ended, or its article has changed"
    ),
    GONE: gettext_lazy(
        "the answer that it was served from was not stored in these questions, or has been taken away"
    ),
    UNSURE: gettext_lazy("by meaning no stored answer is sure enough here"),
    JOINED: gettext_lazy("it waited for the same question in flight; here one comes after another"),
    BESIDE_THEN: gettext_lazy(
        "it was kept beside the cache then, by another set or by what the shopper had said before"
    ),
    BESIDE_NOW: gettext_lazy("the guard or the set in force keeps it beside the cache now"),
}
KINDS = {
    "tier": gettext_lazy("another tier"),
    "chain": gettext_lazy("other models"),
    "action": gettext_lazy("other actions"),
}
OUTCOMES = {
    "exact": gettext_lazy("from the cache, same words"),
    "semantic": gettext_lazy("from the cache, by meaning"),
    "confirmed": gettext_lazy("from the cache, confirmed"),
    "miss": gettext_lazy("a model answers"),
    "bypass": gettext_lazy("a model answers, beside the cache"),
    "person": gettext_lazy("handed to a person"),
    "article": gettext_lazy("answered with an article"),
    "fixed": gettext_lazy("a fixed text"),
}
LIMITS = (
    ("requests_per_minute", gettext_lazy("requests per minute")),
    ("tokens_per_minute", gettext_lazy("tokens per minute")),
    ("input_tokens_per_minute", gettext_lazy("input tokens per minute")),
    ("output_tokens_per_minute", gettext_lazy("output tokens per minute")),
    ("in_flight", gettext_lazy("calls at once")),
)
HARDLY = 0.05
LEAST_PEAK, MOST_PEAK = 0.01, 10_000.0


@dataclass(frozen=True, slots=True)
class Load:
    """What one model would be asked at the peak, and the limit that is nearest to being reached."""

    label: str
    before_rpm: float
    after_rpm: float
    after_tpm: float
    used: float | None
    limit: str

    @property
    def tone(self) -> str:
        """`bad` over a limit, `warn` above four fifths of one."""
        if self.used is None:
            return "plain"
        return "bad" if self.used > 1 else "warn" if self.used > 0.8 else "good"

    @property
    def verdict(self) -> str:
        """In words."""
        if self.used is None:
            return _("states no limit")
        share = _("%(share)s of %(limit)s") % {"share": f"{self.used:.0%}", "limit": self.limit}
        if self.used <= 1:
            return share
        return _("%(share)s: the rest goes to the next models of the chain") % {"share": share}


def shown(result: Mapping[str, Any], *, peak: float) -> dict[str, Any]:
    """Everything the report's template needs; `peak` in questions per second."""
    questions = max(1, result["questions"])
    base, draft = result["base"], result["draft"]
    return {
        "questions": result["questions"],
        "first": _moment(result["first"]),
        "last": _moment(result["last"]),
        "moved": result["moved"]["count"],
        "served_both": result["moved"]["served_both"],
        "moves": [(KINDS[kind], count) for kind, count in result["moved"]["kinds"].items()],
        "ways": list(result["moved"]["ways"].items()),
        "before": _money(base["cost"]),
        "after": _money(draft["cost"]),
        "delta": _money(result["delta"], signed=True),
        "change": _change(base["cost"][1], draft["cost"][1]),
        "booked": usd(result["booked_nanousd"]),
        "estimated": max(base["estimated"], draft["estimated"]),
        "unpriced": max(base["unpriced"], draft["unpriced"]),
        "uncallable": draft["uncallable"],
        "hits_before": f"{base['hits'] / questions:.1%}",
        "hits_after": f"{draft['hits'] / questions:.1%}",
        "hits_delta": f"{(draft['hits'] - base['hits']) / questions * 100:+.1f}",
        "identity": _share(result["identity"]["same"], result["identity"]["logged"]),
        "logged": result["identity"]["logged"],
        "set_gone": result["identity"]["set_gone"],
        "exceptions": result["identity"]["exceptions"],
        "agreement": _share(result["cache"]["agreed"], result["cache"]["compared"]),
        "compared": result["cache"]["compared"],
        "reasons": [(REASONS[key], count) for key, count in result["cache"]["reasons"].items()],
        "tiers": _tiers(base["tiers"], draft["tiers"]),
        "side_by_side": [
            _beside(tier, rows) for tier, rows in result["side_by_side"].items() if rows
        ],
        "loads": loads(result, peak=peak),
        "peak": f"{peak:g}",
        "sample": [_row(row) for row in result["sample"]],
        "seconds": result["seconds"],
    }


def usual_peak(result: Mapping[str, Any]) -> float:
    """Questions per second in the busiest minute."""
    return float(max(LEAST_PEAK, round(result["busiest_minute"] / 60, 2)))


def loads(result: Mapping[str, Any], *, peak: float) -> list[Load]:
    """Calls and tokens per minute of every model that is asked first, beside its limits."""
    before, after = result["base"]["models"], result["draft"]["models"]
    limits = {str(row.pk): row for row in Model.objects.filter(pk__in={*before, *after})}
    per_minute = peak * 60 / max(1, result["questions"])
    found = []
    for key in sorted({*before, *after}, key=lambda key: -after.get(key, [0, 0])[1]):
        label, calls, tokens_in, tokens_out = after.get(key) or [before[key][0], 0, 0, 0]
        use = {
            "requests_per_minute": calls * per_minute,
            "tokens_per_minute": (tokens_in + tokens_out) * per_minute,
            "input_tokens_per_minute": tokens_in * per_minute,
            "output_tokens_per_minute": tokens_out * per_minute,
            # Little's law: calls per second times how long one takes.
            "in_flight": calls * per_minute / 60 * result["call_seconds"].get(key, 0.0),
        }
        used, limit = _nearest(limits.get(key), use)
        asked = before[key][1] * per_minute if key in before else 0.0
        load = Load(label, asked, use["requests_per_minute"], use["tokens_per_minute"], used, limit)
        found.append(load)
    return found


def _nearest(row: Model | None, use: Mapping[str, float]) -> tuple[float | None, str]:
    """The largest share of a stated limit, and which limit that is."""
    stated = [
        (use[name] / limit, str(words))
        for name, words in LIMITS
        if (limit := getattr(row, name, None))
    ]
    return max(stated, default=(None, ""), key=lambda item: item[0] or 0.0)


def _tiers(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for tier in sorted({*before, *after}):
        old_count, old = before.get(tier, [0, [0, 0, 0]])
        new_count, new = after.get(tier, [0, [0, 0, 0]])
        same = old_count == new_count and old_count > 0
        rows.append(
            {
                "tier": tier,
                "calls_before": old_count,
                "calls_after": new_count,
                "before": _money(old),
                "after": _money(new),
                "factor": _factor(old[1], new[1]) if same else "",
            }
        )
    return rows


def _beside(tier: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each model's cost for a tier's calls, with a bar, and in words how the one in force compares."""
    most = max(1, *(row["cost"] for row in rows))
    lines = [
        {
            **row,
            "cost": usd(row["cost"]),
            "permille": round(row["cost"] / most * 1_000),
            "words": _compared(row["factor"]) if not row["in_force"] else _("in force"),
        }
        for row in rows
    ]
    return {"tier": tier, "rows": lines}


def _compared(factor: float | None) -> str:
    if factor is None or factor == 0:
        return ""
    if factor == 1:
        return _("the same as now")
    if abs(factor - 1) < HARDLY:
        return _("about the same as now")
    if factor > 1:
        return _("%(factor)s times cheaper than now") % {"factor": f"{factor:.1f}"}
    return _("%(factor)s times dearer than now") % {"factor": f"{1 / factor:.1f}"}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    sides = {
        side: {
            **row[side],
            "outcome": OUTCOMES.get(row[side]["outcome"], row[side]["outcome"]),
            "cost": _money(row[side]["cost"]) if row[side]["cost"] is not None else "",
        }
        for side in ("before", "after")
    }
    asked = row["id"] if row["id"] > 0 else None
    return {**row, **sides, "kind": KINDS[row["kind"]], "question_id": asked}


def _money(amounts: Sequence[int], *, signed: bool = False) -> str:
    """An amount, or its interval where it is an estimate."""
    low, middle, high = amounts
    words = [f"{'+' if signed and one > 0 else ''}{usd(one)}" for one in (low, middle, high)]
    if low == high:
        return words[1]
    values = {"middle": words[1], "low": words[0], "high": words[2]}
    return _("about %(middle)s (%(low)s to %(high)s)") % values


def _change(before: int, after: int) -> str:
    return f"{(after - before) / before:+.1%}" if before else ""


def _factor(before: int, after: int) -> str:
    return _compared(round(before / after, 2)) if before and after else ""


def _share(part: int, whole: int) -> str:
    """Never rounded up to 100 %."""
    if not whole:
        return "–"
    return f"{int(part / whole * 1_000) / 10:g} %"


def _moment(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None
