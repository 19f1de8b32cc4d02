"""The shopper's tap on a "did you mean", whichever process it reaches.

The process that hears it takes the question over when nobody answers it here: so the answer appears where
the shopper is, and a process that died while it waited is not waited for.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chatbot import confirmations
from chatbot.confirmations import Choice, Settled
from chatbot.frames import Choose, ErrorCode
from chatbot.recovery import asked_again

if TYPE_CHECKING:
    from chatbot.runtime import Runtime

# Code and sentence that answer a tap which changes nothing; `again` and `settled` need none.
REFUSALS: dict[str, tuple[ErrorCode, str]] = {
    "unknown": ("bad_frame", "unknown_question"),
    "not_offered": ("bad_frame", "bad_option"),
    "late": ("conflict", "late_choice"),
}


def heir(runtime: Runtime) -> str | None:
    """Who takes a settled question over: this process, unless it is about to stop."""
    return None if runtime.supervisor.draining else runtime.supervisor.owner


async def choose(frame: Choose, *, conversation_id: int, runtime: Runtime) -> Choice:
    """Settle the offer and let the question go on. A second tap on the same option changes nothing."""
    choice = await runtime.writer.run(
        partial(
            confirmations.choose,
            conversation_id,
            client_id=frame.id,
            option=frame.option,
            owner=heir(runtime),
            now=runtime.clock.now(),
        )
    )
    if choice.settled is not None:
        go_on(choice.settled, runtime=runtime)
    return choice


def go_on(settled: Settled, *, runtime: Runtime) -> None:
    """Show what was decided, and answer the question here unless it runs here already."""
    supervisor = runtime.supervisor
    supervisor.confirming.tell(settled)
    if not supervisor.draining:
        supervisor.start(asked_again(settled.question, runtime))
