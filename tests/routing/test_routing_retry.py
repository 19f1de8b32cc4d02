"""Claims about repetitions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.errors import Kind
from routing.retry import Attempts, RetryBudget, backoff_s
from routing.vendors.classify import VERDICTS

SERVER = VERDICTS[Kind.SERVER]


@pytest.mark.parametrize(
    ("kind", "random", "wait_s"),
    [
        (Kind.SERVER, 0.0, 0.25),
        (Kind.SERVER, 1.0, 2.0),
        (Kind.CONNECT, 0.0, 0.05),
        (Kind.CONNECT, 1.0, 0.25),
        (Kind.OVERLOADED, 0.0, 1.0),
        (Kind.OVERLOADED, 1.0, 2.0),
    ],
)
def test_the_pause_is_spread(kind: Kind, random: float, wait_s: float) -> None:
    """Full jitter within 0.25 to 2 s, a connection sooner, an overloaded vendor after a second."""
    assert backoff_s(VERDICTS[kind], random=lambda: random) == pytest.approx(wait_s)


@pytest.mark.parametrize(
    ("kind", "told_s", "random", "wait_s"),
    [
        (Kind.SERVER, 4.0, 0.0, 4.0),
        (Kind.SERVER, 4.0, 1.0, 4.25),
        (Kind.SERVER, 0.0, 0.0, 0.25),
        (Kind.OVERLOADED, 0.0, 0.0, 1.0),
        (Kind.OVERLOADED, 3.0, 0.0, 3.0),
    ],
)
def test_the_vendor_s_own_wait_is_obeyed(
    kind: Kind, told_s: float, random: float, wait_s: float
) -> None:
    """A wait that was asked for is never cut short, ends spread, and is no excuse to hurry."""
    verdict = replace(VERDICTS[kind], retry_after_s=told_s)
    assert backoff_s(verdict, random=lambda: random) == pytest.approx(wait_s)


@pytest.mark.parametrize(
    ("usable", "made", "made_here", "untried", "allowed"),
    [
        (1, 1, 1, 0, True),
        (1, 2, 2, 0, False),
        (2, 1, 1, 1, True),
        (3, 1, 1, 2, False),
        (3, 2, 1, 1, False),
        (2, 2, 1, 0, True),
        (4, 1, 1, 3, False),
        (4, 4, 1, 0, False),
    ],
)
def test_every_model_gets_its_turn_before_any_gets_a_second(
    usable: int, made: int, made_here: int, untried: int, allowed: bool
) -> None:
    """At most two attempts at a model, three in all, and none at the cost of an untried model."""
    attempts = Attempts(usable_models=usable, made=made)
    assert allowed is attempts.may_retry(
        SERVER, made_here=made_here, untried=untried, left_s=10.0, gone_share=0.1
    )


@pytest.mark.parametrize(
    ("kind", "retry_after_s", "left_s", "gone_share", "allowed"),
    [
        (Kind.TIMEOUT, None, 10.0, 0.5, True),
        (Kind.TIMEOUT, None, 10.0, 0.51, False),
        (Kind.RESET, None, 10.0, 0.9, False),
        (Kind.UPSTREAM_TIMEOUT, None, 10.0, 0.9, True),
        (Kind.CONNECT, None, 10.0, 0.9, True),
        (Kind.RATE, 5.0, 10.0, 0.1, True),
        (Kind.RATE, 5.1, 10.0, 0.1, False),
        (Kind.RATE, 4.0, 3.0, 0.1, False),
        (Kind.INVALID, None, 10.0, 0.1, False),
        (Kind.AUTH, None, 10.0, 0.1, False),
        (Kind.QUOTA, None, 10.0, 0.1, False),
    ],
)
def test_only_what_can_help_is_repeated(
    kind: Kind, retry_after_s: float | None, left_s: float, gone_share: float, allowed: bool
) -> None:
    """Waits beyond 5 s or the time left, late timeouts and hopeless failures are not repeated."""
    verdict = replace(VERDICTS[kind], retry_after_s=retry_after_s)
    attempts = Attempts(usable_models=1, made=1)
    assert allowed is attempts.may_retry(
        verdict, made_here=1, untried=0, left_s=left_s, gone_share=gone_share
    )


def test_a_bad_request_is_passed_on_once() -> None:
    """One model may find the request bad for reasons of its own; when two do, the fault is ours."""
    attempts = Attempts(usable_models=4)
    allowed = [attempts.fall_back(VERDICTS[kind]) for kind in (Kind.INVALID, Kind.SERVER)]
    assert (allowed, attempts.fall_back(VERDICTS[Kind.INVALID])) == ([True, True], False)
    assert attempts.fall_back(SERVER)
    assert not attempts.fall_back(VERDICTS[Kind.CONTENT])


def test_retries_stop_by_themselves_in_an_outage() -> None:
    """With nothing succeeding the reserve pays for two retries and no more."""
    budget = RetryBudget()
    assert sum(budget.spend(SERVER) for _ in range(10_000)) == 2


@pytest.mark.parametrize(("kind", "successes"), [(Kind.SERVER, 10), (Kind.TIMEOUT, 20)])
def test_successes_pay_for_one_retry_in_ten(kind: Kind, successes: int) -> None:
    """In the long run retries are a tenth of the successes; a timeout costs two."""
    budget, retries = RetryBudget(), 0
    while budget.spend(VERDICTS[kind]):
        pass
    for _ in range(successes * 50):
        budget.refund()
        retries += budget.spend(VERDICTS[kind])
    assert 48 <= retries <= 50
