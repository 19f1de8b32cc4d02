"""Every vendor hangs: each shopper has an answer by the deadline, the shop's article where there is one.

Two forms, one after the other: the vendor takes the request and says nothing at all, and it sends its
headers and nothing after them. All shoppers ask at the same moment.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.faults.restarting import restarting_site
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.faults.shoppers import Asked, Shopper
from benchmarks.site import Site, running_simulator
from chatbot.deadlines import DEADLINE_S, QUESTION_DEADLINE_S
from routing.specs import Tier

POLL_S = 0.05
RELEASE_WITHIN_S = 30.0
SETTINGS = {"CHAT_RATE_PER_SHOPPER": "6000"}
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "before": ("hang", {}),
    "after": ("stall", {"after_pieces": 0}),
}
# Each is near a typical wording of one demo article, so that it stands well above the floor.
WITH_ARTICLE = (
    "Which courier do you use?",
    "What payment methods do you accept?",
    "How can I get an invoice?",
    "Do you send to Singapore?",
    "How do I delete my account?",
    "How do I export my personal data?",
)
LONG_ONES = ("My card was charged but the page says payment failed, what is going on?",)
WITHOUT_ARTICLE = ("What is the capital of Mongolia?", "How tall is the Eiffel Tower?")


@dataclass(frozen=True, slots=True)
class Load:
    """How many shoppers ask, what, and in which forms the vendors hang."""

    shoppers: int
    texts: tuple[str, ...]
    forms: tuple[str, ...]


LOADS = {
    Scale.FULL: Load(100, (*WITH_ARTICLE, *LONG_ONES, *WITHOUT_ARTICLE), ("before", "after")),
    Scale.SHORT: Load(20, (*WITH_ARTICLE, *WITHOUT_ARTICLE), ("before",)),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One question: as its shopper saw it, its tier, and when its last call was over (None: it made none)."""

    asked: Asked
    has_article: bool
    tier: str
    call_overrun_s: float | None

    @property
    def due_s(self) -> float:
        """When its time was over, in the event loop's time."""
        return (self.asked.accepted_s or 0.0) + deadline_s(self.tier)

    @property
    def overrun_s(self) -> float:
        """Seconds from the deadline to the terminal frame; negative when it came before."""
        return float("inf") if self.asked.ended_s is None else self.asked.ended_s - self.due_s


def deadline_s(tier: str) -> float:
    """The time that a question of this tier has; one that never got a tier has the longest."""
    return DEADLINE_S[Tier(tier)] if tier else QUESTION_DEADLINE_S


def run(scale: Scale) -> list[Row]:
    """Ask while every vendor hangs."""
    load = LOADS[scale]
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simulator() as address,
        restarting_site(Path(folder), simulator_url=address, settings=SETTINGS) as site,
    ):
        for form in load.forms:
            # Started anew, so that the first form's opened breakers do not spare the second its waits.
            site.start()
            name, options = FORMS[form]
            site.site.vendor.fault(name, options=options)
            told, free_s = asyncio.run(_ask(site.site, load))
            rows += report(told, site=site.site, form=form, free_s=free_s)
            site.site.vendor.heal()
            site.end_if_running()
    return rows


async def _ask(site: Site, load: Load) -> tuple[list[Told], float]:
    """What the shoppers were told, and the loop's time when the vendor held no request any more."""
    shoppers = [Shopper(site.url, random.Random(n)) for n in range(load.shoppers)]
    await asyncio.gather(*(shopper.arrive() for shopper in shoppers))
    texts = [load.texts[n % len(load.texts)] for n in range(load.shoppers)]
    await asyncio.gather(
        *(shopper.ask_all([text]) for shopper, text in zip(shoppers, texts, strict=True)),
        return_exceptions=True,
    )
    free_s = await _free_s(site)
    asked = [one for shopper in shoppers for one in shopper.asked]
    return _told(asked, site=site), free_s


async def _free_s(site: Site) -> float:
    loop = asyncio.get_running_loop()
    gives_up_s = loop.time() + RELEASE_WITHIN_S
    while (await asyncio.to_thread(site.vendor.health))["in_flight"]:
        if loop.time() > gives_up_s:
            return float("inf")
        await asyncio.sleep(POLL_S)
    return loop.time()


def _told(asked: Sequence[Asked], *, site: Site) -> list[Told]:
    tiers = dict(site.rows("SELECT client_id, tier FROM chatbot_question"))
    overruns = _call_overruns_s(site, tiers)
    return [
        Told(
            asked=one,
            has_article=one.text not in WITHOUT_ARTICLE,
            tier=str(tiers.get(one.client_id, "")),
            call_overrun_s=overruns.get(one.client_id),
        )
        for one in asked
    ]


def _call_overruns_s(site: Site, tiers: Mapping[object, object]) -> dict[str, float]:
    """Client id -> seconds from its deadline to the end of its last call; one still open is endless."""
    rows = site.rows(
        "SELECT q.client_id, q.accepted_at, c.ended_at FROM routing_call c "
        "JOIN chatbot_question q ON q.id = c.question_id"
    )
    overruns: dict[str, float] = {}
    for client_id, accepted_at, ended_at in rows:
        lasted_s = float("inf")
        if ended_at is not None:
            lasted_s = (_time(ended_at) - _time(accepted_at)).total_seconds()
        overrun_s = lasted_s - deadline_s(str(tiers[client_id]))
        overruns[str(client_id)] = max(overrun_s, overruns.get(str(client_id), float("-inf")))
    return overruns


def _time(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def report(told: Sequence[Told], *, site: Site, form: str, free_s: float) -> list[Row]:
    """The figures of one form."""
    known = [one for one in told if one.has_article]
    served = [one for one in known if one.asked.end and one.asked.end.get("origin") == "article"]
    overruns_s = [one.call_overrun_s for one in told if one.call_overrun_s is not None]
    tiers = ", ".join(sorted({one.tier or "none" for one in told}))
    calls = site.rows("SELECT count(*) FROM routing_call")[0][0]
    name = f"hang.{form}_headers"
    return [
        Row(
            f"{name}.overrun_s",
            round(max(one.overrun_s for one in told), 2),
            "<= 0.5",
            f"latest end of {len(told)} questions after its deadline; tiers {tiers}",
        ),
        Row(
            f"{name}.article_share",
            round(len(served) / len(known), 4),
            ">= 0.99",
            f"{len(served)} of {len(known)} with an article got it",
        ),
        Row(
            f"{name}.call_overrun_s",
            round(max(overruns_s, default=0.0), 2),
            "<= 1",
            f"latest end of a call after its question's deadline; {calls} calls so far",
        ),
        Row(
            f"{name}.vendor_holds_s",
            round(free_s - max(one.due_s for one in told), 2),
            "<= 1",
            "from the last deadline to when the vendor holds no request, as the vendor tells",
        ),
    ]
