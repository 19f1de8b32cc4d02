"""Different figures for the same thing: sentences speak against each other only where they are about one matter."""

from __future__ import annotations

import pytest

from cache.statements import contradict

LEAVES = "Parcels leave within {} working days."
FREE = "Shipping is free above {} euros."


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LEAVES.format(2), LEAVES.format(5)),
        (
            f"Hello! {LEAVES.format('two')} {FREE.format(40)}",
            f"{FREE.format(40)} {LEAVES.format(3)}",
        ),
        ("下单后2天内发货。", "下单后5天内发货。"),
    ],
)
def test_other_figures_for_one_thing_contradict(left: str, right: str) -> None:
    """In either order."""
    assert contradict(left, right)
    assert contradict(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LEAVES.format(2), LEAVES.format("two")),
        (LEAVES.format(2), FREE.format(40)),
        (LEAVES.format(2), f"{LEAVES.format(2)} Abroad they leave within 5 working days, too."),
        (LEAVES.format(2), f"{LEAVES.format(2)} {LEAVES.format(5)}"),
        (LEAVES.format(2), "Parcels leave soon."),
        ("", LEAVES.format(2)),
    ],
)
def test_figures_for_other_things_do_not(left: str, right: str) -> None:
    """Nor do those that the other text states as well."""
    assert not contradict(left, right)
    assert not contradict(right, left)
