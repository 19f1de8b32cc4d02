"""Claims about the sliding windows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.windows import (
    IN_FLIGHT,
    MINUTE,
    NS_PER_S,
    REQUESTS,
    TOKENS,
    Gate,
    Limits,
    Refusal,
    SlidingLog,
    Ticket,
    Window,
)

NAME = ("openai", "key", "gpt-4.1")
BURST = Window(2, 2.0)
LIMITS = Limits(rpm=60, tpm=900)

steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3 * NS_PER_S), st.sampled_from([60 * NS_PER_S, 2 * NS_PER_S])),
        st.integers(1, 400),
        st.integers(0, 400),
    ),
    max_size=80,
)


def _brute_force_fits(events: list[tuple[int, int, int]], *, now_ns: int, tokens: int) -> bool:
    """The same limits counted the slow way, from a list of (time, requests, tokens)."""
    for window, strict in ((MINUTE, True), (BURST, False)):
        alive = [e for e in events if now_ns - e[0] < window.length_s * NS_PER_S]
        for used, more, per_minute in (
            (sum(e[1] for e in alive), 1, 60),
            (sum(e[2] for e in alive), tokens, 900),
        ):
            over = used + more > per_minute * window.factor * window.length_s // 60
            if over and (strict or used > 0):
                return False
    return True


@given(steps)
def test_admission_agrees_with_a_count_over_all_events(
    story: list[tuple[int, int, int]],
) -> None:
    """A request passes exactly if a count over every event of the last 60 s and 2 s lets it."""
    gate = Gate((MINUTE, BURST))
    events: list[tuple[int, int, int]] = []
    now_ns = 0
    for gap_ns, charged, settled in story:
        now_ns += gap_ns
        amounts = {REQUESTS: 1, TOKENS: charged}
        expected = _brute_force_fits(events, now_ns=now_ns, tokens=charged)
        outcome = gate.admit(NAME, amounts=amounts, limits=LIMITS, now_ns=now_ns)
        assert isinstance(outcome, Ticket) == expected
        if isinstance(outcome, Ticket):
            outcome.settle({TOKENS: settled}, now_ns=now_ns)
            events.append((now_ns, 1, settled))


@given(steps)
def test_used_never_exceeds_the_limit_when_nothing_is_settled(
    story: list[tuple[int, int, int]],
) -> None:
    """What was admitted within any 60 s stays within the limit."""
    gate = Gate()
    events: list[tuple[int, int]] = []
    now_ns = 0
    for gap_ns, charged, _ in story:
        now_ns += gap_ns
        amounts = {REQUESTS: 1, TOKENS: charged}
        if isinstance(gate.admit(NAME, amounts=amounts, limits=LIMITS, now_ns=now_ns), Ticket):
            events.append((now_ns, charged))
        alive = [e for e in events if now_ns - e[0] < 60 * NS_PER_S]
        assert sum(e[1] for e in alive) <= 900 and len(alive) <= 60


@given(st.lists(st.integers(0, 20 * NS_PER_S), min_size=3, max_size=30))
def test_the_wait_of_a_refusal_is_the_first_moment_it_fits(gaps_ns: list[int]) -> None:
    """A refused request fits after the stated wait and not one nanosecond earlier."""
    limits = Limits(rpm=3)
    gate = Gate()
    now_ns = 0
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        outcome = gate.admit(NAME, amounts={REQUESTS: 1}, limits=limits, now_ns=now_ns)
        if isinstance(outcome, Refusal):
            meter = gate.meter(NAME)
            wait_ns = meter.logs(REQUESTS)[0].wait_ns(1, cap=3, now_ns=now_ns)
            early_ns, then_ns = now_ns + wait_ns - 1, now_ns + wait_ns
            assert meter.refusal({REQUESTS: 1}, limits=limits, now_ns=early_ns) is not None
            assert meter.refusal({REQUESTS: 1}, limits=limits, now_ns=then_ns) is None
            now_ns = then_ns


def test_settling_after_the_window_has_passed_changes_nothing() -> None:
    """A late settlement does not reach into a window that has moved on."""
    gate = Gate()
    ticket = gate.admit(NAME, amounts={REQUESTS: 1, TOKENS: 500}, limits=LIMITS, now_ns=0)
    assert isinstance(ticket, Ticket)
    ticket.settle({TOKENS: 10}, now_ns=60 * NS_PER_S)
    assert gate.meter(NAME).logs(TOKENS)[0].used(60 * NS_PER_S) == 0


def test_settling_twice_counts_once() -> None:
    """The second settlement of a ticket is ignored, in tokens and in flight."""
    gate = Gate()
    ticket = gate.admit(NAME, amounts={REQUESTS: 1, TOKENS: 500}, limits=LIMITS, now_ns=0)
    assert isinstance(ticket, Ticket)
    ticket.settle({TOKENS: 100}, now_ns=1)
    ticket.settle({TOKENS: 300}, now_ns=2)
    assert gate.meter(NAME).logs(TOKENS)[0].used(2) == 100
    assert gate.meter(NAME).in_flight == 0


def test_the_in_flight_cap_frees_a_place_when_a_request_ends() -> None:
    """Beyond the cap a request is refused for concurrency, and passes once another has ended."""
    gate, limits = Gate(), Limits(in_flight=1)
    first = gate.admit(NAME, amounts={REQUESTS: 1}, limits=limits, now_ns=0)
    refused = gate.admit(NAME, amounts={REQUESTS: 1}, limits=limits, now_ns=0)
    assert isinstance(refused, Refusal) and refused.dimension == IN_FLIGHT
    assert isinstance(first, Ticket)
    first.settle({}, now_ns=1)
    assert isinstance(gate.admit(NAME, amounts={REQUESTS: 1}, limits=limits, now_ns=1), Ticket)


def test_a_request_larger_than_the_limit_never_fits() -> None:
    """A request above the minute's limit is refused even in an empty window."""
    wait_ns = SlidingLog(MINUTE).wait_ns(1001, cap=1000, now_ns=5)
    assert wait_ns == 60 * NS_PER_S


def test_keys_and_models_do_not_share_a_window() -> None:
    """The windows of another key or another model are untouched."""
    gate, limits = Gate(), Limits(rpm=1)
    names = [NAME, ("openai", "other", "gpt-4.1"), ("openai", "key", "gpt-5")]
    outcomes = [gate.admit(n, amounts={REQUESTS: 1}, limits=limits, now_ns=0) for n in names]
    assert all(isinstance(outcome, Ticket) for outcome in outcomes)
