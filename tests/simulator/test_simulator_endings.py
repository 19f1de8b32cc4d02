"""Claims about answers that are sent wrongly: slowly, for ever, twice, too large, or not to their end."""

from __future__ import annotations

import gzip
import json
import re
import socket
import zlib
from urllib.parse import urlsplit

import pytest

from simulator.catalog import VENDORS
from simulator.clock import ManualClock
from simulator.config import Config
from simulator.direct import order, vendor_request
from simulator.running import RunningSimulator
from simulator.server import App, create_app
from simulator.tricks import gzip_bomb
from simulator.wire import ConnectionReset
from tests.simulator.vendors import MODELS, QUESTION, ask_vendor, is_finished, last_row

every_vendor = pytest.mark.parametrize("vendor", VENDORS)
streams = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def _send(vendor: RunningSimulator, name: str, *, stream: bool = True) -> socket.socket:
    """A question to a running simulator over a bare socket."""
    path, body, headers = vendor_request(name, model=MODELS[name], question=QUESTION, stream=stream)
    data = json.dumps(body).encode()
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
    head += [f"{key}: {value}" for key, value in headers.items()]
    parts = urlsplit(vendor.url)
    plug = socket.create_connection((parts.hostname, parts.port), timeout=10)
    plug.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
    return plug


def _read_all(plug: socket.socket) -> bytes:
    """Everything until an orderly end; raises ConnectionResetError at an RST."""
    with plug:
        received = b""
        while data := plug.recv(65_536):
            received += data
        return received


every_name = pytest.mark.parametrize("name", VENDORS)


@every_name
@streams
def test_a_reset_half_way_reaches_a_client_as_rst(
    stream: bool, name: str, vendor: RunningSimulator
) -> None:
    """`rst` is a reset of the connection, not an orderly end; what was produced is billed."""
    vendor.fault("rst")
    with pytest.raises(ConnectionResetError):
        _read_all(_send(vendor, name, stream=stream))
    assert vendor.bill()["totals"]["aborted"] == 1


@every_name
def test_a_reset_before_any_byte_reaches_a_client_as_rst(
    name: str, vendor: RunningSimulator
) -> None:
    """`reset` comes after the request was read, so its prompt is billed, and no header is sent."""
    vendor.fault("reset")
    with pytest.raises(ConnectionResetError):
        _read_all(_send(vendor, name))
    (row,) = vendor.bill(rows=True)["requests"]
    assert (row["status"], row["http_status"], row["output_tokens"]) == ("aborted", 0, 0)
    assert row["input_tokens"] > 0


@every_name
@pytest.mark.parametrize(("fault", "ends"), [("truncate", True), ("cut", False)])
def test_a_half_stream_ends_cleanly_or_is_cut(
    fault: str, ends: bool, name: str, vendor: RunningSimulator
) -> None:
    """`truncate` sends the last chunk of the transfer and `cut` does not; neither names a finish."""
    vendor.fault(fault)
    with _send(vendor, name) as plug:
        received = b""
        while not received.endswith(b"\r\n0\r\n\r\n") and (data := plug.recv(65_536)):
            received += data
    assert received.endswith(b"\r\n0\r\n\r\n") == ends and not is_finished(received)


@pytest.mark.parametrize("name", ["rst", "reset"])
def test_without_a_socket_a_reset_is_an_exception(name: str, app: App) -> None:
    """Called directly the application raises what its server would carry out."""
    order(app, name)
    with pytest.raises(ConnectionReset):
        ask_vendor(app, "openai", stream=True)
    assert app.simulator.in_flight == 0


@every_vendor
@streams
def test_keep_alive_gives_only_signs_of_life(stream: bool, vendor: str, app: App) -> None:
    """`keep_alive` sends comments, pings or blank lines for ever, and never text."""
    order(app, "keep_alive", options={"every_s": 2})
    answer = ask_vendor(app, vendor, stream=stream, leave_after=9)
    assert answer.status == 200 and not answer.ended and len(set(answer.blocks)) == 1
    assert b"text_delta" not in answer.body and b'content"' not in answer.body
    assert last_row(app)["output_tokens"] == 0


