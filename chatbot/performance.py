"""One running answer as its viewers see it: what has been shown, and when it began to show."""

from __future__ import annotations

from base.clock import Clock
from chatbot.asked import Asked, Receipt, Stage
from chatbot.frames import ServerFrame
from chatbot.watchers import Watchers


class Performance:
    """What one question has shown so far."""

    def __init__(self, asked: Asked, *, watchers: Watchers, clock: Clock) -> None:
        self._asked = asked
        self._watchers = watchers
        self._clock = clock
        self.begun = False
        self.text = ""
        self.first_content_ms: int | None = None
        self.receipt = Receipt()
        self.stage = Stage(delta=self._delta, restart=self._restart, wait=self._wait)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the question was accepted."""
        here_s = self._clock.monotonic_s() - self._asked.started_s
        return round((self._asked.earlier_s + here_s) * 1000)

    @property
    def conversation_id(self) -> int:
        """The conversation that this belongs to."""
        return self._asked.conversation_id

    def go_on(self, asked: Asked) -> None:
        """The question's clock began anew, after a wait for the shopper that does not count."""
        self._asked = asked

    def so_far(self) -> list[ServerFrame]:
        """The text shown so far as a viewer who missed it needs it."""
        client_id = self._asked.client_id
        return [
            {"type": "restart", "id": client_id},
            {"type": "delta", "id": client_id, "text": self.text},
        ]

    def publish(self, frame: ServerFrame) -> None:
        """Show a frame to whoever looks at the conversation."""
        self._watchers.publish(self._asked.conversation_id, frame)

    async def _delta(self, text: str) -> None:
        if self.first_content_ms is None:
            self.first_content_ms = self.elapsed_ms
        self.text += text
        self.publish({"type": "delta", "id": self._asked.client_id, "text": text})

    async def _restart(self) -> None:
        self.text = ""
        self.publish({"type": "restart", "id": self._asked.client_id})

    async def _wait(self, eta_s: float, ahead: int) -> None:
        self.publish(
            {"type": "wait", "id": self._asked.client_id, "eta_s": round(eta_s, 1), "ahead": ahead}
        )
