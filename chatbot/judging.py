"""A cheap model says whether two answers mean the same, where comparing their words could not tell.

Nobody waits for it: it works off `Comparison` rows while its model's limits have room at once (its calls
queue behind every shopper's), within a daily budget, through the same dispatcher, limits and ledger as
everything else. A busy hour is when answers that are known to say the same save most, so load alone does not
stop it. Two answers are merged when two of at most three verdicts say "the same"; in the last round, after they
were held for different once, all three must. Answers too long to be shown whole are never judged. The
comparisons of one new answer are worked off one after the other: once it is merged, the others need no
call. Repeating the work changes nothing: a settled row is not judged again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from cache.identity import MAJORITY, VERDICTS, settled_by
from cache.merging import merge
from cache.models import Answer, Comparison
from chatbot.runtime import Runtime
from routing.dispatch import Answered
from routing.errors import Exhausted, TooLarge
from routing.specs import FinishReason, Message, Prompt, Tier

MOST_PER_RUN = 40
AT_ONCE = 4
JUDGE_WITHIN_S = 8.0
VERDICT_TOKENS = 80  # models that think before they speak need some
MOST_ATTEMPTS = 3
MOST_CHARACTERS = 4_000  # of a question and its answer
NANOUSD_PER_CENT = 10_000_000
TEMPLATE_PATH = Path(__file__).resolve().parent.parent / "templates" / "prompts" / "judge.txt"
TEMPLATE = TEMPLATE_PATH.read_text(encoding="utf-8")
_TAG = re.compile(r"<(?=\s*/?\s*(?:question|answer)-[ab])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Side:
    """One answer as the judge sees it: a question that led to it, and its text."""

    answer_id: int
    question: str
    text: str


async def judge_waiting(runtime: Runtime) -> int:
    """Settle waiting comparisons, oldest first, AT_ONCE together; returns how many answers were merged."""
    rows = await runtime.reader.run(partial(_waiting, runtime.clock.now()))
    groups = iter([[row_id for _, row_id in group] for _, group in groupby(rows, itemgetter(0))])
    workers = (_work_off(groups, runtime=runtime) for _ in range(AT_ONCE))
    return sum(await asyncio.gather(*workers))


async def _work_off(groups: Iterator[list[int]], *, runtime: Runtime) -> int:
    """Judge rows of the shared groups while there is room; returns how many answers were merged."""
    merged = 0
    for row_id in chain.from_iterable(groups):
        if not has_room(runtime):
            break
        merged += await _compared(row_id, runtime=runtime)
    return merged


async def _compared(row_id: int, *, runtime: Runtime) -> int:
    """Judge one row, or give it up; returns how many answers were merged."""
    pair = await runtime.reader.run(partial(_pair, row_id, now=runtime.clock.now()))
    if pair is None:
        await runtime.writer.run(partial(_give_up, row_id))
        return 0
    verdict = await _judged(pair, runtime=runtime)
    return await runtime.writer.run(partial(_settle, row_id, verdict, now=runtime.clock.now()))


def has_room(runtime: Runtime) -> bool:
    """Whether a call down the judge's chain could start at once, with nobody waiting before it."""
    if runtime.supervisor.draining:
        return False
    prospect = runtime.desk.dispatcher.prospect(
        runtime.configuration.routing.chains[Tier.FAQ],
        tier=Tier.FAQ,
        deadline_s=runtime.clock.monotonic_s() + JUDGE_WITHIN_S,
    )
    return prospect is not None and prospect.wait_s <= 0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to be compared; `needed` verdicts must say that they are the same."""

    new: Side
    old: Side
    needed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`same` None: the model gave no usable verdict. `cost_nanousd` is what all calls took."""

    same: bool | None
    model: str
    cost_nanousd: int


async def _judged(pair: Pair, *, runtime: Runtime) -> Verdict:
    """Ask until it is settled, the answers in another order each time."""
    cost_nanousd, model = 0, ""
    orders = ((pair.new, pair.old), (pair.old, pair.new), (pair.new, pair.old))
    found: list[bool] = []
    for first, second in orders:
        answered = await _ask(first, second, runtime=runtime)
        if answered is None:
            break
        cost_nanousd, model = cost_nanousd + answered.cost_nanousd, answered.model.label
        same = verdict_in(answered.reply.text)
        if same is None or answered.reply.finish_reason is not FinishReason.STOP:
            break
        found.append(same)
        settled = settled_by(found, needed=pair.needed)
        if settled is not None:
            return Verdict(same=settled, model=model, cost_nanousd=cost_nanousd)
    return Verdict(same=None, model=model, cost_nanousd=cost_nanousd)


