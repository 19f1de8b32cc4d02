"""Plays the answers of the scenario `bill` and prints its figures: `bill_played URL ANSWERS`.

A program of its own, so that it has a database file of its own (DATA_DIR).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import urllib.request
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  settings first

from base.clock import SystemClock  # noqa: E402  settings first
from base.writer import Writer  # noqa: E402  settings first
from routing.client import Client, Timeouts  # noqa: E402  settings first
from routing.dispatch import Dispatcher  # noqa: E402  settings first
from routing.errors import Exhausted  # noqa: E402  settings first
from routing.gate import Gate  # noqa: E402  settings first
from routing.ledger import Ledger  # noqa: E402  settings first
from routing.models import Budget, Call, Spending  # noqa: E402  settings first
from routing.snapshot import access_of, load_routing  # noqa: E402  settings first
from routing.specs import Limits, Message, ModelSpec, Prompt, RoutingSnapshot, Tier  # noqa: E402  settings first
from simulator.remote import Remote  # noqa: E402  settings first

AT_ONCE = 48
LEAVING_SHARE = 0.02
ANSWER_TOKENS = 300
DEADLINE_S = 60.0
PATIENT = Timeouts(connect_s=30.0, first_content_s=45.0, idle_s=30.0, ending_s=5.0)
CHAIN = (
    "openai/gpt-4.1",
    "anthropic/claude-sonnet-5-5",
    "gemini/gemini-3.5-flash-lite",
    "deepseek/deepseek-flash",
    "holysheep/deepseek-v3.2",
)
FAULTS: tuple[dict[str, Any], ...] = (
    {"name": "truncate", "probability": 0.025, "options": {"after_pieces": 3}},
    {"name": "cut", "probability": 0.025, "options": {"after_pieces": 5}},
    {"name": "503", "probability": 0.04},
    {"name": "429", "probability": 0.02, "options": {"retry_after": "0.02"}},
)


class Shop:
    """The parts of a process that call vendors, and the callers."""

    def __init__(self, routing: RoutingSnapshot, *, seed: int) -> None:
        self.clock = SystemClock()
        self.writer = Writer()
        self.writer.start()
        self.client = Client(timeouts=PATIENT, allow_loopback=True)
        self.random = random.Random(seed)
        self.models = _models(routing)
        ledger = Ledger(writer=self.writer, routing=lambda: routing, clock=self.clock)
        self.dispatcher = Dispatcher(
            client=self.client,
            gate=Gate(clock=self.clock, random=self.random.random),
            ledger=ledger,
            keys=access_of,
            clock=self.clock,
            random=self.random.random,
            allowed_hosts=(),
            allow_loopback=True,
        )

    async def ask(self, number: int) -> str:
        """One question; some callers leave after the first words."""
        leaving = self.random.random() < LEAVING_SHARE
        place = number % len(self.models)
        task = asyncio.current_task()

        async def on_delta(_: str) -> None:
            if leaving and task is not None:
                task.cancel()

        async def nothing(*_: object) -> None:
            return None

        try:
            await self.dispatcher.complete(
                _prompt(number),
                chain=[*self.models[place:], *self.models[:place]],
                tier=Tier.COMPLEX,
                question_id=number,
                site_id=1,
                deadline_s=self.clock.monotonic_s() + DEADLINE_S,
                max_output_tokens=ANSWER_TOKENS,
                on_delta=on_delta,
                on_restart=nothing,
                on_wait=nothing,
            )
        except asyncio.CancelledError:
            if not leaving:
                raise
            return "left"
        except Exhausted:
            return "exhausted"
        return "answered"

    async def close(self) -> None:
        """Write what is queued and close the connections."""
        await self.client.close()
        await asyncio.to_thread(self.writer.stop)


async def play(routing: RoutingSnapshot, *, answers: int) -> Counter[str]:
    """All questions, AT_ONCE at a time; how they ended."""
    shop, ended = Shop(routing, seed=7), Counter[str]()
    numbers = iter(range(answers))

    async def caller() -> None:
        for number in numbers:
            ended[await asyncio.create_task(shop.ask(number))] += 1

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    await shop.close()
    return ended


def compare(bill: list[dict[str, Any]], ended: Counter[str]) -> dict[str, Any]:
    """Both books, attempt by attempt."""
    rows = {row.attempt_id: row for row in Call.objects.all()}
    billed = Counter(line["client_request_id"] for line in bill)
    by_attempt = {line["client_request_id"]: line for line in bill}
    completed = [row for row in rows.values() if row.outcome == Call.COMPLETED]
    pairs = [(row, by_attempt.get(row.attempt_id)) for row in completed]
    wrong = [(row, line) for row, line in pairs if line is None or _differs(row, line)]
    guessed = [row for row in rows.values() if row.outcome in (Call.UNKNOWN, Call.ABORTED)]
    unknown = [(row, by_attempt.get(row.attempt_id, {"cost_nano": 0})) for row in guessed]
    ours = sum(row.cost_nanousd for row in guessed)
    theirs = sum(int(line["cost_nano"] * row.usd_per_unit) for row, line in unknown)
    stayed = ended.total() - ended["left"]
    return {
        "answers": ended.total(),
        "attempts": len(rows),
        "completed": len(completed),
        "outcomes": dict(Counter(row.outcome for row in rows.values())),
        "differing": len(wrong),
        "apart_nano": sum(
            abs(row.amount_nano - (line["cost_nano"] if line else 0)) for row, line in pairs
        ),
        "without_one_row": sum(1 for name, n in billed.items() if n != 1 or name not in rows),
        "failed_billed_nano": sum(
            by_attempt.get(row.attempt_id, {"cost_nano": 0})["cost_nano"]
            for row in rows.values()
            if row.outcome == Call.FAILED
        ),
        "left_open": sum(1 for row in rows.values() if row.outcome == Call.STARTED),
        "unknown": len(guessed),
        "unknown_apart_share": abs(ours - theirs) / max(theirs, 1),
        "spending_apart": _spending_apart(list(rows.values())),
        "answered_share": ended["answered"] / max(stayed, 1),
    }


def _differs(row: Call, line: dict[str, Any]) -> bool:
    ours = (
        row.input_tokens,
        row.cached_input_tokens,
        row.output_tokens,
        row.amount_nano,
        row.currency,
        row.cost_nanousd,
    )
    rate = row.usd_per_unit if line["currency"] != "USD" else Decimal(1)
    return line["status"] != "completed" or ours != (
        line["input_tokens"],
        line["cached_tokens"],
        line["output_tokens"],
        line["cost_nano"],
        line["currency"],
        int((line["cost_nano"] * rate).to_integral_value(rounding="ROUND_HALF_UP")),
    )


def _spending_apart(rows: list[Call]) -> int:
    """What a budget over everything counted, against the sum of its calls; nothing stays reserved."""
    counted = Spending.objects.all()
    spent = sum(row.spent_nanousd for row in counted)
    return abs(spent - sum(row.cost_nanousd for row in rows)) + sum(
        abs(row.reserved_nanousd) + abs(row.reserved_tokens) for row in counted
    )


def _models(routing: RoutingSnapshot) -> list[ModelSpec]:
    """The models of CHAIN without limits, in its order."""
    found = {
        f"{model.endpoint.key}/{model.name}": replace(model, limits=Limits())
        for chain in routing.chains.values()
        for model in chain
    }
    return [found[name] for name in CHAIN]


def _prompt(number: int) -> Prompt:
    """A question over one of many shop texts; some come again, so that prompts are cached."""
    text = " ".join(f"Parcel rule {number % 97 * 31 + i} holds for {i} days." for i in range(40))
    article = f'<article key="a">\nTitle: Shipping {number % 97}\n{text}\n</article>'
    return Prompt(
        f"Answer from this.\n{article}", (Message("user", f"How long is shipping {number}?"),)
    )


def _bill(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/bill?rows=1", timeout=120) as answer:
        lines: list[dict[str, Any]] = json.load(answer)["requests"]
    return lines


def main() -> None:
    """Migrate, seed, play, compare, print."""
    url, answers = sys.argv[1], int(sys.argv[2])
    call_command("migrate", verbosity=0, skip_checks=True)
    call_command("seed_demo", stdout=sys.stderr)
    Budget.objects.create(period="month", limit_nanousd=10**15)
    vendor = Remote(url)
    for fault in FAULTS:
        vendor.fault(**fault)
    ended = asyncio.run(play(load_routing(), answers=answers))
    sys.stdout.write(json.dumps(compare(_bill(url), ended)) + "\n")


if __name__ == "__main__":
    main()