@every_vendor
@streams
def test_a_hang_after_headers_sends_headers_only(stream: bool, vendor: str, app: App) -> None:
    """`hang_after_headers` has a status and no body until the client leaves."""
    order(app, "hang_after_headers")
    answer = ask_vendor(app, vendor, stream=stream, leave_after=0)
    # a client that is gone before the status may miss it too
    assert (answer.blocks, last_row(app)["status"]) == ([], "aborted")


def test_a_hang_after_headers_shows_its_status_over_a_socket(vendor: RunningSimulator) -> None:
    """Status and headers arrive, then nothing."""
    vendor.fault("hang_after_headers")
    with _send(vendor, "openai") as plug:
        assert plug.recv(65_536).startswith(b"HTTP/1.1 200 ")
        plug.settimeout(0.2)
        with pytest.raises(TimeoutError):
            plug.recv(1)


@every_vendor
@streams
def test_a_slow_loris_sends_byte_by_byte(stream: bool, vendor: str, system: str) -> None:
    """`slow_loris` sends one byte a second, and the same bytes as without it."""
    bodies = []
    for orders in ((), ("slow_loris",)):
        clock = ManualClock()
        app = create_app(Config(), clock)
        for name in orders:
            order(app, name)
        bodies.append(ask_vendor(app, vendor, stream=stream, system=system))
    plain, slow = bodies
    assert {len(block) for block in slow.blocks} <= {0, 1}
    assert len(slow.body) == len(plain.body) and is_finished(slow.body)
    assert clock.slept_s == pytest.approx(len(slow.body) - 1, abs=1)
    assert last_row(app)["status"] == "completed"


def test_a_loris_can_be_less_slow(app: App) -> None:
    """`bytes` is how many bytes come each time."""
    order(app, "slow_loris", options={"bytes": 7, "every_s": 0.1})
    assert {len(block) for block in ask_vendor(app, "openai").blocks[:-2]} == {7}


@every_vendor
@streams
def test_a_wrong_content_type_is_only_that(
    stream: bool, vendor: str, app: App, system: str
) -> None:
    """The body is whole and right under a header that is wrong."""
    order(app, "wrong_content_type", options={"content_type": "text/plain"})
    answer = ask_vendor(app, vendor, stream=stream, system=system)
    assert answer.headers["content-type"] == "text/plain" and is_finished(answer.body)


@every_vendor
def test_json_answers_a_stream_request_on_every_protocol(vendor: str, app: App) -> None:
    """One JSON object with a finish reason, under its own content type."""
    order(app, "json_to_stream")
    answer = ask_vendor(app, vendor, stream=True)
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict) and is_finished(answer.body)


@every_vendor
@streams
def test_bad_json_on_every_protocol(stream: bool, vendor: str, app: App, system: str) -> None:
    """The text of the answer stands in JSON that cannot be parsed."""
    order(app, "bad_json")
    answer = ask_vendor(app, vendor, stream=stream, system=system)
    if not stream:
        with pytest.raises(ValueError, match="."):
            answer.json()
    else:
        assert any(line.startswith(b"data: {{") for line in answer.body.splitlines())


@every_vendor
@pytest.mark.parametrize(("every", "more"), [(1, 1.0), (2, 0.5)])
def test_chunks_come_twice(every: int, more: float, vendor: str, app: App, system: str) -> None:
    """Each, or each second, piece of text is repeated word for word and billed once."""
    plain = ask_vendor(app, vendor, stream=True, system=system, max_tokens=40)
    order(app, "duplicate_chunks", options={"every": every})
    again = ask_vendor(app, vendor, stream=True, system=system, max_tokens=40)
    marks = (b'"delta":{"content":"', b"text_delta", b'"parts"')
    texts = [sum(answer.body.count(mark) for mark in marks) for answer in (plain, again)]
    first = 1 if vendor in ("openai", "deepseek", "holysheep") else 0  # the opening with the role
    pieces = len(
        set(re.findall(rb"^data: .*(?:content\":\"|text_delta|parts).*$", again.body, re.M))
    )
    assert texts[0] > 2
    assert texts[1] - first == pytest.approx((pieces - first) * (1 + more), abs=1)
    assert last_row(app)["output_tokens"] <= 40


