"""Who is looking at which conversation in this process. A socket is only a viewer.

Every viewer has a bounded queue. A viewer that reads too slowly is dropped (its socket is closed and
resumes from rows later); nobody else waits for it. All calls come from the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from chatbot.frames import ServerFrame

MAX_WAITING_FRAMES = 1_000


class Viewer:
    """One socket's queue of frames; None in the queue means: close."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[ServerFrame | None] = asyncio.Queue(maxsize=MAX_WAITING_FRAMES)
        self.dropped = False


class Watchers:
    """The viewers of this process by conversation."""

    def __init__(self) -> None:
        self._viewers: defaultdict[int, set[Viewer]] = defaultdict(set)

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
