"""The site is killed again and again while shoppers ask: no accepted question is lost or answered twice.

One process on SQLite. `kill -9` and SIGTERM take turns; shoppers reconnect, catch up, send again what they did
not see accepted, and go on. At the end what the shoppers saw and what the rows say must be the same.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.faults.restarting import RestartingSite, restarting_site
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.faults.shoppers import TERMINAL, Asked, Shopper
from benchmarks.site import running_simulator

SEED = 20261123
# An answer takes the vendor one to two seconds, so that every kill meets many in the middle.
VENDOR = ("--first-ms", "700", "--chunk-ms", "15")
SETTINGS = {"CHAT_RATE_PER_SHOPPER": "6000"}
# A lease runs out and is swept, and then the answer may take its whole time.
LONGEST_RECOVERY_S = 30.0
OPEN = ("accepted", "working", "waiting", "confirming")
QUESTIONS = (
    "Which courier do you use?",
    "How long do I have to send something back?",
    "What payment methods do you accept?",
    "How can I get an invoice?",
    "Do you send to Singapore?",
    "Do the shoes run small, should I take a size up?",
)


@dataclass(frozen=True, slots=True)
class Load:
    """How much is done at a scale."""

    shoppers: int
    kills: int
    between_s: tuple[float, float]
    think_s: float


LOADS = {
    Scale.FULL: Load(shoppers=40, kills=20, between_s=(2.0, 6.0), think_s=0.5),
    Scale.SHORT: Load(shoppers=12, kills=2, between_s=(1.0, 1.5), think_s=0.3),
}


@dataclass(slots=True)
class Story:
    """What happened to the site; times are the event loop's, in seconds."""

    killed_s: list[float] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)
    restarts_s: list[float] = field(default_factory=list)
    orderly_s: list[float] = field(default_factory=list)
    cut_off: int = 0
    began_at: str = ""
    over: bool = False


def run(scale: Scale) -> list[Row]:
    """Kill and restart under load, then reconcile."""
    load = LOADS[scale]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simulator(*VENDOR) as address,
        restarting_site(Path(folder), simulator_url=address, settings=SETTINGS) as site,
    ):
        site.start()
        shoppers, story = asyncio.run(_play(site, load))
        site.end(signal.SIGTERM)
        return report(shoppers, story, database=site.site.database)


async def _play(site: RestartingSite, load: Load) -> tuple[list[Shopper], Story]:
    chance = random.Random(SEED)
    story = Story(began_at=_now())
    shoppers = [Shopper(site.site.url, random.Random(n)) for n in range(load.shoppers)]
    await asyncio.gather(*(shopper.arrive() for shopper in shoppers))
    asking = [
        asyncio.create_task(shopper.ask_all(_texts(story, number), think_s=load.think_s))
        for number, shopper in enumerate(shoppers)
    ]
    try:
        for number in range(load.kills):
            await asyncio.sleep(chance.uniform(*load.between_s))
            await _kill(site, signal.SIGKILL if number % 2 == 0 else signal.SIGTERM, story)
        await asyncio.sleep(load.between_s[0])
    finally:
        story.over = True
        # A question that never ends is a row in the report, not an exception.
        await asyncio.gather(*asking, return_exceptions=True)
    await asyncio.gather(*(shopper.catch_up() for shopper in shoppers))
    return shoppers, story


async def _kill(site: RestartingSite, number: signal.Signals, story: Story) -> None:
    story.killed_s.append(asyncio.get_running_loop().time())
    took_s = await asyncio.to_thread(site.end, number)
    if number is signal.SIGTERM:
        story.orderly_s.append(took_s)
        story.cut_off += len(_rows(site.site.database, _CUT_OFF, story.began_at))
    story.began_at = _now()
    story.restarts_s.append(await asyncio.to_thread(site.start))
    story.ready_s.append(asyncio.get_running_loop().time())


def _texts(story: Story, number: int) -> Iterator[str]:
    """Every second question is one that others ask too, the rest go to a model each."""
    for turn in itertools.count(number):
        if story.over:
            return
        text = QUESTIONS[turn % len(QUESTIONS)]
        yield text if turn % 2 else f"{text} I need {number * 1000 + turn} of them."


