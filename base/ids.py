"""Random identifiers. None of them carries a time, a counter or anything about a person."""

from __future__ import annotations

import secrets
import uuid


def new_uuid() -> str:
    """A random UUID (version 4) in its usual text form."""
    return str(uuid.uuid4())


def new_token() -> str:
    """An unguessable URL-safe token of 128 bits, 22 characters."""
    return secrets.token_urlsafe(16)
