"""Claims about faults: each one does what its name says, when and where it was ordered."""

from __future__ import annotations

import json
import re
import urllib.request
from http.client import IncompleteRead

import pytest

from simulator.catalog import VENDORS
from simulator.clock import ManualClock
from simulator.config import Config
from simulator.direct import Answer, order, vendor_request
from simulator.running import RunningSimulator
from simulator.server import App, create_app
from simulator.wire import ConnectionCut
from tests.simulator.vendors import QUESTION, ask_vendor, is_finished, last_row

STATUSES = [
    "429",
    "400",
    "402",
    "403",
    "404",
    "408",
    "409",
    "413",
    "422",
    "500",
    "503",
    "504",
    "529",
]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("name", "status"),
    [(name, int(name)) for name in STATUSES],
    ids=lambda value: str(value),
)
def test_a_status_fault_answers_with_its_status_as_json(
    name: str, status: int, vendor: str, app: App
) -> None:
    """A refusing fault sends its status with the vendor's error object and costs nothing."""
    order(app, name)
    answer = ask_vendor(app, vendor)
    assert answer.status == status and "error" in answer.json()
    assert (last_row(app)["http_status"], last_row(app)["cost_nano"]) == (status, 0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_key_fault_looks_like_a_bad_key(vendor: str, app: App) -> None:
    """The fault 401 answers just as a key that starts with bad does."""
    refused = ask_vendor(app, vendor, key="bad-key")
    order(app, "401")
    assert ask_vendor(app, vendor).status == refused.status == (400 if vendor == "gemini" else 401)


@pytest.mark.parametrize(("name", "status"), [("500_html", 500), ("502_html", 502)])
def test_a_proxy_error_is_html(name: str, status: int, app: App) -> None:
    """The html faults send a page and no JSON."""
    order(app, name)
    answer = ask_vendor(app, "openai")
    assert answer.status == status and answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<html>")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_truncated_stream_ends_cleanly_without_a_finish(
    vendor: str, app: App, system: str
) -> None:
    """The body ends as if all were well, but no finish reason was sent; it is billed as aborted."""
    order(app, "truncate")
    answer = ask_vendor(app, vendor, system=system, stream=True)
    assert answer.ended and not is_finished(answer.body)
    row = last_row(app)
    assert row["status"] == "aborted" and row["input_tokens"] and row["output_tokens"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_error_in_mid_stream_is_told_inside_the_stream(
    vendor: str, app: App, system: str
) -> None:
    """After some text an error object comes and the stream ends without a finish."""
    order(app, "error_mid_stream", options={"after_pieces": 2})
    answer = ask_vendor(app, vendor, system=system, stream=True)
    assert answer.status == 200 and b'"error":{' in answer.blocks[-2]
    assert answer.ended and not is_finished(answer.body)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_invented_figure_is_in_no_article(vendor: str, app: App, system: str) -> None:
    """With `invents` the answer states exactly one figure the prompt does not have."""
    order(app, "invents")
    text = _text(vendor, ask_vendor(app, vendor, system=system))
    figures = set(re.findall(r"\d+(?:\.\d+)?", text))
    assert len([f for f in figures if f not in system]) == 1


def _text(vendor: str, answer: Answer) -> str:
    body = answer.json()
    if vendor == "anthropic":
        return str(body["content"][0]["text"])
    if vendor == "gemini":
        return str(body["candidates"][0]["content"]["parts"][0]["text"])
    return str(body["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("question", "start"),
    [(QUESTION, "[[none]] I am sorry"), ("退款要多久？", "[[none]] 很抱歉")],
    ids=["en", "zh"],
)
def test_a_model_that_does_not_know_says_so(
    question: str, start: str, app: App, system: str
) -> None:
    """`does_not_know` answers none and an apology although the articles are there."""
    order(app, "does_not_know")
    answer = ask_vendor(app, "openai", question=question, system=system)
    assert _text("openai", answer).startswith(start)


@pytest.mark.parametrize(
    ("vendor", "finish"),
    [
        ("openai", b'"finish_reason":"length"'),
        ("anthropic", b'"stop_reason":"max_tokens"'),
        ("gemini", b'"finishReason":"MAX_TOKENS"'),
    ],
    ids=["openai", "anthropic", "gemini"],
)
def test_a_length_stop_cuts_the_answer(vendor: str, finish: bytes, app: App, system: str) -> None:
    """`length` gives a shorter answer with the vendor's name for it."""
    order(app, "length")
    assert finish in ask_vendor(app, vendor, system=system).body


@pytest.mark.parametrize(
    ("vendor", "mark"),
    [
        ("openai", b'"content":null,"refusal":"I am sorry'),
        ("deepseek", b'"finish_reason":"content_filter"'),
        ("anthropic", b'"stop_reason":"refusal"'),
        ("gemini", b'"finishReason":"SAFETY"'),
    ],
    ids=["openai", "deepseek", "anthropic", "gemini"],
)
def test_a_refusal_is_told_in_the_vendors_way(vendor: str, mark: bytes, app: App) -> None:
    """`refusal` is a completed answer that declines."""
    order(app, "refusal")
    assert mark in ask_vendor(app, vendor).body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_usage_can_be_missing(vendor: str, stream: bool, app: App, system: str) -> None:
    """`no_usage` sends no token figures but they are billed."""
    order(app, "no_usage")
    body = ask_vendor(app, vendor, system=system, stream=stream).body
    assert not re.search(rb'"[a-zA-Z_]*(?:tokens|TokenCount)":', body)
    assert last_row(app)["status"] == "completed" and last_row(app)["cost_nano"] > 0


def test_hang_sends_nothing_until_the_client_leaves(app: App) -> None:
    """A hanging request gets no headers; when the client goes, its row is closed as aborted."""
    order(app, "hang")
    answer = ask_vendor(app, "openai", leave_after=0)
    assert (answer.status, answer.blocks) == (0, [])
    assert (last_row(app)["status"], app.simulator.in_flight) == ("aborted", 0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_stalled_stream_gives_signs_of_life_but_no_text(
    vendor: str, app: App, system: str
) -> None:
    """After its last piece a stalled stream only keeps the connection alive until the end."""
    order(app, "stall", options={"after_pieces": 2, "every_s": 15})
    answer = ask_vendor(app, vendor, system=system, stream=True, leave_after=20)
    assert len(set(answer.blocks[-12:])) == 1 and not answer.ended
    assert (last_row(app)["status"], app.simulator.in_flight) == ("aborted", 0)


def test_a_silent_stall_sends_nothing_more(app: App, system: str) -> None:
    """Without signs of life the stream just stops; what was sent before is billed."""
    order(app, "stall", options={"after_pieces": 2})
    answer = ask_vendor(app, "openai", system=system, stream=True, leave_after=3)
    assert len(answer.blocks) == 3 and last_row(app)["output_tokens"] > 0


def test_slow_stretches_every_wait(system: str) -> None:
    """`slow` multiplies the time to the first text and between pieces."""
    waited_s = []
    for orders in ([], [{"factor": 4}]):
        clock = ManualClock()
        app = create_app(Config(first_ms=100, chunk_ms=10), clock)
        for options in orders:
            order(app, "slow", options=options)
        ask_vendor(app, "openai", system=system, stream=True)
        waited_s.append(clock.slept_s)
    assert waited_s[1] == pytest.approx(4 * waited_s[0])


def test_json_can_answer_a_stream_request(app: App, system: str) -> None:
    """`json_to_stream` sends one JSON object with a finish reason."""
    order(app, "json_to_stream")
    answer = ask_vendor(app, "openai", system=system, stream=True)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_bad_json_cannot_be_parsed(stream: bool, app: App, system: str) -> None:
    """`bad_json` breaks the JSON under a status of 200."""
    order(app, "bad_json")
    answer = ask_vendor(app, "openai", system=system, stream=stream)
    text = [b for b in answer.blocks if b"content" in b][-1].removeprefix(b"data: ")
    assert answer.status == 200
    with pytest.raises(ValueError, match="."):
        json.loads(text)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_cut_drops_the_connection(stream: bool, app: App, system: str) -> None:
    """`cut` leaves the body open and tells the server to drop the connection."""
    order(app, "cut")
    with pytest.raises(ConnectionCut):
        ask_vendor(app, "openai", system=system, stream=stream)
    assert last_row(app)["status"] == "aborted"


def test_a_cut_reaches_a_client_as_a_broken_body(vendor: RunningSimulator, system: str) -> None:
    """Over a socket the client sees that the body is incomplete."""
    vendor.fault("cut")
    path, body, headers = vendor_request("openai", model="gpt-4.1", question=QUESTION)
    data = json.dumps(body).encode()
    request = urllib.request.Request(vendor.url + path, data=data, headers=headers)
    with urllib.request.urlopen(request) as answer, pytest.raises(IncompleteRead):
        answer.read()


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_empty_answer_is_complete_but_says_nothing(vendor: str, app: App, system: str) -> None:
    """`empty` ends with a finish reason, without text and without output tokens."""
    order(app, "empty")
    answer = ask_vendor(app, vendor, system=system)
    assert is_finished(answer.body)
    assert (last_row(app)["status"], last_row(app)["output_tokens"]) == ("completed", 0)
