"""What follows from each failure: which calls a vendor sees next, over real connections.

Every row of the table is played by each of the three protocols, to a model that is alone, to one
with another behind it, and to one whose breaker opens at the first failure.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from routing.breaker import Policy, State
from routing.client import DEFAULT_TIMEOUTS, Timeouts
from routing.dispatch import Answered
from routing.errors import Exhausted, Kind
from routing.models import Call
from routing.specs import FinishReason
from tests.routing.decision_bodies import CHAT, GEMINI, INVALID, MESSAGES, TOO_LONG
from tests.routing.decision_rows import ROWS, Row
from tests.routing.helpers import chat_chunk, sse
from tests.routing.scripted import (
    KIND_OF,
    refusing,
    streaming,
)
from tests.routing.stage import Stage
from tests.routing.world import calls

# Only rows that take a timeout are impatient, and least of all where another vendor must answer.
IMPATIENT = Timeouts(first_content_s=0.4, idle_s=0.4)
LESS_SO = Timeouts(first_content_s=1.5, idle_s=1.5)
CONNECTING = Timeouts(connect_s=0.5)
OTHERS = {"openai": "anthropic", "anthropic": "gemini", "gemini": "openai"}
FIRST_FAILURE = Policy(min_calls=1)


async def _check(
    stage: Stage, vendor: str, row: Row, caplog: pytest.LogCaptureFixture, *, is_seen: bool = True
) -> None:
    """Play a row in all three situations. `is_seen`: the vendor can see the calls."""
    usual = DEFAULT_TIMEOUTS if is_seen else CONNECTING
    caplog.set_level(logging.WARNING, logger="routing.walk")
    spec, other = stage.model(vendor), stage.model(OTHERS[vendor])
    own_calls = 2 if "R" in row.marks else 1
    impatient = IMPATIENT if row.is_silent else usual

    stage.renew(timeouts=impatient)
    assert isinstance(await stage.outcome(spec), Exhausted)
    rows = await calls()
    assert [call.failure for call in rows] == [row.kind.value] * own_calls
    outcome = Call.UNKNOWN if "$" in row.marks else Call.FAILED
    assert {call.outcome for call in rows} == {Call.COMPLETED if "c" in row.marks else outcome}
    if is_seen:
        assert stage.script.called() == [vendor] * own_calls
    if is_seen and own_calls == 2:
        pause_s = stage.script.calls[1][1] - stage.script.calls[0][1]
        assert row.pause_s[0] <= pause_s <= row.pause_s[1]
    assert (stage.gate.states()[0].state is State.PARKED) is ("P" in row.marks)
    levels = {r.levelname for r in caplog.records if r.name == "routing.walk"}
    assert ("ERROR" in levels) is ("A" in row.marks)

    stage.renew(timeouts=LESS_SO if row.is_silent else usual)
    result = await stage.outcome(spec, other)
    assert isinstance(result, Answered) is ("F" in row.marks)
    assert stage.script.called().count(OTHERS[vendor]) == ("F" in row.marks)
    if isinstance(result, Answered):
        assert stage.shown == result.reply.text == "All is well."

    stage.renew(FIRST_FAILURE, timeouts=impatient)
    await stage.outcome(spec)
    opened = {State.OPEN: True, State.CLOSED: False, State.PARKED: False}
    assert opened[stage.gate.states()[0].state] is ("B" in row.marks)


@pytest.mark.parametrize("vendor", KIND_OF)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_a_row_of_the_table_is_followed(
    row: Row, vendor: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Repetition, next model, breaker, parking, booking and alarm are what the row says."""
    stage.script.plays[vendor] = row.play(KIND_OF[vendor])
    await _check(stage, vendor, row, caplog)


@contextmanager
def _nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def _full() -> Iterator[str]:
    """An address whose queue of connections is full, so that connecting takes for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def _unknown() -> Iterator[str]:
    """A name that by agreement leads nowhere."""
    yield "https://nowhere.invalid"


@pytest.mark.parametrize("vendor", KIND_OF)
@pytest.mark.parametrize("place", ["nobody listens", "no such name", "full queue", "no TLS"])
async def test_without_a_connection_nothing_was_sent(
    place: str, vendor: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever keeps a connection from being made, it is tried twice, passed on, and costs nothing."""
    row = Row(place, Kind.CONNECT, "R F B", lambda kind: refusing(200))
    places = {"nobody listens": _nobody, "no such name": _unknown, "full queue": _full}
    with ExitStack() as stack:
        if place == "no TLS":
            address = stage.script.url.replace("http:", "https:")
        else:
            address = stack.enter_context(places[place]())
        stage.script.bases[vendor] = address
        await _check(stage, vendor, row, caplog, is_seen=False)
        assert vendor not in stage.script.called()


