"""Viewers of conversations: everyone who looks gets the frames, and nobody waits for a slow one."""

from __future__ import annotations

from typing import Any

from chatbot.watchers import MAX_WAITING_FRAMES, Viewer, Watchers


def waiting(viewer: Viewer) -> list[Any]:
    """What the viewer's socket would send, in order."""
    return [viewer.queue.get_nowait() for _ in range(viewer.queue.qsize())]


async def test_every_viewer_of_the_conversation_gets_the_frame() -> None:
    """Two tabs see it, the other conversation does not."""
    watchers = Watchers()
    one, two, other = watchers.join(1), watchers.join(1), watchers.join(2)
    watchers.publish(1, {"seq": 1})
    assert [waiting(viewer) for viewer in (one, two, other)] == [[{"seq": 1}], [{"seq": 1}], []]
    assert len(watchers) == 3


async def test_who_left_gets_nothing_more() -> None:
    """Leaving one tab leaves the other; leaving twice does no harm."""
    watchers = Watchers()
    one, two = watchers.join(1), watchers.join(1)
    watchers.leave(1, one)
    watchers.leave(1, one)
    watchers.publish(1, {"seq": 1})
    assert (waiting(one), waiting(two)) == ([], [{"seq": 1}])
    watchers.leave(1, two)
    assert len(watchers) == 0


async def test_frame_for_nobody_is_dropped() -> None:
    """An answer may end when nobody looks: its row is what counts."""
    watchers = Watchers()
    watchers.publish(7, {"seq": 1})
    assert len(watchers) == 0


async def test_slow_viewer_is_dropped_and_others_are_not() -> None:
    """The queue is bounded: who is too far behind is told to close, the others go on."""
    watchers = Watchers()
    slow, quick = watchers.join(1), watchers.join(1)
    seen = []
    for seq in range(MAX_WAITING_FRAMES + 5):
        watchers.publish(1, {"seq": seq})
        seen += waiting(quick)
    assert waiting(slow)[-1] is None
    assert [frame["seq"] for frame in seen] == list(range(MAX_WAITING_FRAMES + 5))


async def test_dropped_viewer_misses_nothing_when_it_resumes() -> None:
    """What a slow socket still sends has no gap: the resume after its last frame brings the rest."""
    watchers, sent = Watchers(), []
    slow = watchers.join(1)
    for seq in range(1, MAX_WAITING_FRAMES + 50):
        watchers.publish(1, {"seq": seq})
        if seq <= 3:
            sent.append(slow.queue.get_nowait())
    sent += waiting(slow)
    assert [frame["seq"] for frame in sent if frame] == list(range(1, len(sent)))


async def test_dropped_viewer_gets_no_frame_after_the_close() -> None:
    """Once told to close, nothing follows."""
    watchers = Watchers()
    slow = watchers.join(1)
    for seq in range(MAX_WAITING_FRAMES + 1):
        watchers.publish(1, {"seq": seq})
    waiting(slow)
    watchers.publish(1, {"seq": 9_999})
    watchers.send(slow, {"seq": 10_000})
    assert waiting(slow) == []
