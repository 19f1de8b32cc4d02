"""Who is looking at which conversation in this process. A socket is only a viewer.

Every viewer has a bounded queue. A viewer that reads too slowly is dropped (its socket is closed and
resumes from rows later); nobody else waits for it. All calls come from the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Collection

from chatbot.frames import ServerFrame

MAX_WAITING_FRAMES = 1_000
CLOSE_POLICY, CLOSE_RESTARTING, CLOSE_TOO_MANY = 1008, 1012, 4429


class Viewer:
    """One socket's queue of frames; None in the queue means: close with `close_code`."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[ServerFrame | None] = asyncio.Queue(maxsize=MAX_WAITING_FRAMES)
        self.dropped = False
        self.close_code = CLOSE_POLICY


class Watchers:
    """The viewers of this process by conversation."""

    def __init__(self) -> None:
        self._viewers: defaultdict[int, set[Viewer]] = defaultdict(set)
        self._nobody = asyncio.Event()

    def __len__(self) -> int:
        return sum(len(viewers) for viewers in self._viewers.values())

    def join(self, conversation_id: int) -> Viewer:
        """Start looking at a conversation."""
        viewer = Viewer()
        self._viewers[conversation_id].add(viewer)
        return viewer

    def leave(self, conversation_id: int, viewer: Viewer) -> None:
        """Stop looking."""
        self._viewers[conversation_id].discard(viewer)
        if not self._viewers[conversation_id]:
            del self._viewers[conversation_id]
        if not self._viewers:
            self._nobody.set()

    def is_watched(self, conversation_id: int) -> bool:
        """Whether anybody looks at the conversation here."""
        return conversation_id in self._viewers

    def publish(self, conversation_id: int, frame: ServerFrame) -> None:
        """Hand a frame to everyone who looks at the conversation."""
        for viewer in list(self._viewers.get(conversation_id, ())):
            self.send(viewer, frame)

    def send(self, viewer: Viewer, frame: ServerFrame) -> None:
        """Hand a frame to one viewer, or drop the viewer when it is too far behind."""
        if viewer.dropped:
            return
        try:
            viewer.queue.put_nowait(frame)
        except asyncio.QueueFull:
            viewer.dropped = True
            while not viewer.queue.empty():  # one sent after a gap would hide the gap from a resume
                viewer.queue.get_nowait()
            viewer.queue.put_nowait(None)

    def close_except(self, conversation_ids: Collection[int]) -> None:
        """Close the sockets of all other conversations as restarting, after what waits for them."""
        for conversation_id, viewers in list(self._viewers.items()):
            if conversation_id not in conversation_ids:
                for viewer in viewers:
                    self.close_restarting(viewer)

    def close_restarting(self, viewer: Viewer) -> None:
        """Send one viewer elsewhere, after the frames that wait for it. A second call does nothing."""
        if not viewer.dropped:
            viewer.close_code = CLOSE_RESTARTING
            viewer.dropped = True
            with contextlib.suppress(asyncio.QueueFull):  # then the server itself closes it
                viewer.queue.put_nowait(None)

    async def gone(self, *, timeout_s: float) -> None:
        """Wait until nobody looks any more, at most so long."""
        self._nobody.clear()
        if self._viewers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), timeout_s)
