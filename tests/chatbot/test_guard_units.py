"""The guard's parts: identifiers, skeletons, frames, small talk and verdicts."""

from __future__ import annotations

import random

import pytest

from base.text import Language
from chatbot.guard import Guard, Verdict, identifier_marks, small_talk_in
from chatbot.guard_model import GuardModel, LanguageModel, features
from chatbot.guard_skeleton import classed, skeleton
from chatbot.guard_training import digest_of, fill, framed, written


def _model(*, personal: float = 0.0, leaning: float = 0.0) -> GuardModel:
    """A model that knows no feature and always answers with the same two log-odds."""
    fixed = LanguageModel(weights={}, intercepts=(personal, leaning), bound=0.9, digest="")
    return GuardModel({"en": fixed, "zh-hans": fixed})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("call me on 137 0000 1234", "a phone number", id="phone"),
        pytest.param("the card ending in 0912 was used", "card digits", id="card"),
        pytest.param("卡尾号 7741 扣款了", "card digits", id="card-zh"),
        pytest.param("deliver to 18 Old Mill Road", "an address", id="address"),
        pytest.param("寄到滨海市白云路31号", "an address", id="address-zh"),
        pytest.param("My name is Petra Novak", "a name", id="name"),
        pytest.param("我叫林小树，查一下", "a name", id="name-zh"),
        pytest.param("order no. 71-20 please", "an identifier", id="numbered-order"),
        pytest.param("write to petra@post.example", "an identifier", id="mail"),
    ],
)
def test_identifiers_are_named_by_kind(text: str, kind: str) -> None:
    """Each kind of identifier is found and said in words."""
    assert kind in identifier_marks(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Do you answer help@harbourlane.example at night?", id="shop-mail"),
        pytest.param("Can I complain to 12315?", id="hotline"),
        pytest.param("May I order 120 mugs for 2400 yuan?", id="quantities"),
        pytest.param("Is a 20,000 mAh power bank allowed?", id="capacity"),
        pytest.param("寄上海浦东区几天到", id="district"),
        pytest.param("11月3号付款最晚几号发货", id="date"),
    ],
)
def test_public_facts_are_no_identifiers(text: str) -> None:
    """Amounts, dates, districts and the shop's own addresses tie a text to nobody."""
    assert identifier_marks(text) == ()


def test_one_construction_has_one_skeleton() -> None:
    """Two questions that differ only in their subject have equal skeletons."""
    first = skeleton("why was my big parcel returned?", chinese=False)
    assert first == skeleton("why was my coupon rejected?", chinese=False)
    assert first == ["^", "why", "was", "my", "~", "~ed", "^"]


def test_chinese_skeletons_keep_the_longest_grammar_words() -> None:
    """Han runs are cut into grammar words, longest first, and merged placeholders."""
    assert skeleton("我的水壶为什么漏水", chinese=True) == [
        "^",
        "我",
        "的",
        "~",
        "为什么",
        "~",
        "^",
    ]


def test_classes_tell_what_placeholders_do_not() -> None:
    """A known word reads as its class, and of a verb it is kept whether the thing is done."""
    kettle = classed("the lid of my kettle cracked", chinese=False)
    assert kettle == ["^", "the", "<part>", "of", "my", "<good>", "<bad>", "^"]
    assert kettle == classed("the zip of my bag broken", chinese=False)
    assert classed("you shipped", chinese=False)[2] != classed("you ship", chinese=False)[2]
    assert classed("我的外套破", chinese=True) == ["^", "我", "的", "<good>", "<bad>", "^"]


def test_frames_are_filled_from_alternatives_and_slots() -> None:
    """A brace offers alternatives, and the name of a slot stands for its fillings."""
    made = {
        fill("{Can|May} I {act}", {"act": ["pay {sum}"], "sum": ["later"]}, random.Random(seed))
        for seed in range(20)
    }
    assert made == {"Can I pay later", "May I pay later"}


def test_features_of_each_family_have_a_fixed_length() -> None:
    """A longer text does not weigh more than a short one."""
    lengths = [
        sum(value * value for name, value in features(text).items() if name.startswith("s:"))
        for text in ("Where is my parcel?", "Where is my parcel, and why does nobody tell me so?")
    ]
    assert lengths == pytest.approx([lengths[0]] * 2)


def test_either_kind_keeps_a_question_out_of_the_cache() -> None:
    """A question that is surely not general, yet torn between the kinds, is not shared."""
    verdict = Guard(_model(personal=4.0, leaning=4.1)).inspect("any words", language="en")
    assert not verdict.may_share
    assert verdict.leaning and not verdict.personal


def test_an_identifier_overrules_the_model() -> None:
    """A text with a phone number is personal however general its wording is."""
    guard = Guard(_model(personal=-9.0, leaning=-9.0))
    assert "a phone number" in guard.inspect("call 13700001234 please", language="en").personal
    assert guard.inspect("do you ship abroad", language="en").may_share


def test_text_without_words_is_leaning() -> None:
    """Punctuation alone cannot be understood without earlier turns."""
    guard = Guard(_model(personal=-9.0, leaning=-9.0))
    assert guard.inspect("??", language="en").leaning == ("no words",)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("Hello there!", "hello", id="hello"),
        pytest.param("OK, thanks.", "thanks", id="thanks"),
        pytest.param("再见～", "bye", id="bye"),
        pytest.param("hello, do you ship abroad?", None, id="question"),
    ],
)
def test_small_talk_is_the_whole_text(text: str, kind: str | None) -> None:
    """Only a text that is nothing else counts as small talk."""
    assert small_talk_in(text) == kind


@pytest.mark.parametrize(
    ("text", "abusive"),
    [
        pytest.param("you asshole", True, id="insult"),
        pytest.param("滚蛋", True, id="insult-zh"),
        pytest.param("Do you ship to Scunthorpe?", False, id="inside-a-word"),
    ],
)
def test_abuse_is_found_as_words(text: str, *, abusive: bool) -> None:
    """An insult keeps a text out of the cache; letters inside another word do not."""
    assert Guard(_model()).inspect(text, language="en").abusive is abusive


def test_notes_name_every_reason() -> None:
    """The receipt shows each reason with the kind it belongs to."""
    verdict = Verdict(personal=("a name",), leaning=("no words",), abusive=True, small_talk=None)
    assert verdict.notes == ["personal: a name", "leans on earlier turns: no words", "abusive"]


def test_a_changed_training_question_changes_the_digest() -> None:
    """The digest that the stored model carries depends on every question."""
    training = written("en")[:3]
    assert digest_of(training) == digest_of(list(training))
    assert digest_of(training) != digest_of(training[:2])


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_frames_leave_no_brace_unfilled(language: Language) -> None:
    """Every frame expands to text without slots that nobody defined."""
    assert not [row.text for row in framed(language) if "{" in row.text or "}" in row.text]
