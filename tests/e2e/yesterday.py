"""A site's rows moved to yesterday, as if its shoppers had come then; the worker counts them anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

MOMENTS = {
    "chatbot_question": ("accepted_at", "ended_at"),
    "routing_call": ("started_at", "ended_at"),
    "cache_lookup": ("at",),
}


def move_to_yesterday(database: Path) -> None:
    """Every question, call and receipt one day back, and nothing counted yet."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        for table, columns in MOMENTS.items():
            for column in columns:
                connection.execute(
                    f"UPDATE {table} SET {column} = strftime('%Y-%m-%d %H:%M:%f', {column}, '-1 day')"
                    f" WHERE {column} IS NOT NULL"
                )
        connection.execute("DELETE FROM chatbot_aggregate")