@every_vendor
@streams
@pytest.mark.parametrize("factor", [10, 0])
def test_usage_can_lie(factor: float, stream: bool, vendor: str, app: App, system: str) -> None:
    """The figures told are the factor times those billed."""
    order(app, "lying_usage", options={"factor": factor})
    answer = ask_vendor(app, vendor, stream=stream, system=system)
    found = re.findall(rb'"(?:prompt_tokens|input_tokens|promptTokenCount)":(\d+)', answer.body)
    outs = re.findall(
        rb'"(?:completion_tokens|output_tokens|candidatesTokenCount)":(\d+)', answer.body
    )
    row = last_row(app)
    assert int(found[-1]) == row["input_tokens"] * factor
    assert int(outs[-1]) == row["output_tokens"] * factor
    assert row["cost_nano"] > 0


@every_vendor
@streams
def test_a_giant_answer_is_as_long_as_ordered(stream: bool, vendor: str, app: App) -> None:
    """`giant` does not care for max_tokens, and bills what it sends."""
    order(app, "giant", options={"bytes": 300_000})
    answer = ask_vendor(app, vendor, stream=stream, max_tokens=5)
    assert 300_000 <= len(answer.body) < 400_000 and is_finished(answer.body)
    assert last_row(app)["output_tokens"] > 50_000


def test_a_giant_answer_has_ten_megabytes(app: App) -> None:
    """Unless told otherwise it is as large as the largest body a client should refuse."""
    order(app, "giant")
    assert len(ask_vendor(app, "openai", stream=True).body) >= 10_000_000


@every_vendor
@streams
def test_a_gzip_bomb_unpacks_to_the_answer(stream: bool, vendor: str, app: App) -> None:
    """A small valid gzip file unpacks to the size ordered and holds the whole answer."""
    order(app, "gzip_bomb", options={"bytes": 5_000_000})
    answer = ask_vendor(app, vendor, stream=stream)
    unpacked = gzip.decompress(answer.body)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 20_000 < 5_000_000 <= len(unpacked) and is_finished(unpacked)


def test_a_bomb_is_a_thousand_times_smaller_than_it_unpacks_to() -> None:
    """A hundred megabytes fit in about a tenth of one, in one member that clients read whole."""
    packed = gzip_bomb(b"{}", size_bytes=100_000_000)
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    unpacked = sum(
        len(unpacker.decompress(packed[i : i + 4096])) for i in range(0, len(packed), 4096)
    )
    assert unpacked == 100_000_002 and len(packed) < 150_000 and unpacker.eof


def test_latency_drifts_from_fast_to_slow() -> None:
    """The time to the first text grows evenly from the order on, and stays where it ends."""
    clock = ManualClock()
    app = create_app(Config(first_ms=50), clock)
    order(app, "latency_drift", options={"from_s": 0.2, "to_s": 20, "over_s": 60})
    waits_s = []
    for _ in range(4):
        before_s = clock.slept_s
        ask_vendor(app, "openai")
        waits_s.append(round(clock.slept_s - before_s, 3))
        clock.advance(30)
    assert waits_s == [0.2, 10.1, 20.0, 20.0]


@every_vendor
def test_an_error_body_in_mid_stream_can_come_first(vendor: str, app: App) -> None:
    """With `after_pieces` 0 the error comes before any text."""
    order(app, "error_mid_stream", options={"after_pieces": 0})
    answer = ask_vendor(app, vendor, stream=True)
    assert b'"error":{' in answer.body and last_row(app)["output_tokens"] == 0