@pytest.mark.parametrize("vendor", KIND_OF)
async def test_what_is_too_long_goes_to_a_wider_window_only(vendor: str, stage: Stage) -> None:
    """Of the models behind, those with the same window are left out, with the reason."""
    stage.script.plays[vendor] = TOO_LONG(KIND_OF[vendor])
    narrow, third = OTHERS[vendor], OTHERS[OTHERS[vendor]]
    wide = replace(stage.model(third), context_tokens=1_000_000)
    result = await stage.outcome(stage.model(vendor), stage.model(narrow), wide)
    assert isinstance(result, Answered)
    assert stage.script.called() == [vendor, third]
    assert "no wider" in dict(result.attempts)[stage.model(narrow).label]


@pytest.mark.parametrize("vendor", KIND_OF)
async def test_what_two_models_call_invalid_is_our_own_fault(vendor: str, stage: Stage) -> None:
    """A third model is not bothered with a request that two have found wrong."""
    second, third = OTHERS[vendor], OTHERS[OTHERS[vendor]]
    for name in (vendor, second):
        stage.script.plays[name] = INVALID(KIND_OF[name])
    chain = [stage.model(name) for name in (vendor, second, third)]
    assert isinstance(await stage.outcome(*chain), Exhausted)
    assert stage.script.called() == [vendor, second]


WHOLE = {
    CHAT: {"choices": [{"message": {"content": "All is well."}, "finish_reason": "stop"}]},
    MESSAGES: {
        "type": "message",
        "content": [{"type": "text", "text": "All is well."}],
        "stop_reason": "end_turn",
    },
    GEMINI: {
        "candidates": [{"content": {"parts": [{"text": "All is well."}]}, "finishReason": "STOP"}]
    },
}


@pytest.mark.parametrize("vendor", KIND_OF)
async def test_json_instead_of_a_stream_is_an_answer(vendor: str, stage: Stage) -> None:
    """A gateway that ignores the wish for a stream is understood at the first attempt."""
    stage.script.plays[vendor] = refusing(200, WHOLE[KIND_OF[vendor]])
    result = await stage.outcome(stage.model(vendor))
    assert isinstance(result, Answered)
    assert (stage.shown, stage.script.called()) == ("All is well.", [vendor])


FILTERED = {
    CHAT: sse(chat_chunk("", finish="content_filter")),
    MESSAGES: sse({"type": "message_delta", "delta": {"stop_reason": "refusal"}}),
    GEMINI: sse({"promptFeedback": {"blockReason": "SAFETY"}}),
}


@pytest.mark.parametrize("vendor", KIND_OF)
async def test_a_filtered_answer_is_no_failure(vendor: str, stage: Stage) -> None:
    """A refusal by finish reason is the end of the matter: no other model, no harm to the breaker."""
    stage.script.plays[vendor] = streaming(FILTERED[KIND_OF[vendor]])
    stage.renew(FIRST_FAILURE, timeouts=DEFAULT_TIMEOUTS)
    result = await stage.outcome(stage.model(vendor), stage.model(OTHERS[vendor]))
    assert isinstance(result, Answered)
    assert result.reply.finish_reason in (FinishReason.FILTER, FinishReason.REFUSAL)
    assert stage.script.called() == [vendor]
    assert stage.gate.states()[0].state is State.CLOSED


@pytest.mark.parametrize("vendor", KIND_OF)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int, vendor: str, stage: Stage) -> None:
    """The key goes to the address that was checked and to no other."""
    target = f"{stage.script.url}/elsewhere/"
    stage.script.plays[vendor] = refusing(status, b"", {"location": target})
    assert isinstance(await stage.outcome(stage.model(vendor)), Exhausted)
    assert stage.script.called() == [vendor]
