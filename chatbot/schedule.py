"""Which periodic tasks run, and how often, in seconds."""

from __future__ import annotations

SCHEDULE: dict[str, int] = {
    "chatbot.tasks.work_outbox": 5,
    "chatbot.tasks.count_served": 15,
    "chatbot.tasks.count_up": 30,
    "routing.tasks.send_alerts": 15,
    "chatbot.tasks.judge_answers": 20,
    "chatbot.tasks.start_dry_runs": 10,
    "cache.tasks.sweep_stale": 60,
    "routing.tasks.close_lost_calls": 60,
    "routing.tasks.watch_refusals": 300,
    "routing.tasks.reconcile_accounts": 3_600,
    "routing.tasks.watch_retirements": 3_600,
    "chatbot.tasks.prune": 3_600,
    "chatbot.tasks.refit_decisions": 21_600,
}
