"""The Celery application: work that nobody waits for."""

from __future__ import annotations

import os

from celery import Celery

from chatbot.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")

app = Celery("breakwater")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    name: {"task": name, "schedule": every_s} for name, every_s in SCHEDULE.items()
}
