"""Frames from the browser: anything that arrives is a frame or a BadFrame, never another failure."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot import frames
from chatbot.frames import (
    Ask,
    BadFrame,
    Choose,
    ErrorCode,
    Feedback,
    History,
    NotBuilt,
    Resume,
    Stop,
    encode,
    error,
    parse,
)
from chatbot.phrases import PHRASES

EMOJI = "\U0001f600"
LONE = "\ud83d"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=10,
)
ALMOST_FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from(frames.CLIENT_FRAMES) | JSON_VALUES},
    optional={
        name: JSON_VALUES | st.text(st.characters(), max_size=80)
        for name in ("id", "text", "locale", "of", "value", "reason", "after", "before")
    },
)


def sent(**fields: Any) -> str:
    """A frame as JSON text, everything beyond ASCII escaped."""
    return json.dumps(fields)


def check_one(text: str) -> None:
    """The claim about every input: a frame, or a BadFrame that can be told to the shopper."""
    frame, bad = None, None
    try:
        frame = parse(text)
    except BadFrame as unusable:
        bad = unusable
    if bad is None:
        assert isinstance(frame, frames.ClientFrame)
        assert repr(frame).encode()
    else:
        assert bad.code in get_args(ErrorCode)
        assert all(bad.text_key in phrases for phrases in PHRASES.values())
        assert encode(error(bad.code, "message", frame_id=bad.frame_id)).encode()


@given(st.text(st.characters()))
def test_any_text_is_a_frame_or_a_bad_frame(text: str) -> None:
    """Any text at all, lone surrogates included."""
    check_one(text)


@given(st.binary())
def test_any_bytes_as_text_are_a_frame_or_a_bad_frame(data: bytes) -> None:
    """Whatever bytes a client makes of its text."""
    check_one(data.decode("utf-8", "surrogateescape"))


@settings(max_examples=400)
@given(JSON_VALUES | ALMOST_FRAMES)
def test_any_json_is_a_frame_or_a_bad_frame(value: Any) -> None:
    """Valid JSON of any shape, and known frames with any values in their fields."""
    check_one(json.dumps(value))


@given(st.text(st.characters(), min_size=1, max_size=200))
def test_accepted_question_can_be_stored_and_sent(text: str) -> None:
    """A question that is taken is UTF-8, without control characters, and not blank."""
    try:
        frame = parse(sent(type="ask", id="q", text=text))
    except BadFrame:
        return
    assert isinstance(frame, Ask)
    assert frame.text == text.strip() != ""
    assert json.loads(encode({"text": frame.text}).encode()) == {"text": frame.text}


BAD: dict[str, tuple[str, str, str]] = {
    "nothing": ("", "bad_frame", "not_json"),
    "not-json": ("hello", "bad_frame", "not_json"),
    "half-json": ('{"type": "ask"', "bad_frame", "not_json"),
    "array": ("[1, 2]", "bad_frame", "not_json"),
    "number": ("7", "bad_frame", "not_json"),
    "null": ("null", "bad_frame", "not_json"),
    "deep": ("[" * 60_000, "bad_frame", "not_json"),
    "endless-number": ("1" * 60_000, "bad_frame", "not_json"),
    "no-type": ("{}", "bad_frame", "unknown_frame"),
    "unknown-type": (sent(type="dance"), "bad_frame", "unknown_frame"),
    "type-is-a-list": (sent(type=["ask"]), "bad_frame", "unknown_frame"),
    "no-id": (sent(type="ask", text="hi"), "bad_frame", "bad_id"),
    "empty-id": (sent(type="ask", id="", text="hi"), "bad_frame", "bad_id"),
    "long-id": (sent(type="ask", id="i" * 65, text="hi"), "bad_frame", "bad_id"),
    "number-id": (sent(type="ask", id=7, text="hi"), "bad_frame", "bad_id"),
    "control-id": (sent(type="ask", id="a\nb", text="hi"), "bad_frame", "bad_id"),
    "surrogate-id": (sent(type="ask", id=LONE, text="hi"), "bad_frame", "bad_id"),
    "no-text": (sent(type="ask", id="q"), "bad_frame", "empty"),
    "empty": (sent(type="ask", id="q", text=""), "bad_frame", "empty"),
    "blank": (sent(type="ask", id="q", text=" \n\t\u3000"), "bad_frame", "empty"),
    "text-is-a-list": (sent(type="ask", id="q", text=["hi"]), "bad_frame", "empty"),
    "4001": (sent(type="ask", id="q", text="x" * 4_001), "too_long", "question_too_long"),
    "4001-han": (sent(type="ask", id="q", text="退" * 4_001), "too_long", "question_too_long"),
    "nul": (sent(type="ask", id="q", text="a\x00b"), "bad_frame", "control_characters"),
    "escape": (sent(type="ask", id="q", text="\x1b[31m"), "bad_frame", "control_characters"),
    "lone-surrogate": (sent(type="ask", id="q", text=LONE), "bad_frame", "control_characters"),
    "1-MB": (sent(type="ask", id="q", text="x" * 2**20), "too_long", "frame_too_long"),
    "64-KB-in-bytes": ("退" * 22_000, "too_long", "frame_too_long"),
    "retry-of-nothing": (sent(type="retry", id="q"), "bad_frame", "bad_id"),
    "thumb-sideways": (sent(type="feedback", id="q", value="side"), "bad_frame", "bad_value"),
    "reason-is-a-list": (
        sent(type="feedback", id="q", value="up", reason=["x"]),
        "bad_frame",
        "bad_value",
    ),
    "reason-with-nul": (
        sent(type="feedback", id="q", value="up", reason="a\x00"),
        "bad_frame",
        "control_characters",
    ),
    "reason-not-unicode": (
        sent(type="feedback", id="q", value="up", reason=LONE),
        "bad_frame",
        "control_characters",
    ),
    "after-is-text": (sent(type="resume", after="3"), "bad_frame", "bad_value"),
    "after-is-true": (sent(type="resume", after=True), "bad_frame", "bad_value"),
    "after-below-zero": (sent(type="resume", after=-1), "bad_frame", "bad_value"),
    "after-too-big": (sent(type="resume", after=2**60), "bad_frame", "bad_value"),
    "before-is-broken": (sent(type="history", before=1.5), "bad_frame", "bad_value"),
}


@pytest.mark.parametrize(("text", "code", "text_key"), BAD.values(), ids=BAD)
def test_bad_input(text: str, code: str, text_key: str) -> None:
    """Each bad input has its code and its sentence."""
    with pytest.raises(BadFrame) as bad:
        parse(text)
    assert (bad.value.code, bad.value.text_key) == (code, text_key)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (sent(type="ask", id="q", text=" hi "), Ask("q", "hi", None)),
        (sent(type="ask", id="q", text="hi", locale="zh-hans"), Ask("q", "hi", "zh-hans")),
        (sent(type="ask", id="q", text="hi", locale="fr"), Ask("q", "hi", None)),
        (sent(type="ask", id="q", text="hi", locale={"x": 1}), Ask("q", "hi", None)),
        (sent(type="ask", id="q", text="a\tb\r\nc"), Ask("q", "a\tb\r\nc", None)),
        (sent(type="retry", id="q2", of="q1"), Ask("q2", "", None, retry_of="q1")),
        (sent(type="stop", id="q"), Stop("q")),
        (sent(type="feedback", id="q", value="down"), Feedback("q", "down", "")),
        (sent(type="feedback", id="q", value="up", reason=None), Feedback("q", "up", "")),
        (
            sent(type="feedback", id="q", value="up", reason="r" * 400),
            Feedback("q", "up", "r" * 300),
        ),
        (sent(type="choose", id="q", option=2), Choose("q", 2)),
        (sent(type="choose", id="q", option=None), Choose("q", None)),
        (sent(type="resume", after=0), Resume(0)),
        (sent(type="history", before=12), History(12)),
        (sent(type="human"), NotBuilt("human", None)),
        (sent(type="rate", id="q", stars=5), NotBuilt("rate", "q")),
    ],
)
def test_good_frames(text: str, frame: frames.ClientFrame) -> None:
    """What the contract names is understood; unknown locales fall back to the cookie's."""
    assert parse(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        "x" * 4_000,
        "退" * 4_000,
        EMOJI * 4_000,
        "é" * 4_000,
        "Где мой заказ? 用什么快递 مرحبا which courier שלום",
        "a\u200db\u2028c\ufeff",
        "<script>alert(1)</script> ' OR 1=1; -- {{7*7}} ${x}",
    ],
    ids=["latin", "han", "emoji", "accents", "mixed-scripts", "invisible", "markup"],
)
def test_full_length_in_any_script(text: str) -> None:
    """Four thousand characters fit a frame even when every one is escaped."""
    assert parse(sent(type="ask", id="q", text=text)) == Ask("q", text, None)
    assert parse(json.dumps({"type": "ask", "id": "q", "text": text}, ensure_ascii=False))


def test_bad_frame_names_its_question() -> None:
    """The error goes to the question it belongs to, where the id can be shown."""
    with pytest.raises(BadFrame) as bad:
        parse(sent(type="ask", id="q7", text=""))
    assert bad.value.frame_id == "q7"


@pytest.mark.parametrize("frame_id", [LONE, "a\x00b", "x" * 65, 7, None, ["q"]])
def test_unusable_id_is_not_echoed(frame_id: Any) -> None:
    """What cannot be an id is not sent back as one: the answer must be encodable."""
    with pytest.raises(BadFrame) as bad:
        parse(sent(type="dance", id=frame_id))
    assert bad.value.frame_id is None
