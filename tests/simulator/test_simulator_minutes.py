"""Claims about how long limits last: minutes that are shorter, days, and limits that change in time."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.config import BURST, Config, ConfigError
from simulator.direct import ask, order
from simulator.durations import go_duration
from simulator.server import App, create_app
from simulator.windows import MINUTE, Limits
from tests.simulator.limited import limited_app, refused_again


@pytest.mark.parametrize("minute_s", [60.0, 6.0, 0.6])
def test_a_shorter_minute_shortens_everything_alike(minute_s: float, clock: ManualClock) -> None:
    """Windows, waits and resets shrink together: the wait told is still the first moment it fits."""
    limits = {"openai": Limits(rpm=1)}
    app = create_app(Config(limits=limits, minute_s=minute_s), clock)
    request = {"model": "gpt-4.1", "question": "hello"}
    ask(app, "openai", **request)
    refused = ask(app, "openai", **request)
    wait_ms = int(refused.headers["retry-after-ms"])
    assert wait_ms == minute_s * 1000
    assert refused.headers["x-ratelimit-reset-requests"] == go_duration(minute_s)
    clock.advance(minute_s - 0.001)
    assert ask(app, "openai", **request).status == 429
    clock.advance(0.001)
    assert ask(app, "openai", **request).status == 200


def test_a_shorter_minute_shortens_the_burst_and_the_day(clock: ManualClock) -> None:
    """With a minute of 6 s the burst window has 0.2 s and the day 8,640 s."""
    config = Config(limits={"*": Limits(rpm=60, rpd=6)}, windows=(MINUTE, BURST), minute_s=6)
    app = create_app(config, clock)
    request = {"model": "gpt-4.1", "question": "hello"}
    statuses = [ask(app, "openai", **request).status for _ in range(5)]
    for wait_s in (0.2, 0, 0.2, 8639.5, 0.1):
        clock.advance(wait_s)
        statuses.append(ask(app, "openai", **request).status)
    assert statuses == [200, 200, 200, 200, 429, 200, 200, 429, 429, 200]


@pytest.mark.parametrize("minute_s", [0, -1, 61])
def test_a_minute_that_is_none_is_refused(minute_s: float) -> None:
    """A minute has more than nothing and at most 60 s."""
    with pytest.raises(ConfigError):
        Config(minute_s=minute_s)


def test_a_daily_limit_lasts_a_day(clock: ManualClock) -> None:
    """The third request passes exactly 24 hours after the first."""
    app = limited_app(clock, rpd=2)
    statuses = []
    for wait_s in (0, 3600, 3600, 86_400 - 7200 - 0.001, 0.001):
        clock.advance(wait_s)
        statuses.append(ask(app, "openai", model="gpt-4.1", question="hello").status)
    assert statuses == [200, 200, 429, 429, 200]


def test_geminis_daily_limit_names_the_day(clock: ManualClock) -> None:
    """Its own daily limit carries the per-day quota id and the true delay."""
    text = refused_again(clock, "gemini", rpd=1).body.decode()
    assert "PerDayPerProjectPerModel" in text and '"retryDelay":"86387.5s"' in text


def _halves(app: App, waits: list[float], clock: ManualClock) -> list[int]:
    statuses = []
    for wait_s in waits:
        clock.advance(wait_s)
        request: dict[str, Any] = {"model": "gpt-4.1", "question": "hello"}
        statuses.append(ask(app, "openai", **request).status)
    return statuses


def test_a_limit_halves_at_its_time(clock: ManualClock) -> None:
    """From the given second on only half of the requests pass, and the headers say so."""
    app = create_app(Config(), clock)
    app.simulator.limits["openai"] = Limits(rpm=4)
    order(app, "limits_halve", after_s=30)
    assert _halves(app, [0, 1, 1, 1, 1], clock) == [200, 200, 200, 200, 429]
    clock.advance(120)
    assert _halves(app, [0, 1, 1], clock) == [200, 200, 429]
    refused = ask(app, "openai", model="gpt-4.1", question="hello")
    assert refused.headers["x-ratelimit-limit-requests"] == "2"
