"""The classifier: rules first, then the nearest examples; abstaining; what is known before the cache."""

from __future__ import annotations

import pytest

from routing.classifier import NOT_YET
from routing.evaluating import Labelled, evaluate
from routing.rules import NO_ACTIONS, Actions, CacheUse
from routing.specs import Tier
from tests.routing.deciding import a_classifier, a_rule, a_situation, an_example, unit

TRACK = an_example("where is my parcel", Tier.REGULAR, vector=unit(1, 0, 0))
COURIER = an_example("which courier do you use", Tier.FAQ, vector=unit(0, 1, 0))
BROKEN = an_example("it arrived broken", Tier.COMPLEX, vector=unit(0, 0, 1))
EXAMPLES = (TRACK, COURIER, BROKEN)


def test_first_matching_rule_decides_and_says_so() -> None:
    """Of two rules that match the earlier one decides, with its position, name and phrase in the reason."""
    rules = (a_rule(20, any_of=("parcel",)), a_rule(10, any_of=("my parcel",), tier=Tier.HIGH))
    decided = a_classifier(*rules, examples=EXAMPLES).decide(a_situation())

    assert (decided.tier, decided.reason) == (Tier.HIGH, 'rule 10 "r10" matched "my parcel"')


def test_rule_without_tier_leaves_the_tier_to_examples() -> None:
    """Its actions hold all the same, and the reason names both."""
    rule = a_rule(any_of=("parcel",), tier=None, actions=Actions(max_tokens=50))
    decided = a_classifier(rule, examples=EXAMPLES).decide(a_situation())

    assert (decided.tier, decided.actions.max_tokens) == (Tier.REGULAR, 50)
    assert decided.reason.startswith('rule 1 "r1" matched "parcel"; like "where is my parcel"')


def test_nearest_example_decides_with_its_score() -> None:
    """The matched example, its score and its share of the vote are told."""
    decided = a_classifier(examples=EXAMPLES).decide(
        a_situation("the courier?", vector=unit(0.1, 1, 0))
    )

    assert (decided.tier, decided.example) == (Tier.FAQ, COURIER.text)
    assert decided.score is not None
    assert f"score {decided.score:.2f}" in decided.reason
    assert not decided.abstained


@pytest.mark.parametrize(
    ("vector", "guess", "tier"),
    [((0.1, 1, 0), Tier.FAQ, Tier.REGULAR), ((0, 0.1, 1), Tier.COMPLEX, Tier.COMPLEX)],
    ids=["simple", "hard"],
)
def test_abstaining_never_counts_as_simple(
    vector: tuple[float, float, float], guess: Tier, tier: Tier
) -> None:
    """Under the floor the guess is kept if it is harder than REGULAR, else REGULAR."""
    decided = a_classifier(examples=EXAMPLES, min_cosine=0.99).decide(
        a_situation("quite other words", vector=unit(*vector))
    )

    assert (decided.abstained, decided.guess, decided.tier) == (True, guess, tier)
    assert decided.reason.startswith("abstained: like ")


def test_a_split_vote_abstains() -> None:
    """Two equally near examples of two tiers share the vote: neither is sure."""
    twins = (an_example("a b", Tier.FAQ), an_example("a c", Tier.COMPLEX))
    decided = a_classifier(examples=twins, min_overlap=0.4).decide(a_situation("a"))

    assert decided.abstained


def test_a_language_without_vectors_is_compared_by_words() -> None:
    """Chinese examples vote on Chinese questions when no model knows the words."""
    examples = (
        *EXAMPLES,
        an_example("发什么快递", Tier.FAQ, language="zh-hans"),
        an_example("快递坏了怎么赔", Tier.COMPLEX, language="zh-hans"),
    )
    decided = a_classifier(examples=examples).decide(
        a_situation("你们发什么快递呀", language="zh-hans")
    )

    assert (decided.tier, decided.example) == (Tier.FAQ, "发什么快递")


def test_no_examples_abstains() -> None:
    """An empty set gives REGULAR and says why."""
    decided = a_classifier().decide(a_situation())

    assert (decided.tier, decided.abstained) == (Tier.REGULAR, True)


def test_near_text_matches_by_meaning_or_words() -> None:
    """A rule's own example is compared by vectors, and by words where there is none."""
    rule = a_rule(near_text="cancel my order", min_cosine=0.6)
    deciding = a_classifier(rule, near={"cancel my order": unit(1, 0, 0)}, examples=EXAMPLES)
    by_meaning = deciding.decide(a_situation("stop it", vector=unit(1, 0.1, 0)))
    by_words = deciding.decide(a_situation("please cancel my order"))
    neither = deciding.decide(a_situation("something else", vector=unit(0, 1, 0)))

    assert [d.rule for d in (by_meaning, by_words, neither)] == [rule, rule, None]


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        ((a_rule(any_of=("parcel",), actions=Actions(cache=CacheUse.NO_READ)),), "rule"),
        ((a_rule(any_of=("other",)), a_rule(2, topics=("a",))), "nothing"),
        (
            (
                a_rule(1, topics=("a",)),
                a_rule(2, any_of=("parcel",), actions=Actions(to_person=True)),
            ),
            "not yet",
        ),
        (
            (a_rule(1, any_of=("parcel",)), a_rule(2, near_text="x", actions=Actions(article="k"))),
            "nothing",
        ),
    ],
    ids=["plain rule", "late rules do not matter", "hangs on a topic", "an earlier rule matches"],
)
def test_what_is_known_before_the_cache(rules: tuple[object, ...], known: str) -> None:
    """Only what may change the reading of the cache makes a question wait for its vector."""
    early = a_classifier(*rules).before_cache(a_situation())  # type: ignore[arg-type]

    expected = {"rule": Actions(cache=CacheUse.NO_READ), "nothing": NO_ACTIONS, "not yet": NOT_YET}
    assert early == expected[known]


def test_evaluation_counts_what_it_says() -> None:
    """On separable questions examples are right and unseen intents are all caught; keyword rules are counted apart."""
    words = {Tier.FAQ: "courier price", Tier.REGULAR: "track cancel", Tier.COMPLEX: "broken refund"}
    known = [
        Labelled(f"{word} {word}{chr(97 + number) * 3}", "en", tier, "s", word, None)
        for tier, pair in words.items()
        for word in pair.split()
        for number in range(10)
    ]
    rules = [a_rule(any_of=("broken",), tier=Tier.COMPLEX)]
    found = {
        (row["method"], row.get("examples_per_tier")): row
        for row in evaluate(known, held_out=[], rules=rules, seed=1)
    }

    assert found["keyword rules", 0]["accuracy"] == 0.5  # a third is REGULAR, a sixth is broken
    assert found["examples", "all"]["accuracy_without_abstaining"] == 1.0
    assert found["unseen intents", None]["errors_caught_share"] == 1.0
