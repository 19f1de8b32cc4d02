"""Claims about the limiter, against a vendor that counts every request in exact windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import TooLarge
from routing.limits import Limiter, Reservation, check_size, share_of
from routing.specs import Limits, Need


@dataclass(slots=True, eq=False)
class Sent:
    """One call as the vendor sees it."""

    arrival_s: float
    end_s: float
    reserved: int
    used: int
    held: Reservation


def _check_as_vendor(calls: list[Sent], limits: Limits) -> None:
    """Replay all calls as vendors count them: reserved on arrival, real use from the end on."""
    for call in calls:
        recent = [
            other for other in calls if call.arrival_s - 60.0 < other.arrival_s <= call.arrival_s
        ]
        if limits.requests_per_minute is not None:
            assert len(recent) <= limits.requests_per_minute
        if limits.tokens_per_minute is not None:
            charged = [o.used if o.end_s <= call.arrival_s else o.reserved for o in recent]
            assert sum(charged) <= limits.tokens_per_minute


LIMITS = st.builds(
    Limits,
    requests_per_minute=st.none() | st.integers(1, 400),
    tokens_per_minute=st.none() | st.integers(200, 60_000),
    in_flight=st.none() | st.integers(1, 20),
)
CALL = st.tuples(
    st.floats(0.0, 5.0),  # pause before it
    st.floats(0.0, 1.0),  # share of the token limit that it reserves
    st.floats(0.0, 1.0),  # share of the reservation that it uses
    st.floats(0.0, 30.0),  # how long it takes
    st.floats(0.0, 1.5),  # how much later than we think it reaches the vendor
)


@settings(max_examples=300, deadline=None)
@given(limits=LIMITS, calls=st.lists(CALL, min_size=1, max_size=60), late=st.booleans())
def test_no_vendor_sees_more_than_its_limits(
    limits: Limits, calls: list[tuple[float, float, float, float, float]], late: bool
) -> None:
    """However calls come, last, are used and are delayed, no minute of the vendor is exceeded."""
    now_s = 1_000.0
    limiter = Limiter(limits, now_s=now_s)
    sent: list[Sent] = []
    running: list[Sent] = []

    def settle_until(until_s: float) -> None:
        for call in [call for call in running if call.end_s <= until_s]:
            limiter.settle(call.held, used=Need(call.used), now_s=until_s)
            running.remove(call)

    for pause_s, size, used, takes_s, delay_s in calls:
        now_s += pause_s
        tokens = max(1, int(size * (limits.tokens_per_minute or 1_000)))
        settle_until(now_s)
        while (wait_s := limiter.wait_s(Need(tokens), now_s=now_s)) > 0:
            now_s = min([now_s + wait_s, *(call.end_s for call in running)])
            settle_until(now_s)
        held = limiter.take(Need(tokens), now_s=now_s)
        assert limits.in_flight is None or limiter.in_flight <= limits.in_flight
        arrival_s = now_s + delay_s * late
        call = Sent(arrival_s, arrival_s + takes_s, tokens, int(tokens * used), held)
        sent.append(call)
        running.append(call)
    _check_as_vendor(sent, limits)


@pytest.mark.parametrize("rpm", [1, 7, 60, 500, 3_000])
def test_a_busy_limiter_uses_most_of_the_limit(rpm: int) -> None:
    """Under endless demand at least 90 % of the limit is used (and at least one request)."""
    limiter, now_s, admitted = Limiter(Limits(requests_per_minute=rpm), now_s=0.0), 0.0, 0
    while now_s < 600.0:
        wait_s = limiter.wait_s(Need(1), now_s=now_s)
        if wait_s > 0:
            now_s += wait_s
            continue
        limiter.settle(limiter.take(Need(1), now_s=now_s), used=Need(1), now_s=now_s)
        admitted += 1
    assert 9 * rpm <= admitted <= 10 * rpm


def test_busy_tokens_are_used_up_to_what_was_really_needed() -> None:
    """With half of each reservation given back, real use still reaches 90 % of the limit."""
    limits = Limits(tokens_per_minute=60_000)
    limiter, now_s, used = Limiter(limits, now_s=0.0), 0.0, 0
    running: list[tuple[float, Reservation]] = []
    while now_s < 600.0:
        while running and running[0][0] <= now_s:
            limiter.settle(running.pop(0)[1], used=Need(350), now_s=now_s)
            used += 350
        wait_s = limiter.wait_s(Need(700), now_s=now_s)
        if wait_s <= 0:
            running.append((now_s + 1.0, limiter.take(Need(700), now_s=now_s)))
        else:
            now_s = min([now_s + wait_s, *(end_s for end_s, _ in running)])
    assert used >= 0.9 * 60_000 * 10


@pytest.mark.parametrize("rpm", [60, 600, 3_000])
def test_no_second_gets_much_more_than_its_share(rpm: int) -> None:
    """A limiter that rested lets through two seconds' worth at most within one second."""
    limiter, now_s, admitted = Limiter(Limits(requests_per_minute=rpm), now_s=0.0), 500.0, 0
    while now_s < 501.0:
        wait_s = limiter.wait_s(Need(1), now_s=now_s)
        if wait_s > 0:
            now_s += wait_s
            continue
        limiter.take(Need(1), now_s=now_s)
        admitted += 1
    assert admitted <= 2 * rpm / 60


