"""Answer identity: tellings of one answer are recognised, near answers are kept apart."""

from __future__ import annotations

import pytest

from cache.identity import Said, Sameness, compare, said, settle, settled_by
from cache.lexicon import Lexicon

SHORT = "Parcels go out within 2 working days."
LONG = (
    "Thanks for asking! Parcels go out within 2 working days, and you get a mail with the number. "
    "Write to us if it takes longer."
)
OTHER_FIGURE = "Parcels go out within 5 working days."
RETURNS = "Send it back with the label from your account page, unworn and in its box."
RETURNS_TOLD_ANEW = (
    "Unworn and in its box it can be sent back: use the label from your account page."
)


def told(text: str, *articles: str) -> Said:
    return said(text, articles=articles or ("delivery",))


def lexicon(*texts: str) -> Lexicon:
    known = Lexicon()
    for text in texts:
        known.add(told(text).units)
    return known


WORDS = lexicon(
    SHORT, LONG, OTHER_FIGURE, RETURNS, RETURNS_TOLD_ANEW, "Pay by card.", "We ship abroad."
)


def test_a_short_and_a_long_telling_are_the_same() -> None:
    """What the short one says stands in the long one, figures included."""
    assert compare(told(SHORT), told(LONG), lexicon=WORDS).sameness is Sameness.SAME


def test_an_answer_that_says_more_is_not_the_same() -> None:
    """Who asked for the longer one must not get the shorter one unasked: a judge decides."""
    assert compare(told(LONG), told(SHORT), lexicon=WORDS).sameness is not Sameness.SAME


def test_the_order_of_words_does_not_matter() -> None:
    """The same telling in another order is the same."""
    found = compare(told(RETURNS), told(RETURNS_TOLD_ANEW), lexicon=WORDS)
    assert found.sameness in (Sameness.SAME, Sameness.UNSURE)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (told(SHORT), told(OTHER_FIGURE)),
        (told(SHORT, "delivery"), told(SHORT, "express")),
        (told(SHORT), told(RETURNS)),
    ],
)
def test_other_figures_articles_or_words_are_another_answer(new: Said, old: Said) -> None:
    """A different figure, another article or other words: never merged, never asked about."""
    assert compare(new, old, lexicon=WORDS).sameness is Sameness.DIFFERENT


def test_the_best_of_several_is_taken() -> None:
    """Among near answers the one that says the same is found, whatever its place."""
    olds = [(1, told(OTHER_FIGURE)), (2, told(RETURNS)), (3, told(LONG))]
    assert settle(told(SHORT), olds, lexicon=WORDS).same_as == 3


def test_nothing_near_is_a_new_answer() -> None:
    """Without a same one there is none, and nobody is asked about different ones."""
    settled = settle(told(SHORT), [(1, told(OTHER_FIGURE))], lexicon=WORDS)
    assert settled.same_as is None
    assert settled.unsure == ()


FREE_TOO = "Parcels go out within 2 working days, and abroad they travel free above 40 euros."
LABEL_TOO = (
    "Parcels go out within 2 working days. Send it back with the label from your account page."
)


def test_a_telling_that_repeats_one_links_it_with_another() -> None:
    """Answers that were stored apart and that a third one links are for the judge, best first; itself never."""
    olds = [(1, told(FREE_TOO)), (2, told(RETURNS)), (3, told(LABEL_TOO))]
    settled = settle(told(SHORT), olds, lexicon=WORDS)
    linked = {1: 3, 3: 1}
    assert settled.same_as in linked
    assert settled.unsure == (linked[settled.same_as],)


def test_answers_that_contradict_each_other_are_not_linked() -> None:
    """What says less stands in both, but two sums for one thing are not one answer: nobody is asked to merge them."""
    cheap, dear = "Shipping costs 5 euros. ", "Shipping costs 9 euros. "
    olds = [(1, told(cheap + RETURNS)), (2, told(dear + RETURNS))]
    settled = settle(told(RETURNS), olds, lexicon=WORDS)
    assert settled.same_as in (1, 2)
    assert settled.unsure == ()


@pytest.mark.parametrize(
    ("verdicts", "needed", "settled"),
    [
        ([], 2, None),
        ([True], 2, None),
        ([True, True], 2, True),
        ([True, False], 2, None),
        ([False, True, False], 2, False),
        ([False, False], 2, False),
        ([True, True], 3, None),
        ([True, True, True], 3, True),
        ([False], 3, False),
    ],
)
def test_a_judge_is_asked_until_it_is_settled(
    verdicts: list[bool], needed: int, settled: bool | None
) -> None:
    """Two of three by default; when all three must agree, the first "different" ends it."""
    assert settled_by(verdicts, needed=needed) is settled


def test_answers_on_different_articles_are_not_linked() -> None:
    """An edit of one article would not reach the other's wordings."""
    olds = [(1, told(FREE_TOO, "delivery")), (2, told(LABEL_TOO, "returns"))]
    settled = settle(told(SHORT, "delivery", "returns"), olds, lexicon=WORDS)
    assert settled.same_as in (1, 2)
    assert settled.unsure == ()
