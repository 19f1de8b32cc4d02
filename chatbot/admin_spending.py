"""Tables of the first page about money: cost over time, by model and tier, and what was saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.money import usd
from chatbot.admin_charts import Layer, moment_name, stacked, tick_names
from chatbot.admin_figures import bounds_of
from chatbot.admin_tables import Cell, Line, Links, Table, money, number, short
from chatbot.reports import figures
from chatbot.reports.configured import Baseline
from chatbot.reports.facts import Facts
from chatbot.reports.figures import Spend
from chatbot.reports.waterfall import Measured, Step
from routing.specs import Tier

STEP_WORDS = {
    "baseline": gettext_lazy("Every question to the dearest model"),
    "routing": gettext_lazy("Cheaper models by routing"),
    "exact": gettext_lazy("Cache: the same wording"),
    "semantic": gettext_lazy("Cache: the same meaning"),
    "confirmed": gettext_lazy("Cache: confirmed by the shopper"),
    "joined": gettext_lazy("Joined one in flight"),
    "stale": gettext_lazy("Cache: an older answer"),
    "without_model": gettext_lazy("Articles and fixed texts, no model"),
    "unanswered": gettext_lazy("Open, failed or stopped before an answer"),
    "calls_per_answer": gettext_lazy("Calls that answered more or less than one question"),
    "failed": gettext_lazy("Failures and retries"),
    "own": gettext_lazy("The shop's own calls: checks, judging, fresh answers"),
    "ledger": gettext_lazy("The ledger's total"),
}


def cost_over_time(parts: Sequence[Facts], links: Links) -> Table:
    """Cost by tier, moment by moment, with the chart."""
    tiers = [*(tier.value for tier in Tier), ""]
    layers = [Layer(tier, tier or _("none"), f"t-{tier or 'none'}") for tier in tiers]
    rows = [
        {tier: costs.get(tier, 0) for tier in tiers}
        for costs in (figures.cost_by(facts, figures.TIER) for facts in parts)
    ]
    tiers = [tier for tier in tiers if any(row[tier] for row in rows)]
    span = links.span
    names = [moment_name(start, span) for start in span.moments()]
    limits = [
        {key.replace("accepted_at", "started_at"): value for key, value in bounds.items()}
        for bounds in bounds_of(links)
    ]
    urls = [links.calls(**bounds) for bounds in limits]
    chart = stacked(
        _("Cost over time, by tier"),
        rows,
        layers=layers,
        labels=[f"{name}: {usd(sum(row.values()))}" for name, row in zip(names, rows, strict=True)],
        urls=urls,
        ticks=tick_names(span),
        highest=usd(max((sum(row.values()) for row in rows), default=0)),
    )
    lines = tuple(
        Line((Cell(name), money(sum(row.values()), url), *(money(row[tier]) for tier in tiers)))
        for name, row, url in zip(names, rows, urls, strict=True)
        if any(row.values())
    )
    heads = (_("When"), _("Cost"), *(tier or _("None") for tier in tiers))
    return Table(
        _("Cost over time"),
        heads,
        lines,
        _("Nothing was paid for."),
        key="cost-over-time",
        chart=chart,
        wide=True,
    )


def _spend_cells(row: Spend, calls: str, failed: str) -> tuple[Cell, ...]:
    return (
        number(row.calls, calls),
        number(row.failed, failed),
        Cell(short(row.input_tokens), value=row.input_tokens),
        Cell(short(row.output_tokens), value=row.output_tokens),
        money(row.cost_nanousd, calls),
    )


def spend(
    title: str,
    found: Sequence[Spend],
    *,
    name: Callable[[Spend], str],
    url: Callable[..., str],
    key: str,
) -> Table:
    """Cost and tokens by model or tier; `url(row, **filters)` leads to its calls."""
    costs = figures.shares([(name(row), row.cost_nanousd) for row in found])
    lines = tuple(
        Line(
            (Cell(name(row)), *_spend_cells(row, url(row), url(row, outcome__exact="failed"))),
            permille=cost.permille,
        )
        for row, cost in zip(found, costs, strict=True)
    )
    heads = ("", _("Calls"), _("Failed"), _("Tokens in"), _("Tokens out"), _("Cost"))
    return Table(title, heads, lines, _("No calls yet."), key=key)


def spend_by_model(found: Sequence[Spend], links: Links) -> Table:
    """Per endpoint and model, dearest first."""

    def url(row: Spend, **filters: object) -> str:
        return links.calls(model_asked=row.model, endpoint_key=row.endpoint_key, **filters)

    return spend(
        _("Cost and tokens by model"),
        found,
        name=lambda row: f"{row.model} · {row.endpoint_key}",
        url=url,
        key="by-model",
    )


def spend_by_tier(found: Sequence[Spend], links: Links) -> Table:
    """Per tier, dearest first."""

    def url(row: Spend, **filters: object) -> str:
        return links.calls(tier__exact=row.tier, **filters)

    return spend(
        _("Cost and tokens by tier"),
        found,
        name=lambda row: row.tier or _("none"),
        url=url,
        key="by-tier",
    )


def waterfall(
    steps: Sequence[Step], used: Measured, baseline: Baseline | None, links: Links
) -> Table:
    """From the baseline to the ledger: each bar spans the levels before and after its step."""
    highest = max((step.level for step in steps), default=0) or 1
    lines, before = [], 0
    for step in steps:
        whole = step.kind in ("whole", "total")
        low = 0 if whole else min(before, step.level)
        width = step.level if whole else abs(step.nanousd)
        before = step.level
        if not (whole or step.count or step.nanousd):
            continue
        mark = f" ({_('estimate')})" if step.estimated else ""
        lines.append(
            Line(
                (
                    Cell(f"{STEP_WORDS[step.key]}{mark}"),
                    number(step.count),
                    money(step.nanousd, links.calls() if step.kind == "total" else ""),
                ),
                offset=1000 * low // highest,
                permille=max(3, 1000 * width // highest),
                tone=f"w-{step.kind}",
                strong=whole,
            )
        )
    return Table(
        _("From every question at the dearest model to what was paid"),
        ("", _("Questions or calls"), _("Dollars")),
        tuple(lines),
        _("No calls yet."),
        _formula(used, baseline),
        key="savings",
        wide=True,
    )


def _formula(used: Measured, baseline: Baseline | None) -> tuple[str, ...]:
    if baseline is None or used.calls == 0:
        return (
            _(
                "No completed call with a known price in this range: there are no measured tokens to "
                "compare with, so the steps before failures are 0."
            ),
        )
    nano = baseline
    figures_said = {
        "model": nano.label,
        "calls": f"{used.calls:,}",
        "input": f"{used.input_tokens - used.cached_input_tokens:,}",
        "cached": f"{used.cached_input_tokens:,}",
        "output": f"{used.output_tokens:,}",
        "in_price": f"{nano.input_nano_per_token:,}",
        "cached_price": f"{nano.cached_input_nano_per_token:,}",
        "out_price": f"{nano.output_nano_per_token:,}",
        "currency": nano.currency,
        "baseline": usd(nano.nanousd),
        "paid": usd(used.cost_nanousd),
    }
    return (
        _(
            "Baseline: questions × B / N. N = %(calls)s completed calls for questions; B = %(baseline)s is what "
            "their tokens cost at %(model)s today: %(input)s × %(in_price)s + %(cached)s cached × %(cached_price)s + "
            "%(output)s × %(out_price)s nano-%(currency)s."
        )
        % figures_said,
        _(
            "Routing brings B to A = %(paid)s, what those calls cost. Each kind of answer without a call takes off "
            "its questions × A / N; what is left are the ledger's own rows, so the steps add up to it exactly."
        )
        % figures_said,
    )
