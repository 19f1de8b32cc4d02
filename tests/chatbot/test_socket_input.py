"""Bad input over the socket: an error in the shopper's language, and the socket stays."""

from __future__ import annotations

import json
from typing import Any

from sockets import Socket, new_cookie, opened

from chatbot.models import Frame, Question
from chatbot.phrases import PHRASES
from chatbot.runtime import Runtime

CONTACT = {"en": "help@harbourlane.example", "zh-hans": "help@harbourlane.example"}
EMOJI = "\U0001f600"
STRANGE = [
    EMOJI * 4_000,
    "用什么快递 which courier مرحبا Где שלום \u200b\u202e",
    "退" * 4_000,
    "<script>alert(1)</script> '; DROP TABLE chatbot_question; --",
]


def sent(**fields: Any) -> str:
    """A frame as JSON text."""
    return json.dumps(fields)


BAD: list[tuple[str, str, str | None, str]] = [
    ("", "bad_frame", None, "not_json"),
    ("not json", "bad_frame", None, "not_json"),
    ("[]", "bad_frame", None, "not_json"),
    ("[" * 60_000, "bad_frame", None, "not_json"),
    (sent(type="dance"), "bad_frame", None, "unknown_frame"),
    (sent(type="dance", id="\ud83d"), "bad_frame", None, "unknown_frame"),
    (sent(type="ask", text="hi"), "bad_frame", None, "bad_id"),
    (sent(type="ask", id="b1", text=""), "bad_frame", "b1", "empty"),
    (sent(type="ask", id="b2", text=" \n "), "bad_frame", "b2", "empty"),
    (sent(type="ask", id="b3", text="x" * 4_001), "too_long", "b3", "question_too_long"),
    (sent(type="ask", id="b4", text="a\x00b"), "bad_frame", "b4", "control_characters"),
    (sent(type="ask", id="b5", text="a\ud83d"), "bad_frame", "b5", "control_characters"),
    (sent(type="ask", id="b6", text="x" * 2**20), "too_long", None, "frame_too_long"),
    (sent(type="retry", id="b7", of="never-asked"), "bad_frame", "b7", "unknown_question"),
    (sent(type="stop", id="b8"), "bad_frame", "b8", "unknown_question"),
    (sent(type="feedback", id="b9", value="up"), "bad_frame", "b9", "unknown_question"),
    (sent(type="feedback", id="b10", value="meh"), "bad_frame", "b10", "bad_value"),
    (sent(type="resume", after="x"), "bad_frame", None, "bad_value"),
    (sent(type="history"), "bad_frame", None, "bad_value"),
]


async def send_all_bad(socket: Socket, *, locale: str) -> None:
    """The whole list, one after the other, each with its own answer."""
    for text, code, frame_id, key in BAD:
        await socket.send_text(text)
        frame = await socket.receive()
        assert (frame["type"], frame["code"], frame["id"]) == ("error", code, frame_id), text[:60]
        assert frame["message"] == PHRASES[locale][key]
        assert await socket.settled() == []


async def test_every_bad_input_gets_its_sentence_and_the_socket_stays(runtime: Runtime) -> None:
    """Code, id and a sentence in the language of the cookie; nothing is written."""
    for locale in ("en", "zh-hans"):
        socket = await opened(runtime, cookie=await new_cookie(runtime, locale=locale))
        await send_all_bad(socket, locale=locale)
        await socket.close()
    assert await runtime.reader.run(Question.objects.count) == 0
    assert await runtime.reader.run(Frame.objects.count) == 0


async def test_binary_frame_is_an_error(runtime: Runtime) -> None:
    """Bytes are not understood, and the socket stays."""
    socket = await opened(runtime)
    await socket.wire.send_to(bytes_data=b"\x00\xff")
    assert (await socket.receive())["code"] == "bad_frame"
    assert await socket.settled() == []
    await socket.close()


async def test_five_bad_frames_in_a_row_close_the_socket(runtime: Runtime) -> None:
    """Four and a good one are forgiven; five in a row end with 1008, after the fifth error."""
    socket = await opened(runtime)
    for _ in range(4):
        await socket.send_text("bad")
    assert [frame["code"] for frame in await socket.settled()] == ["bad_frame"] * 4
    for _ in range(5):
        await socket.send_text("bad")
    assert [(await socket.receive())["code"] for _ in range(5)] == ["bad_frame"] * 5
    assert await socket.close_code() == 1008
    await socket.close()


async def test_what_is_not_built_says_so_with_the_contact(runtime: Runtime) -> None:
    """Frames of the contract that this version lacks: `not_available`, and whom to write to."""
    for locale, contact in CONTACT.items():
        socket = await opened(runtime, cookie=await new_cookie(runtime, locale=locale))
        answers = []
        for number, name in enumerate(("human", "identify", "contact", "rate")):
            await socket.send(name, id=f"n{number}")
            answers.append(await socket.receive())
        assert [(frame["code"], frame["id"]) for frame in answers] == [
            ("not_available", f"n{number}") for number in range(4)
        ]
        assert all(contact in frame["message"] for frame in answers)
        await socket.close()


async def test_strange_but_valid_questions_are_answered(runtime: Runtime) -> None:
    """Four thousand emoji or Han characters, mixed scripts and markup all end in an answer."""
    socket = await opened(runtime)
    for text in STRANGE:
        frames = await socket.ask(text)
        assert (frames[0]["type"], frames[0]["text"]) == ("accepted", text.strip())
        assert frames[-1]["type"] == "answer", text[:40]
    await socket.close()


async def test_question_too_large_for_a_model_gets_the_article(runtime: Runtime) -> None:
    """Four thousand characters that no prompt can take are still no failure of ours."""
    socket = await opened(runtime)
    frames = await socket.ask("Which courier do you use? " + EMOJI * 3_900)
    assert (frames[-1]["type"], frames[-1].get("origin")) == ("answer", "article")
    await socket.close()


async def test_same_id_twice_and_with_other_words(runtime: Runtime) -> None:
    """Again: the same two frames, nothing new. With other words: a conflict, and the first stays."""
    socket = await opened(runtime)
    first = await socket.ask("hello", frame_id="q1")
    again = await socket.ask("hello", frame_id="q1")
    other = await socket.ask("thanks", frame_id="q1")
    assert again == [frame for frame in first if "seq" in frame]
    assert (other[-1]["code"], other[-1]["id"]) == ("conflict", "q1")
    assert await runtime.reader.run(Question.objects.count) == 1
    await socket.close()