def test_request_and_tokens_are_taken_together() -> None:
    """A call that finds requests but no tokens takes neither."""
    limiter = Limiter(Limits(requests_per_minute=600, tokens_per_minute=6_000), now_s=0.0)
    limiter.take(Need(90), now_s=0.0)
    assert limiter.wait_s(Need(90), now_s=0.0) > 0.5
    assert limiter.wait_s(Need(1), now_s=0.0) == 0.0


def test_a_large_call_waits_for_a_full_bucket_and_leaves_a_debt() -> None:
    """More than a second's worth passes at once when the bucket is full, and is paid off after."""
    limiter = Limiter(Limits(tokens_per_minute=6_000), now_s=0.0)
    assert limiter.wait_s(Need(3_000), now_s=0.0) == 0.0
    limiter.take(Need(3_000), now_s=0.0)
    assert limiter.wait_s(Need(1), now_s=0.0) == pytest.approx((3_000 - 95 + 1) / 95)


def test_a_call_larger_than_a_minute_is_refused_at_once() -> None:
    """What can never pass does not wait."""
    limits = Limits(tokens_per_minute=6_000)
    check_size(Need(5_000, 1_000), limits)
    with pytest.raises(TooLarge, match="6001 tokens and the limit is 6000"):
        check_size(Need(5_001, 1_000), limits)


def test_a_clock_that_steps_back_changes_nothing() -> None:
    """Negative time is no time: nothing is lost and nothing is granted."""
    limiter = Limiter(Limits(requests_per_minute=60), now_s=3_600.0)
    limiter.take(Need(1), now_s=3_600.0)
    before_s = limiter.wait_s(Need(1), now_s=3_600.0)
    assert limiter.wait_s(Need(1), now_s=0.0) == pytest.approx(before_s)
    assert limiter.wait_s(Need(1), now_s=3_600.0 + before_s) == 0.0


def test_a_call_that_used_more_than_reserved_is_charged_for_it() -> None:
    """Usage beyond the reservation is owed, and delays the next call."""
    limiter = Limiter(Limits(tokens_per_minute=6_000), now_s=0.0)
    limiter.settle(limiter.take(Need(50), now_s=0.0), used=Need(500), now_s=0.0)
    assert limiter.wait_s(Need(1), now_s=0.0) == pytest.approx((500 - 95 + 1) / 95)


def test_a_reservation_is_settled_once() -> None:
    """A second settlement neither frees a place nor gives tokens back."""
    limiter = Limiter(Limits(in_flight=1, tokens_per_minute=6_000), now_s=0.0)
    held = limiter.take(Need(90), now_s=0.0)
    limiter.settle(held, used=Need(90), now_s=0.0)
    limiter.settle(held, used=Need(0), now_s=0.0)
    assert (limiter.in_flight, limiter.wait_s(Need(95), now_s=0.0) > 0) == (0, True)


