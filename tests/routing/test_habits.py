"""Claims about estimates that are booked: right on average once a model's calls are known."""

from __future__ import annotations

import random

from routing.habits import Habits
from routing.specs import Usage


def test_an_unknown_model_is_estimated_as_it_stands() -> None:
    """Seven calls are too few to correct anything."""
    habits = Habits()
    for _ in range(7):
        habits.learn(Usage(100, 50), real=Usage(50, 50))
    assert habits.likely(Usage(100, 50)) == Usage(100, 50)


def test_sums_come_out_right() -> None:
    """Over many calls of changing size the corrected estimates add up to the truth within 2 %."""
    draw = random.Random(7).uniform
    habits = Habits()
    booked = real_sum = 0
    for number in range(400):
        size, answer = draw(200, 2_000), draw(20, 300)
        estimate = Usage(round(size * 1.3), round(answer * 1.15))
        real = Usage(round(size), round(answer), round(size * 0.4))
        if number >= 200:
            likely = habits.likely(estimate)
            booked += likely.input_tokens + likely.output_tokens + likely.cached_input_tokens
            real_sum += real.input_tokens + real.output_tokens + real.cached_input_tokens
        habits.learn(estimate, real=real)
    assert abs(booked / real_sum - 1) < 0.02


def test_nothing_stays_nothing() -> None:
    """A call that was never sent is estimated at nothing; figures of zero teach nothing."""
    habits = Habits()
    for _ in range(20):
        habits.learn(Usage(0, 0), real=Usage(10, 10))
        habits.learn(Usage(10, 0), real=Usage(10, 0))
    assert habits.likely(Usage(0, 0)) == Usage(0, 0)
    assert habits.likely(Usage(10, 5)) == Usage(10, 5)