async def _ask(first: Side, second: Side, *, runtime: Runtime) -> Answered | None:
    ends_s = runtime.clock.monotonic_s() + JUDGE_WITHIN_S
    configuration = runtime.configuration
    try:
        async with asyncio.timeout(JUDGE_WITHIN_S):
            return await runtime.desk.dispatcher.complete(
                prompt_for(first, second),
                chain=configuration.routing.chains[Tier.FAQ],
                tier=Tier.FAQ,
                question_id=None,
                site_id=configuration.site.id,
                deadline_s=ends_s,
                max_output_tokens=VERDICT_TOKENS,
                end_user="judge",
                on_delta=_unseen,
                on_restart=_unseen,
                on_wait=_unseen,
            )
    except (Exhausted, TooLarge, TimeoutError):
        return None


def prompt_for(first: Side, second: Side) -> Prompt:
    """The request: fixed rules, then both answers with their questions as material."""
    parts = [
        f"<{name}-{mark}>\n{_shown(text)}\n</{name}-{mark}>"
        for mark, side in (("a", first), ("b", second))
        for name, text in (("question", side.question), ("answer", side.text))
    ]
    return Prompt(system=TEMPLATE, messages=(Message(role="user", content="\n".join(parts)),))


def verdict_in(reply: str) -> bool | None:
    """True for SAME, False for DIFFERENT, None for anything else."""
    word = reply.strip().strip(".\"'").casefold()
    return {"same": True, "different": False}.get(word)


def _shown(text: str) -> str:
    return _TAG.sub("< ", text)


def _waiting(now: datetime) -> list[tuple[int, int]]:
    """What may be judged now, as (new answer, row); nothing once today's budget (UTC) is used up."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = Comparison.objects.filter(judged_at__gte=today).aggregate(sum=Sum("cost_nanousd"))
    if (spent["sum"] or 0) >= settings.JUDGE_BUDGET_USD_CENTS * NANOUSD_PER_CENT:
        return []
    rows = Comparison.objects.filter(state=Comparison.WAITING).order_by("attempts", "id")
    return sorted(rows.values_list("new_answer_id", "id")[:MOST_PER_RUN])


def _pair(row_id: int, *, now: datetime) -> Pair | None:
    """Both answers, while both are served; None when there is nothing to judge any more."""
    row = Comparison.objects.select_related("new_answer", "old_answer").get(id=row_id)
    new, old = _side(row.new_answer, now=now), _side(row.old_answer, now=now)
    if new is None or old is None:
        return None
    needed = VERDICTS if row.round == Comparison.LAST_ROUND else MAJORITY
    return Pair(new, old, needed=needed)


def _side(answer: Answer, *, now: datetime) -> Side | None:
    """An answer as the judge sees it; None when nobody is served it any more or it is too long to be shown whole."""
    wording = answer.wordings.order_by("id").first()
    if wording is None or not answer.is_served(now):
        return None
    if len(wording.text) + len(answer.text) > MOST_CHARACTERS:
        return None
    return Side(answer.id, wording.text, answer.text)


def _give_up(row_id: int) -> None:
    Comparison.objects.filter(id=row_id).update(state=Comparison.GIVEN_UP)


def _settle(row_id: int, verdict: Verdict, *, now: datetime) -> int:
    """Write the verdict and, when it is "the same", merge; once per row."""
    with transaction.atomic():
        row = Comparison.objects.select_for_update().get(id=row_id)
        if row.state != Comparison.WAITING:
            return 0
        row.attempts += 1
        row.cost_nanousd += verdict.cost_nanousd
        row.judged_by, row.judged_at = verdict.model[:160], now
        if verdict.same is not None:
            row.state = Comparison.SAME if verdict.same else Comparison.DIFFERENT
        elif row.attempts >= MOST_ATTEMPTS:
            row.state = Comparison.GIVEN_UP
        row.save()
        moved = merge(row.new_answer_id, into_id=row.old_answer_id, now=now) if verdict.same else 0
    return int(moved > 0)


async def _unseen(*_: object) -> None:
    """Nothing of it is shown."""