def test_in_flight_calls_are_bounded() -> None:
    """At the cap only the end of a call lets in another, so the wait has no time."""
    limiter = Limiter(Limits(in_flight=2), now_s=0.0)
    first = limiter.take(Need(1), now_s=0.0)
    limiter.take(Need(1), now_s=0.0)
    assert limiter.wait_s(Need(1), now_s=0.0) == math.inf
    assert 0 < limiter.eta_s(Need(1), now_s=0.0) < math.inf
    limiter.settle(first, used=Need(1), now_s=1.0)
    assert limiter.wait_s(Need(1), now_s=1.0) == 0.0


def test_a_pause_holds_everything_back_until_its_end() -> None:
    """After Retry-After nothing starts before its time; a shorter pause does not cut it."""
    limiter = Limiter(Limits(), now_s=0.0)
    limiter.pause(until_s=7.0)
    limiter.pause(until_s=3.0)
    assert [limiter.wait_s(Need(1), now_s=now_s) for now_s in (0.0, 6.5, 7.0)] == [7.0, 0.5, 0.0]


def test_an_unexpected_refusal_slows_down_for_a_while() -> None:
    """The rate drops to 70 % and is back after two and a half minutes."""
    limiter = Limiter(Limits(requests_per_minute=600, in_flight=10), now_s=0.0)
    limiter.slow_down(now_s=0.0)
    factors = [limiter.factor(now_s=now_s) for now_s in (0.0, 10.0, 75.0, 150.0, 900.0)]
    assert factors == pytest.approx([0.7, 0.72, 0.85, 1.0, 1.0])


def test_many_refusals_do_not_stop_everything() -> None:
    """However often a vendor refuses, a tenth of the rate remains."""
    limiter = Limiter(Limits(requests_per_minute=600), now_s=0.0)
    for _ in range(50):
        limiter.slow_down(now_s=0.0)
    assert limiter.factor(now_s=0.0) == pytest.approx(0.1)


@pytest.mark.parametrize("rpm", [30, 600])
def test_new_limits_count_what_was_taken_under_old_ones(rpm: int) -> None:
    """A limit that changes while running holds for the minute that is under way."""
    limiter, now_s, taken_s = Limiter(Limits(requests_per_minute=300), now_s=0.0), 0.0, []
    limiter.apply(Limits(requests_per_minute=300), now_s=now_s)
    while now_s < 180.0:
        if now_s >= 30.0:
            limiter.apply(Limits(requests_per_minute=rpm), now_s=now_s)
        wait_s = limiter.wait_s(Need(1), now_s=now_s)
        if wait_s > 0:
            now_s += wait_s
            continue
        limiter.take(Need(1), now_s=now_s)
        taken_s.append(now_s)
    late = [at_s for at_s in taken_s if at_s >= 100.0]
    windows = [sum(1 for at_s in late if start <= at_s < start + 60) for start in range(100, 120)]
    assert max(windows) <= rpm


@given(LIMITS, st.integers(1, 8))
def test_processes_share_a_limit(limits: Limits, processes: int) -> None:
    """The parts of all processes stay within the whole, as long as there is one for each."""
    part = share_of(limits, 1 / processes)
    for whole, mine in (
        (limits.requests_per_minute, part.requests_per_minute),
        (limits.tokens_per_minute, part.tokens_per_minute),
        (limits.in_flight, part.in_flight),
    ):
        assert (whole is None) == (mine is None)
        if whole is not None and mine is not None:
            assert 1 <= mine <= max(1, whole // processes)


def test_the_wait_behind_others_grows_with_them() -> None:
    """Each call ahead adds its time."""
    limiter = Limiter(Limits(requests_per_minute=60), now_s=0.0)
    limiter.take(Need(1), now_s=0.0)
    etas_s = [limiter.eta_s(Need(1), now_s=0.0, requests_ahead=ahead) for ahead in range(4)]
    assert etas_s == pytest.approx([n / 0.95 for n in (1, 2, 3, 4)])