# Open, and the work of the process that began then: others were left by one that was killed before.
_CUT_OFF = f"""
WITH began AS (SELECT ? AS at) SELECT id FROM chatbot_question, began
WHERE state IN {OPEN} AND (accepted_at >= began.at OR lease_owner IN (
  SELECT lease_owner FROM chatbot_question WHERE accepted_at >= began.at AND lease_owner != ''))
"""


def _now() -> str:
    """The present as the rows tell it."""
    return datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _rows(database: Path, query: str, *parameters: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query, parameters).fetchall()


def report(shoppers: list[Shopper], story: Story, *, database: Path) -> list[Row]:
    """What the shoppers saw against what the rows say."""
    asked = [one for shopper in shoppers for one in shopper.asked]
    ends = _ends(database)
    accepted = [one for one in asked if one.accepted_s is not None]
    unseen = sum(one.end is None for one in accepted)
    lost = [row_id for row_id, count in ends.values() if count == 0]
    doubled = [row_id for row_id, count in ends.values() if count > 1]
    again = sum(one.sent > 1 for one in asked)
    twice = len(_rows(database, _TWICE)) + len(asked) - len(ends)
    seams = sum(len(shopper.faults) for shopper in shoppers) + _broken_seqs(shoppers, database)
    longest_s = _longest_recovery_s(accepted, story)
    return [
        Row("kills.lost", len(lost) + unseen, "== 0", "accepted, without a terminal frame"),
        Row("kills.doubled", len(doubled), "== 0", "with more than one terminal frame"),
        Row("kills.sent_again_doubled", abs(twice), "== 0", f"{again} were sent more than once"),
        Row("kills.seq_faults", seams, "== 0", "gaps, repeats or changes of seq"),
        Row("kills.cut_off_by_sigterm", story.cut_off, "== 0", "open when an orderly end was over"),
        Row(
            "kills.restart_to_terminal_s",
            round(longest_s, 1),
            f"<= {LONGEST_RECOVERY_S:g}",
            f"longest of {len(list(_recoveries_s(accepted, story)))}; "
            f"a start took up to {max(story.restarts_s):.1f} s",
        ),
        Row(
            "kills.orderly_end_s",
            round(max(story.orderly_s), 1),
            "<= 30",
            f"longest; {len(accepted)} questions, {len(story.restarts_s)} kills",
        ),
    ]


def _ends(database: Path) -> dict[str, tuple[object, int]]:
    """Client id -> (row id, number of terminal frames) of every question."""
    kinds = ",".join(f"'{kind}'" for kind in TERMINAL)
    query = (
        "SELECT q.client_id, q.id, sum(CASE WHEN json_extract(f.body, '$.type') IN "
        f"({kinds}) THEN 1 ELSE 0 END) FROM chatbot_question q LEFT JOIN chatbot_frame f "
        "ON f.question_id = q.id GROUP BY q.id"
    )
    return {
        str(client_id): (row_id, int(str(n or 0)))
        for client_id, row_id, n in _rows(database, query)
    }


_TWICE = "SELECT client_id FROM chatbot_question GROUP BY client_id HAVING count(*) > 1"


def _broken_seqs(shoppers: list[Shopper], database: Path) -> int:
    """Conversations whose numbers are not 1, 2, 3 ... in the rows, or not what the shopper holds."""
    query = (
        "SELECT c.public_id, count(*), min(f.seq), max(f.seq) FROM chatbot_frame f "
        "JOIN chatbot_conversation c ON c.id = f.conversation_id GROUP BY c.id"
    )
    held = Counter({shopper.conversation: len(shopper.frames) for shopper in shoppers})
    return sum(
        not (first == 1 and last == count == held[str(public_id)])
        for public_id, count, first, last in _rows(database, query)
    )


def _longest_recovery_s(accepted: list[Asked], story: Story) -> float:
    """From the last restart that a question lived through, when the site was ready, to its end."""
    return max(_recoveries_s(accepted, story), default=0.0)


def _recoveries_s(accepted: list[Asked], story: Story) -> Iterator[float]:
    """One figure per question that lived through a restart. An end seen while the site was coming up counts 0."""
    for one in accepted:
        if one.accepted_s is None or one.ended_s is None:
            continue
        restarts = [ready for ready in story.ready_s if one.accepted_s < ready < one.ended_s]
        if restarts:
            killed_since = any(restarts[-1] < killed < one.ended_s for killed in story.killed_s)
            yield 0.0 if killed_since else one.ended_s - restarts[-1]
