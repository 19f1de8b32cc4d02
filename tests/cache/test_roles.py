"""Order-sensitive vetoes: swapped roles and excluding actions speak, rewordings do not."""

from __future__ import annotations

import pytest

from cache.roles import other_action, swapped_roles


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Is there a lamp for this desk?", "Is there a desk for this lamp?"),
        ("Can points be turned into vouchers?", "Can vouchers be turned into points?"),
        ("How long from Lyon to Porto?", "How long from Porto to Lyon?"),
        ("红色换蓝色可以吗", "蓝色换红色可以吗"),
        ("从上海到北京多久", "从北京到上海多久"),
    ],
)
def test_swapped_roles_speak(left: str, right: str) -> None:
    """The same words the other way round are another question."""
    assert swapped_roles(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Do you ship to Norway?", "Is shipping to Norway possible?"),
        ("What does delivery cost?", "How much is delivery?"),
        ("可以换蓝色吗", "蓝色可以换吗"),
        ("多久能到北京", "到北京要多久"),
    ],
)
def test_rewordings_do_not(left: str, right: str) -> None:
    """Another order of the sentence alone is no swap."""
    assert swapped_roles(left, right) is None
    assert other_action(left, right) is None


def test_actions_that_exclude_each_other_speak() -> None:
    """Returning is not exchanging; a text that asks for both is vetoed by neither."""
    assert other_action("How do I return a lamp?", "How do I exchange a lamp?")
    assert other_action("怎么退货", "怎么换货")
    assert other_action("How do I return or exchange a lamp?", "How do I exchange a lamp?") is None
    assert other_action("How do I get a refund?", "How do I return a lamp?") is None
