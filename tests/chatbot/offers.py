"""What the tests of "did you mean" share: a stored answer, near questions, taps, labels."""

from __future__ import annotations

from sockets import Frame, Socket, opened

from cache.models import Label
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator

STORED = "What does shipping cost?"
NEAR = "What is the price of delivery?"
NEAR_TOO = "How much is delivery?"


async def stored(runtime: Runtime) -> Frame:
    """Someone has asked before; returns the answer."""
    socket = await opened(runtime)
    answer = (await socket.ask(STORED))[-1]
    await socket.close()
    assert answer["cache"] == "miss"
    return answer


async def asked_back(socket: Socket, text: str = NEAR, *, frame_id: str = "q1") -> list[Frame]:
    """Ask a near question; returns the frames up to the `confirm`."""
    await socket.send("ask", id=frame_id, text=text)
    return await socket.until("confirm", frame_id=frame_id)


async def tapped(socket: Socket, option: int | None, *, frame_id: str = "q1") -> list[Frame]:
    """Tap; returns the frames up to the end of the question."""
    await socket.send("choose", id=frame_id, option=option)
    return await socket.until("answer", "error", frame_id=frame_id)


def labels() -> list[tuple[str, bool]]:
    """Kind and judgement of every label, in order."""
    return list(Label.objects.order_by("id").values_list("kind", "right"))


def calls(vendor: RunningSimulator) -> int:
    """Completed calls on the vendor's bill."""
    return int(vendor.bill()["totals"]["completed"])
