"""Claims about the queue of one model: classes, turns between shoppers, its bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.shaper import Full, Place, Shaper, Urgency
from routing.specs import Need


def join(queue: Shaper, flow: str, *, urgency: Urgency = Urgency.USUAL) -> Place:
    """Take a place at the end of one's class and turn."""
    place = queue.planned(Need(10), flow=flow, urgency=urgency, deadline_s=100.0)
    queue.join(place)
    return place


def served(queue: Shaper) -> list[str]:
    """The flows in the order in which they are served."""
    order = []
    while (first := queue.first) is not None:
        order.append(first.flow)
        queue.leave(first, served=True)
    return order


def test_shoppers_take_turns() -> None:
    """A hundred questions of one shopper delay another's first by one."""
    queue = Shaper(max_waiting=1_000)
    for _ in range(100):
        join(queue, "busy")
    join(queue, "other")
    join(queue, "third")
    assert served(queue)[:4] == ["busy", "other", "third", "busy"]


def test_one_shopper_keeps_the_order() -> None:
    """Questions of one shopper are served as they came."""
    queue = Shaper(max_waiting=10)
    places = [join(queue, "a") for _ in range(5)]
    assert list(queue) == places


def test_urgent_calls_go_first() -> None:
    """A hard case before a usual question, both before what nobody waits for."""
    queue = Shaper(max_waiting=10)
    join(queue, "background", urgency=Urgency.BACKGROUND)
    join(queue, "usual")
    join(queue, "complex", urgency=Urgency.COMPLEX)
    assert served(queue) == ["complex", "usual", "background"]


def test_a_full_queue_sheds_the_least_urgent() -> None:
    """A more urgent arrival takes the last place of a less urgent class, which is told at once."""
    queue = Shaper(max_waiting=2)
    join(queue, "usual")
    least = join(queue, "background", urgency=Urgency.BACKGROUND)
    join(queue, "complex", urgency=Urgency.COMPLEX)
    assert least.shed
    assert least.wake.is_set()
    assert served(queue) == ["complex", "usual"]


def test_a_full_queue_refuses_equals() -> None:
    """Nobody is pushed out by one of the same class."""
    queue = Shaper(max_waiting=1)
    join(queue, "a")
    with pytest.raises(Full):
        join(queue, "b")
    assert served(queue) == ["a"]


def test_a_newcomer_does_not_get_the_turns_it_missed() -> None:
    """Whoever comes after others were served many times takes turns from then on."""
    queue = Shaper(max_waiting=100)
    for _ in range(10):
        join(queue, "early")
    for _ in range(5):
        first = queue.first
        assert first is not None
        queue.leave(first, served=True)
    join(queue, "late")
    join(queue, "late")
    assert served(queue)[:4] == ["late", "early", "late", "early"]


ARRIVAL = st.tuples(st.sampled_from("abcde"), st.sampled_from(list(Urgency)), st.booleans())


@given(st.lists(ARRIVAL, max_size=80))
def test_places_are_ordered_bounded_and_never_lost(
    arrivals: list[tuple[str, Urgency, bool]],
) -> None:
    """Everybody who joined is served or shed exactly once; nobody passes a more urgent class."""
    queue, joined, gone = Shaper(max_waiting=20), [], []
    for flow, urgency, serve in arrivals:
        place = queue.planned(Need(1), flow=flow, urgency=urgency, deadline_s=1.0)
        ahead, _ = queue.ahead_of(place)
        try:
            shed = queue.join(place)
        except Full:
            assert len(queue) == 20
            assert all(other.urgency <= urgency for other in queue)
            continue
        joined.append(place)
        gone += [shed] if shed is not None else []
        assert list(queue).index(place) == ahead
        assert [p.urgency for p in queue] == sorted(p.urgency for p in queue)
        if serve and (first := queue.first) is not None:
            queue.leave(first, served=True)
            gone.append(first)
    assert len(queue) <= 20
    assert {id(place) for place in joined} == {id(place) for place in [*gone, *queue]}


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60))
def test_while_all_wait_no_shopper_gets_ahead_by_more_than_one(flows: list[str]) -> None:
    """Of shoppers with calls left none is served two turns more than another."""
    queue, left = Shaper(max_waiting=100), {flow: flows.count(flow) for flow in set(flows)}
    for flow in flows:
        join(queue, flow)
    turns = dict.fromkeys(left, 0)
    for flow in served(queue):
        turns[flow] += 1
        left[flow] -= 1
        waiting = [turns[other] for other, count in left.items() if count]
        if waiting:
            assert turns[flow] <= min(waiting) + 1
