"""What a model's calls usually use, learnt from those that told it: for booking the ones that did not. Pure.

A reservation errs on the high side on purpose; a booked estimate should be right on average. So three
ratios of sums are kept, older calls fading: real to estimated input, real to estimated output, and cached
to all input.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.specs import Usage

_FADE = 0.99
_FEWEST = 8


@dataclass(slots=True)
class Habits:
    """The ratios of one model at one endpoint; without enough calls an estimate stays as it is."""

    calls: int = 0
    estimated_input: float = 0.0
    real_input: float = 0.0
    cached_input: float = 0.0
    estimated_output: float = 0.0
    real_output: float = 0.0

    def learn(self, estimate: Usage, *, real: Usage) -> None:
        """Take in a call that told its usage, beside what would have been estimated for it."""
        if estimate.input_tokens <= 0 or real.input_tokens <= 0:
            return
        self.calls += 1
        self.estimated_input = self.estimated_input * _FADE + estimate.input_tokens
        self.real_input = self.real_input * _FADE + real.input_tokens
        self.cached_input = self.cached_input * _FADE + real.cached_input_tokens
        self.estimated_output = self.estimated_output * _FADE + estimate.output_tokens
        self.real_output = self.real_output * _FADE + real.output_tokens

    def likely(self, estimate: Usage) -> Usage:
        """The estimate as this model's calls have turned out; nothing stays nothing."""
        if self.calls < _FEWEST:
            return estimate
        input_tokens = round(estimate.input_tokens * self.real_input / self.estimated_input)
        output_ratio = self.real_output / self.estimated_output if self.estimated_output else 1.0
        return Usage(
            input_tokens,
            round(estimate.output_tokens * output_ratio),
            round(input_tokens * self.cached_input / self.real_input),
        )
