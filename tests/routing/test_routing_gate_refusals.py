"""Claims about who is turned away at the gate: breaker, parking, pauses."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

import pytest

from routing.breaker import Outcome, State
from routing.errors import BreakerOpen, Kind, Parked, TooLarge, WouldMissDeadline
from routing.gate import Permit
from routing.specs import Limits
from routing.vendors.classify import VERDICTS
from tests.routing.crowd import Crowd
from tests.routing.helpers import model, settle


async def _refused(entering: Awaitable[Permit]) -> Exception:
    with pytest.raises((BreakerOpen, Parked, TooLarge, WouldMissDeadline)) as caught:
        await entering
    return caught.value


async def test_what_cannot_fit_a_minute_is_too_large() -> None:
    """A call beyond the whole limit is refused before it waits."""
    crowd = Crowd(model(limits=Limits(tokens_per_minute=100)))
    entering = crowd.gate.enter(crowd.spec, tokens=101, deadline_s=9e9)
    assert isinstance(await _refused(entering), TooLarge)


async def _break(crowd: Crowd) -> None:
    for number in range(20):
        await crowd.come(f"bad-{number}")
        crowd.close(f"bad-{number}", outcome=Outcome.FAILURE)


async def test_an_open_breaker_refuses_at_once() -> None:
    """After twenty failures nothing gets in, and the refusal says for how long."""
    crowd = Crowd(model())
    await _break(crowd)
    error = await _refused(crowd.gate.enter(crowd.spec, tokens=1, deadline_s=9e9))
    assert isinstance(error, BreakerOpen)
    assert error.retry_after_s == pytest.approx(10.0)


async def test_three_probes_get_in_after_the_break() -> None:
    """When the break is over three callers get in and the rest are refused."""
    crowd = Crowd(model())
    await _break(crowd)
    await crowd.clock.advance(10.0)
    for number in range(10):
        await crowd.come(f"probe-{number}")
    inside = [name for name in crowd.inside if name.startswith("probe")]
    assert len(inside) == 3
    assert isinstance(crowd.error_of("probe-3"), BreakerOpen)


async def test_those_who_wait_are_sent_on_when_the_breaker_opens() -> None:
    """An opening breaker empties the queue instead of letting it find out one by one."""
    crowd = Crowd(model(limits=Limits(in_flight=20)))
    for number in range(23):
        await crowd.come(f"c-{number}")
    for number in range(20):
        crowd.close(f"c-{number}", outcome=Outcome.FAILURE)
    await settle()
    assert len(crowd.inside) == 20
    assert all(isinstance(crowd.error_of(f"c-{n}"), BreakerOpen) for n in (20, 21, 22))


async def test_models_do_not_share_a_breaker() -> None:
    """One model's failures leave another at the same endpoint alone."""
    crowd = Crowd(model())
    await _break(crowd)
    other = replace(crowd.spec, name="m-2")
    assert crowd.gate.eta_s(other, tokens=1) == 0.0


@pytest.mark.parametrize(
    ("kind", "told_s", "gone_s", "parked"),
    [
        (Kind.AUTH, None, 1e6, True),
        (Kind.MODEL_GONE, None, 1e6, True),
        (Kind.QUOTA, None, 599.0, True),
        (Kind.QUOTA, None, 600.0, False),
        (Kind.QUOTA, 36_000.0, 35_999.0, True),
        (Kind.QUOTA, 36_000.0, 36_000.0, False),
        (Kind.PAYMENT, None, 600.0, False),
        (Kind.RATE, None, 0.5, False),
    ],
)
async def test_a_model_is_parked_as_long_as_it_is_hopeless(
    kind: Kind, told_s: float | None, gone_s: float, parked: bool
) -> None:
    """Key and model need a person; quota and money are asked for again when they may be back."""
    crowd = Crowd(model())
    crowd.gate.eta_s(crowd.spec, tokens=1)
    verdict = replace(VERDICTS[kind], retry_after_s=told_s)
    crowd.gate.heed(crowd.spec, verdict, reason="because")
    await crowd.clock.advance(gone_s)
    assert (crowd.gate.states()[0].state is State.PARKED) is parked


@pytest.mark.parametrize("change", ["key", "row", "staff"])
async def test_a_change_brings_a_parked_model_back(change: str) -> None:
    """A new key, a changed row or staff's word end the parking."""
    crowd = Crowd(model())
    spec, stamp = crowd.spec, "key-1"
    crowd.gate.eta_s(spec, tokens=1, stamp=stamp)
    crowd.gate.heed(spec, VERDICTS[Kind.AUTH], reason="the key was refused")
    with pytest.raises(Parked, match="the key was refused"):
        crowd.gate.eta_s(spec, tokens=1, stamp=stamp)
    if change == "staff":
        crowd.gate.unpark()
    spec = replace(spec, max_output_tokens=99) if change == "row" else spec
    assert crowd.gate.eta_s(spec, tokens=1, stamp="key-2" if change == "key" else stamp) == 0.0


@pytest.mark.parametrize(("told_s", "wait_s"), [(7.0, 7.0), (None, 1.0), (0.0, 1.0)])
async def test_a_rate_refusal_pauses_the_model(told_s: float | None, wait_s: float) -> None:
    """Nobody calls before the time the vendor named, or a second when it named none."""
    crowd = Crowd(model())
    verdict = replace(VERDICTS[Kind.RATE], retry_after_s=told_s)
    crowd.gate.heed(crowd.spec, verdict, reason="rate")
    await crowd.come("a")
    await crowd.clock.advance(wait_s - 0.01)
    assert crowd.inside == []
    await crowd.clock.advance(0.01)
    assert crowd.inside == ["a"]


async def test_an_unhealthy_vendor_s_wait_is_obeyed_too() -> None:
    """Unavailable with Retry-After pauses the model as well."""
    crowd = Crowd(model())
    verdict = replace(VERDICTS[Kind.SERVER], retry_after_s=3.0)
    crowd.gate.heed(crowd.spec, verdict, reason="unavailable")
    assert crowd.gate.eta_s(crowd.spec, tokens=1) == pytest.approx(3.0)
