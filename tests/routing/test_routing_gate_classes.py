"""Claims about the gate's order of callers, and about what staff may do to a breaker by hand."""

from __future__ import annotations

import asyncio

from routing.errors import WouldMissDeadline
from routing.gate import Caller, Gate, Permit
from routing.shaper import Urgency
from routing.specs import Limits, RateState
from tests.routing.crowd import Crowd
from tests.routing.helpers import SteppedClock, model, settle

SPEC = model(limits=Limits(requests_per_minute=60))


class Line:
    """Callers of different shoppers and classes at one gate."""

    def __init__(self, *, max_waiting: int = 100) -> None:
        self.clock = SteppedClock()
        self.gate = Gate(clock=self.clock, random=lambda: 0.5, max_waiting=max_waiting)
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[Permit]] = {}

    async def come(
        self,
        name: str,
        *,
        flow: str = "",
        urgency: Urgency = Urgency.USUAL,
        left_s: float = 600.0,
    ) -> None:
        """Let a caller enter, in a task of its own."""

        async def enter() -> Permit:
            permit = await self.gate.enter(
                SPEC,
                tokens=10,
                deadline_s=self.clock.monotonic_s() + left_s,
                caller=Caller(flow=flow or name, urgency=urgency),
            )
            self.order.append(name)
            return permit

        self.tasks[name] = asyncio.create_task(enter())
        await settle()


async def test_hard_cases_go_first_and_background_last() -> None:
    """A complex case that came last is called before a usual question and before a refresh."""
    line = Line()
    await line.come("first")
    await line.come("refresh", urgency=Urgency.BACKGROUND)
    await line.come("usual")
    await line.come("complex", urgency=Urgency.COMPLEX)
    await line.clock.advance(5.0)
    assert line.order == ["first", "complex", "usual", "refresh"]


async def test_shoppers_take_turns_at_the_gate() -> None:
    """Five questions of one shopper do not make another wait for all of them."""
    line = Line()
    await line.come("first")
    for number in range(5):
        await line.come(f"busy-{number}", flow="busy")
    await line.come("other")
    await line.clock.advance(3.3)
    assert line.order == ["first", "busy-0", "other", "busy-1"]


async def test_who_is_pushed_beyond_the_deadline_is_told_at_once() -> None:
    """When hard cases come, a waiting question whose turn would now be too late is refused in that moment."""
    line = Line()
    await line.come("first")
    await line.come("usual", left_s=2.5)
    for number in range(3):
        await line.come(f"hard-{number}", urgency=Urgency.COMPLEX)
    assert isinstance(line.tasks["usual"].exception(), WouldMissDeadline)
    assert line.clock.monotonic_s() == 1_000.0


async def test_a_full_queue_makes_room_for_a_hard_case() -> None:
    """The least urgent caller of a full queue is turned away at once for a more urgent one."""
    line = Line(max_waiting=2)
    await line.come("first")
    await line.come("usual")
    await line.come("refresh", urgency=Urgency.BACKGROUND)
    await line.come("hard", urgency=Urgency.COMPLEX)
    assert isinstance(line.tasks["refresh"].exception(), WouldMissDeadline)
    await line.clock.advance(3.0)
    assert line.order == ["first", "hard", "usual"]


async def test_what_an_answer_tells_slows_the_next_call() -> None:
    """When the headers say that nothing is left, the next caller waits for the refill."""
    crowd = Crowd(model(limits=Limits(requests_per_minute=600)))
    await crowd.come("a")
    crowd.permits["a"].observe(RateState(limit_requests=60, remaining_requests=0))
    await crowd.come("b")
    await crowd.clock.advance(1.0)
    assert crowd.inside == ["a"]
    await crowd.clock.advance(0.1)
    assert crowd.inside == ["a", "b"]
