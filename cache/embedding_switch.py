"""Which embedding model is active: EMBEDDING_MODEL, or the one that `cache_reembed --switch` put in its place.

A switch is a row, so every process of the fleet takes it over without a restart. It holds as long as
EMBEDDING_MODEL is what it was then: whoever sets that to something else later has the last word.
"""

from __future__ import annotations

from datetime import datetime

from cache.models import ModelSwitch


def active_model(configured: str) -> str:
    """The model to encode with, where EMBEDDING_MODEL is `configured`. Reads rows."""
    newest = ModelSwitch.objects.first()
    holds = newest is not None and newest.instead_of == configured
    return newest.model if newest is not None and holds else configured


def newest_switch() -> int:
    """Number of the newest switch; 0 when there was none. Reads rows."""
    return ModelSwitch.objects.values_list("id", flat=True).first() or 0


def switch(model: str, *, configured: str, now: datetime) -> None:
    """Make `model` the active one for every process whose EMBEDDING_MODEL is `configured`."""
    ModelSwitch.objects.create(model=model, instead_of=configured, at=now)
