"""Claims about the circuit breaker, one by one and against a plain model of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from routing.breaker import Breaker, Outcome, Pass, State


def _middle() -> float:
    return 0.5


def _breaker() -> Breaker:
    return Breaker(random=_middle)


def _calls(breaker: Breaker, outcomes: list[Outcome], *, now_s: float = 0.0) -> None:
    for outcome in outcomes:
        permit = breaker.admit(now_s=now_s)
        if permit is not None:
            breaker.report(permit, outcome, now_s=now_s)


def _opened(*, now_s: float = 0.0) -> Breaker:
    breaker = _breaker()
    _calls(breaker, [Outcome.FAILURE] * 20, now_s=now_s)
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([Outcome.FAILURE] * 19, State.CLOSED),
        ([Outcome.FAILURE] * 20, State.OPEN),
        ([Outcome.SUCCESS] * 11 + [Outcome.FAILURE] * 10, State.CLOSED),
        ([Outcome.SUCCESS] * 10 + [Outcome.FAILURE] * 10, State.OPEN),
        ([Outcome.SLOW] * 15 + [Outcome.SUCCESS] * 5, State.CLOSED),
        ([Outcome.SUCCESS] * 4 + [Outcome.SLOW] * 16, State.OPEN),
        ([Outcome.IGNORED] * 500, State.CLOSED),
        ([Outcome.IGNORED] * 500 + [Outcome.FAILURE] * 19, State.CLOSED),
        ([Outcome.FAILURE] * 4 + [Outcome.SUCCESS] + [Outcome.FAILURE] * 16, State.OPEN),
    ],
)
def test_it_opens_on_the_share_of_failures(outcomes: list[Outcome], state: State) -> None:
    """Twenty calls are needed, then half failed or 80 % slow; what is ignored never counts."""
    breaker = _breaker()
    _calls(breaker, outcomes)
    assert breaker.state(now_s=0.0) is state


def test_failures_of_long_ago_do_not_count() -> None:
    """Only the last 30 seconds decide."""
    breaker = _breaker()
    _calls(breaker, [Outcome.FAILURE] * 19, now_s=0.0)
    _calls(breaker, [Outcome.FAILURE] * 19, now_s=31.0)
    assert breaker.state(now_s=31.0) is State.CLOSED


def test_nothing_passes_while_it_is_open() -> None:
    """No pass for ten seconds, and the time until then is told."""
    breaker = _opened()
    assert breaker.admit(now_s=9.9) is None
    assert breaker.retry_after_s(now_s=4.0) == pytest.approx(6.0)
    assert breaker.admit(now_s=10.0) is not None


@pytest.mark.parametrize(("random", "open_s"), [(0.0, 8.0), (0.5, 10.0), (0.999999, 12.0)])
def test_the_open_time_is_spread(random: float, open_s: float) -> None:
    """Ten seconds give or take 20 %, so that processes do not come back together."""
    breaker = Breaker(random=lambda: random)
    _calls(breaker, [Outcome.FAILURE] * 20)
    assert breaker.retry_after_s(now_s=0.0) == pytest.approx(open_s, abs=0.001)


def test_the_open_time_doubles_up_to_two_minutes() -> None:
    """Each probe that fails doubles the time, up to 120 s."""
    breaker, now_s, lengths_s = _opened(), 0.0, []
    for _ in range(7):
        length_s = breaker.retry_after_s(now_s=now_s)
        lengths_s.append(length_s)
        now_s += length_s
        _calls(breaker, [Outcome.FAILURE], now_s=now_s)
    assert lengths_s == pytest.approx([10, 20, 40, 80, 120, 120, 120])


def test_only_three_probes_pass_when_half_open() -> None:
    """Of two hundred callers at the same moment three are let through."""
    breaker = _opened()
    passes = [breaker.admit(now_s=10.0) for _ in range(200)]
    assert sum(permit is not None for permit in passes) == 3


def test_permits_and_successes_make_three_together() -> None:
    """After one good probe two more may run, not three."""
    breaker = _opened()
    _calls(breaker, [Outcome.SUCCESS], now_s=10.0)
    passes = [breaker.admit(now_s=10.0) for _ in range(10)]
    assert sum(permit is not None for permit in passes) == 2


def test_three_successes_close_it() -> None:
    """Three good probes close the breaker, and the next opening is short again."""
    breaker = _opened()
    _calls(breaker, [Outcome.SUCCESS] * 3, now_s=10.0)
    assert breaker.state(now_s=10.0) is State.CLOSED
    _calls(breaker, [Outcome.FAILURE] * 20, now_s=11.0)
    assert breaker.retry_after_s(now_s=11.0) == pytest.approx(10.0)


@pytest.mark.parametrize("outcome", [Outcome.FAILURE, Outcome.SLOW])
def test_any_bad_probe_opens_it_again(outcome: Outcome) -> None:
    """One failure or slow answer among the probes is enough."""
    breaker = _opened()
    _calls(breaker, [Outcome.SUCCESS, Outcome.SUCCESS, outcome], now_s=10.0)
    assert breaker.state(now_s=10.0) is State.OPEN


def test_an_ignored_probe_gives_its_permit_back() -> None:
    """A probe that says nothing about health makes room for another."""
    breaker = _opened()
    _calls(breaker, [Outcome.IGNORED] * 50, now_s=10.0)
    assert breaker.state(now_s=10.0) is State.HALF_OPEN
    assert breaker.may_admit(now_s=10.0)


def test_a_probe_that_never_returns_is_replaced_after_its_lease() -> None:
    """Stuck probes hold their permits for 15 s, not for ever, and count no more after that."""
    breaker = _opened()
    stuck = [breaker.admit(now_s=10.0) for _ in range(3)]
    assert breaker.admit(now_s=24.9) is None
    assert breaker.retry_after_s(now_s=20.0) == pytest.approx(5.0)
    _calls(breaker, [Outcome.SUCCESS] * 2, now_s=25.0)
    for permit in stuck:
        assert permit is not None
        breaker.report(permit, Outcome.SUCCESS, now_s=25.0)
    assert breaker.state(now_s=25.0) is State.HALF_OPEN


def test_late_results_of_an_older_state_are_ignored() -> None:
    """A call from before the opening changes nothing in the states that follow."""
    breaker = _breaker()
    old = [breaker.admit(now_s=0.0) for _ in range(30)]
    _calls(breaker, [Outcome.FAILURE] * 20)
    _calls(breaker, [Outcome.SUCCESS] * 3, now_s=10.0)
    for permit in old:
        assert permit is not None
        breaker.report(permit, Outcome.FAILURE, now_s=10.0)
    assert breaker.state(now_s=10.0) is State.CLOSED


def test_a_parked_breaker_lets_nothing_through_until_unparked() -> None:
    """No probe is made while a person is needed."""
    breaker = _breaker()
    breaker.park("the key was refused")
    assert breaker.admit(now_s=1e9) is None
    assert (breaker.retry_after_s(now_s=0.0), breaker.parked_reason) == (
        math.inf,
        "the key was refused",
    )
    breaker.unpark()
    assert breaker.admit(now_s=0.0) is not None


def test_parking_may_end_by_itself() -> None:
    """A quota that comes back at a known time is tried again then."""
    breaker = _breaker()
    breaker.park("the quota of the day is used up", until_s=100.0)
    assert breaker.state(now_s=99.0) is State.PARKED
    assert breaker.state(now_s=100.0) is State.CLOSED


def test_a_clock_that_steps_back_does_not_freeze_it() -> None:
    """Calls with an earlier time are counted and do not break the window."""
    breaker = _breaker()
    _calls(breaker, [Outcome.FAILURE] * 10, now_s=100.0)
    _calls(breaker, [Outcome.FAILURE] * 10, now_s=50.0)
    assert breaker.state(now_s=50.0) is State.OPEN


class Reference(RuleBasedStateMachine):
    """A breaker beside a plain list of everything that happened to it."""

    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.breaker = _breaker()
        self.now_s = 1_000.0
        self.state = State.CLOSED
        self.epoch = 0
        self.openings = 0
        self.open_until_s = 0.0
        self.results: list[tuple[float, Outcome]] = []
        self.leases: dict[Pass, float] = {}
        self.successes = 0
        self.epochs: dict[Pass, int] = {}
        self.parked_until_s = -math.inf

    def _enter(self, state: State) -> None:
        self.state, self.epoch = state, self.epoch + 1
        self.results, self.leases, self.successes = [], {}, 0

    def _open(self) -> None:
        self.open_until_s = self.now_s + min(120.0, 10.0 * 2**self.openings)
        self.openings += 1
        self._enter(State.OPEN)

    def _tick(self) -> None:
        if self.state is State.OPEN and self.now_s >= self.open_until_s:
            self._enter(State.HALF_OPEN)

    @rule(delta_s=st.sampled_from([0.0, 0.5, 3.0, 10.0, 15.0, 40.0]))
    def pass_time(self, delta_s: float) -> None:
        self.now_s += delta_s
        self._tick()

    @rule(length_s=st.sampled_from([1.0, 20.0]))
    def park(self, length_s: float) -> None:
        self.breaker.park("reason", until_s=self.now_s + length_s)
        self.parked_until_s = self.now_s + length_s

    @rule()
    def unpark(self) -> None:
        self.breaker.unpark()
        self.parked_until_s = -math.inf

    @rule(target=permits)
    def admit(self) -> Pass | None:
        self._tick()
        live = sum(1 for until_s in self.leases.values() if until_s > self.now_s)
        expected = self.now_s >= self.parked_until_s and (
            self.state is State.CLOSED
            or (self.state is State.HALF_OPEN and live + self.successes < 3)
        )
        permit = self.breaker.admit(now_s=self.now_s)
        assert (permit is not None) == expected
        if permit is not None:
            self.epochs[permit] = self.epoch
            if self.state is State.HALF_OPEN:
                self.leases[permit] = self.now_s + 15.0
        return permit

    @rule(permit=permits, outcome=st.sampled_from(list(Outcome)))
    def report(self, permit: Pass | None, outcome: Outcome) -> None:
        if permit is None:
            return
        self._tick()
        self.breaker.report(permit, outcome, now_s=self.now_s)
        if self.epochs[permit] != self.epoch:
            return
        if self.state is State.HALF_OPEN:
            self._report_probe(permit, outcome)
        elif outcome is not Outcome.IGNORED:
            self._report_call(outcome)

    @rule(permit=permits, times=st.integers(5, 25), outcome=st.sampled_from(list(Outcome)))
    def report_often(self, permit: Pass | None, times: int, outcome: Outcome) -> None:
        for _ in range(times):
            self.report(self.admit(), outcome)

    def _report_probe(self, permit: Pass, outcome: Outcome) -> None:
        if self.leases.pop(permit, -math.inf) <= self.now_s:
            return
        if outcome in (Outcome.FAILURE, Outcome.SLOW):
            self._open()
        elif outcome is Outcome.SUCCESS:
            self.successes += 1
            if self.successes == 3:
                self.openings = 0
                self._enter(State.CLOSED)

    def _report_call(self, outcome: Outcome) -> None:
        self.results.append((self.now_s, outcome))
        first_slot = math.floor(self.now_s / 3.0) - 9
        recent = [kind for at_s, kind in self.results if math.floor(at_s / 3.0) >= first_slot]
        if len(recent) >= 20 and (
            2 * recent.count(Outcome.FAILURE) >= len(recent)
            or 10 * recent.count(Outcome.SLOW) >= 8 * len(recent)
        ):
            self._open()

    @invariant()
    def states_agree(self) -> None:
        self._tick()
        parked = self.now_s < self.parked_until_s
        expected = State.PARKED if parked else self.state
        assert self.breaker.state(now_s=self.now_s) is expected


TestReference = Reference.TestCase
TestReference.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)
