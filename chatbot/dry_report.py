"""What a dry run found, added up question by question into one JSON value. Pure but for prices, which it is given.

Both sides are priced alike: the tokens that the question's own call used, at today's price of the model that
would be asked first. So what does not move cannot differ. Amounts are nano-dollars [low, middle, high].
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from random import Random
from typing import Any

from chatbot.dry_cache import ReplayCache
from chatbot.dry_costs import Costs, Money, Spent
from chatbot.dry_replay import BYPASS, MISS, Pair, Played
from chatbot.dry_rows import HITS, Logged
from chatbot.dry_sums import SideSum
from routing.rules import NO_ACTIONS
from routing.specs import ModelSpec, Tier, Usage

SAMPLE, MOST_EXCEPTIONS, TEXT_CHARACTERS = 20, 20, 200
# Why the replayed cache came to something else; `chatbot.dry_view` has the words.
LATER, GONE, UNSURE, JOINED = "later", "gone", "unsure", "joined"
BESIDE_THEN, BESIDE_NOW = "beside then", "beside now"


class Report:
    """add / result. `seed` draws the sample."""

    def __init__(self, *, seed: int = 1) -> None:
        self._rng = Random(seed)  # noqa: S311 - repeatable, not secret
        self._base, self._draft = SideSum(), SideSum()
        self._count = self._booked_nanousd = self._served_both = self._fixed = 0
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._minutes: Counter[int] = Counter()
        self._moved: list[int] = []
        self._kinds: Counter[str] = Counter()
        self._ways: Counter[str] = Counter()
        self._sample: list[dict[str, Any]] = []
        self._logged = self._same = self._lost = 0
        self._exceptions: list[dict[str, Any]] = []
        self._compared = self._agreed = 0
        self._reasons: Counter[str] = Counter()
        self._usages: defaultdict[str, Counter[Usage | None]] = defaultdict(Counter)

    def add(self, pair: Pair, *, cache: ReplayCache) -> None:
        """One more question; `cache` is that of the set in force."""
        question = pair.seen.question
        self._count += 1
        self._booked_nanousd += question.booked_nanousd
        self._first, self._last = self._first or question.at, question.at
        self._minutes[int(question.at.timestamp() // 60)] += 1
        self._base.add(pair.base)
        self._draft.add(pair.draft)
        self._check(pair)
        if question.is_logged:
            self._compare(pair, cache)
        if pair.base.decided is None:
            self._fixed += 1
        else:
            self._move(pair)
        if pair.base.spent is not None:
            spent = pair.base.spent
            self._usages[pair.base.tier][None if spent.is_estimate else question.usage] += 1

    def _check(self, pair: Pair) -> None:
        """Whether the logged decision came out again."""
        question = pair.seen.question
        if not question.tier or not question.state:
            return
        if pair.again is None:
            self._lost += 1
            return
        self._logged += 1
        if pair.again.tier.value == question.tier:
            self._same += 1
        elif len(self._exceptions) < MOST_EXCEPTIONS:
            self._exceptions.append(
                {
                    "id": question.id,
                    "text": question.text[:TEXT_CHARACTERS],
                    "version": question.version,
                    "logged": question.tier,
                    "again": pair.again.tier.value,
                    "reason": pair.again.reason,
                }
            )

    def _compare(self, pair: Pair, cache: ReplayCache) -> None:
        """Whether the replayed cache did what the running one did, and if not, why."""
        question = pair.seen.question
        was, now = _class(question.cache), _class(pair.base.kind)
        self._compared += 1
        if was == now:
            self._agreed += 1
        else:
            self._reasons[_why(question, was, now, cache)] += 1

    def _move(self, pair: Pair) -> None:
        kind = _difference(pair.base, pair.draft)
        if kind == "":
            return
        question = pair.seen.question
        self._moved.append(question.id)
        self._kinds[kind] += 1
        self._served_both += pair.base.is_hit and pair.draft.is_hit
        if pair.base.tier != pair.draft.tier:
            self._ways[f"{pair.base.tier} → {pair.draft.tier}"] += 1
        row = {
            "id": question.id,
            "text": question.text[:TEXT_CHARACTERS],
            "at": question.at.isoformat(),
            "kind": kind,
            "before": _shown(pair.base),
            "after": _shown(pair.draft),
        }
        # Every moved question has the same chance to be in the sample (Vitter's algorithm R).
        if len(self._sample) < SAMPLE:
            self._sample.append(row)
        elif (place := self._rng.randrange(len(self._moved))) < SAMPLE:
            self._sample[place] = row

    def result(self, costs: Costs, *, seconds: float) -> dict[str, Any]:
        """The JSON value; `costs` are those of the chains as they stand."""
        delta = self._draft.money.minus(self._base.money)
        if self._base.money == self._draft.money and not self._moved:
            delta = Money()
        return {
            "questions": self._count,
            "fixed": self._fixed,
            "first": self._first.isoformat() if self._first else None,
            "last": self._last.isoformat() if self._last else None,
            "busiest_minute": max(self._minutes.values(), default=0),
            "seconds": round(seconds, 2),
            "identity": {
                "logged": self._logged,
                "same": self._same,
                "set_gone": self._lost,
                "exceptions": self._exceptions,
            },
            "cache": {
                "compared": self._compared,
                "agreed": self._agreed,
                "reasons": dict(self._reasons.most_common()),
            },
            "moved": {
                "count": len(self._moved),
                "ids": self._moved,
                "kinds": dict(self._kinds),
                "ways": dict(self._ways.most_common()),
                "served_both": self._served_both,
            },
            "booked_nanousd": self._booked_nanousd,
            "base": self._base.as_json(),
            "draft": self._draft.as_json(),
            "delta": list(delta),
            "call_seconds": self._call_seconds(costs),
            "side_by_side": {
                tier: self._side_by_side(Tier(tier), costs) for tier in sorted(self._usages)
            },
            "sample": sorted(self._sample, key=lambda row: abs(row["id"])),
        }

    def _call_seconds(self, costs: Costs) -> dict[str, float]:
        """How long a call of each model that is asked usually takes; 0 where that is not known."""
        asked = self._base.models.keys() | self._draft.models.keys()
        models = {model.id: model for chain in costs.routing.chains.values() for model in chain}
        return {
            str(key): round(costs.habit(models[key]).seconds, 2) for key in asked & models.keys()
        }

    def _side_by_side(self, tier: Tier, costs: Costs) -> list[dict[str, Any]]:
        """What a tier's calls would cost with each model that stands in any chain, cheapest first.

        Estimated calls take the length of answers that the tier's own model gives, so that only prices differ.
        """
        chain = costs.chain(tier)
        first = chain[0] if chain else None
        models = {model.id: model for models in costs.routing.chains.values() for model in models}
        callable_ids = {model.id for one in Tier for model in costs.chain(one)}
        rows: list[dict[str, Any]] = []
        for model in models.values():
            if model.id in callable_ids:
                cost = self._with_model(tier, model, costs, like=first or model)
                if cost is not None:
                    rows.append({"id": model.id, "model": model.label, "cost": cost})
        now = next((row["cost"] for row in rows if first and row["id"] == first.id), None)
        for row in rows:
            row["in_force"] = first is not None and row["id"] == first.id
            row["factor"] = round(now / row["cost"], 2) if now and row["cost"] else None
        return sorted(rows, key=lambda row: (row["cost"], row["model"]))

    def _with_model(
        self, tier: Tier, model: ModelSpec, costs: Costs, *, like: ModelSpec
    ) -> int | None:
        total = 0
        habit = costs.habit(like)
        typical = Usage(habit.input_tokens, habit.output[1])
        for usage, count in self._usages[tier.value].items():
            spent = costs.spent(tier, NO_ACTIONS, usage=usage or typical, model=model)
            if spent is None or spent.money is None:
                return None
            total += spent.money.middle * count
        return total


def _difference(base: Played, draft: Played) -> str:
    """What the draft does otherwise: `tier`, `chain` (other models), `action`, or nothing."""
    if base.decided is None or draft.decided is None:
        return ""
    if base.tier != draft.tier:
        return "tier"
    if base.chain != draft.chain:
        return "chain"
    return "action" if base.decided.actions != draft.decided.actions else ""


def _class(kind: str) -> str:
    if kind in HITS:
        return "hit"
    return "miss" if kind == MISS else "bypass"


def _why(question: Logged, was: str, now: str, cache: ReplayCache) -> str:
    """Why the replayed cache came to something else."""
    if was == BYPASS:
        return BESIDE_THEN
    if now == BYPASS:
        return BESIDE_NOW
    if now == "hit":
        return LATER
    if question.cache == "joined":
        return JOINED
    return UNSURE if cache.holds(question.served_from, at=question.at) else GONE


def _shown(played: Played) -> dict[str, Any]:
    decided = played.decided
    spent = played.spent
    return {
        "tier": played.tier,
        "model": played.chain[0].label if played.chain else "",
        "actions": list(decided.actions.in_words) if decided is not None else [],
        "why": decided.reason if decided is not None else "",
        "outcome": played.kind,
        "cost": _money(spent),
        "estimate": spent.is_estimate if spent is not None else False,
    }


def _money(spent: Spent | None) -> list[int] | None:
    if spent is None:
        return [0, 0, 0]
    return list(spent.money) if spent.money is not None else None
