"""Which periodic tasks run, and how often, in seconds."""

from __future__ import annotations

SCHEDULE: dict[str, int] = {
    "chatbot.tasks.work_outbox": 5,
    "chatbot.tasks.count_served": 15,
    "chatbot.tasks.count_up": 30,
    "cache.tasks.sweep_stale": 60,
    "chatbot.tasks.prune": 3_600,
}
