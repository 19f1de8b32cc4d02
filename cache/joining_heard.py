"""What one process has heard of other processes' questions in flight, and how they are written down."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import numpy as np

from cache.joining import Asking, Nearby, Vector

FORGOTTEN_AFTER_S = 40.0  # longer than a question has from its acceptance to its end


@dataclass(slots=True)
class Known:
    """What this process has heard of one partition's questions in flight."""

    nearby: Nearby = field(default_factory=Nearby)
    heard_s: dict[str, float] = field(default_factory=dict)
    last: int = 0

    def hear(self, flight_id: str, question: str, *, now_s: float) -> None:
        """Take in a question as `written` wrote it."""
        text, vector = read(question)
        if vector is not None:
            self.nearby.add(flight_id, text=text, vector=vector)
            self.heard_s[flight_id] = now_s

    def forget_old(self, *, now_s: float) -> None:
        """What was heard of so long ago flies no more; the oldest come first."""
        while self.heard_s:
            oldest = next(iter(self.heard_s))
            if now_s - self.heard_s[oldest] < FORGOTTEN_AFTER_S:
                return
            self.forget(oldest)

    def forget(self, flight_id: str) -> None:
        """It flies no more."""
        self.heard_s.pop(flight_id, None)
        self.nearby.remove(flight_id)


def written(asking: Asking) -> str:
    """A question in flight as other processes read it."""
    vector = asking.vector
    code = "" if vector is None else base64.b64encode(vector.astype(np.float32).tobytes()).decode()
    return json.dumps({"text": asking.text, "vector": code})


def read(question: str) -> tuple[str, Vector | None]:
    """Text and vector of what `written` wrote."""
    fields = json.loads(question)
    code = fields["vector"]
    vector = np.frombuffer(base64.b64decode(code), dtype=np.float32) if code else None
    return str(fields["text"]), vector
