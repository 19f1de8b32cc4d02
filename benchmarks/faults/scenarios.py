"""Every fault scenario by its name. Each is a module with `run(scale)`, which returns rows.

`Scale.FULL` is the promise as stated; `Scale.SHORT` is the same code on less load and time, for the
suite. A scenario starts what it needs (simulator, Redis, site processes) and stops it again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from benchmarks.faults.rows import Row


class Scale(Enum):
    """How much of a scenario is run."""

    SHORT = "short"
    FULL = "full"


Scenario = Callable[[Scale], list[Row]]
SCENARIOS: dict[str, str] = {
    # name -> module below benchmarks.faults
    "limits": "limits",
    "retry_after": "retry_after",
    "outage": "outage",
    "overload": "overload",
    "bill": "bill",
    "litellm": "litellm",
    "streams": "streams",
    "kills": "kills",
    "hang": "hang",
    "joins": "joins",
}
