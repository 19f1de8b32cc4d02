"""Carries out one model call on the wire: admission, waiting, sending and its faults, billing."""

from __future__ import annotations

from simulator.bill import key_id
from simulator.counting import count_tokens
from simulator.engine import Admission, Simulator
from simulator.error_answers import render
from simulator.exchange import Dialect, Exchange, Failure, Headers, Problem, Request
from simulator.faults import Fault
from simulator.pace import Pace, first_wait_s, stream_parts
from simulator.protocols.common import JSON_TYPE
from simulator.tricks import gzip_bomb
from simulator.wire import ConnectionCut, Wire

_BAD_KEY_PREFIX = "bad"
_EVENT_STREAM = ("content-type", "text/event-stream; charset=utf-8")
_HALFWAY = ("truncate", "cut", "rst", "error_mid_stream", "stall")
_BLANK = b"\n"


def check_key(key: str) -> None:
    """Any key will do, unless it is missing or starts with `bad`; raises Problem."""
    if not key:
        raise Problem("bad_key", "You didn't provide an API key", status=401)
    if key.startswith(_BAD_KEY_PREFIX):
        raise Problem("bad_key", "Incorrect API key provided", status=401)


async def converse(simulator: Simulator, wire: Wire, *, dialect: Dialect, request: Request) -> None:
    """Answer one model call; exactly one row of the bill is closed whatever happens."""
    key = dialect.key(request)
    row = simulator.open_row(
        request.vendor,
        key=key_id(key),
        client_request_id=request.headers.get("x-client-request-id"),
    )
    try:
        check_key(key)
        ask = dialect.parse(request)
        row.model_asked, row.stream = ask.model, ask.stream
        admission = simulator.admit(ask, vendor=request.vendor, row=row)
    except Problem as problem:
        model = row.model_asked or ""
        levels = simulator.levels(row, vendor=request.vendor, model=model) if model else {}
        now = simulator.clock.now()
        failure = Failure(problem, request.vendor, model, row.request_id, now, levels)
        rendered = render(failure, dialect=dialect)
        simulator.fail(row, problem=problem, http_status=rendered.status)
        await wire.respond(rendered.status, headers=rendered.headers, body=rendered.body)
        return
    async with wire:
        await _Delivery(simulator, wire, dialect=dialect, admission=admission).run()


class _Delivery:
    """Sends one planned answer and bills what was sent."""

    def __init__(
        self, simulator: Simulator, wire: Wire, *, dialect: Dialect, admission: Admission
    ) -> None:
        self._simulator, self._wire, self._dialect = simulator, wire, dialect
        self._admission = admission
        self._exchange: Exchange = admission.exchange
        self._faults = self._exchange.faults
        self._streams = self._exchange.ask.stream and "json_to_stream" not in self._faults
        self._billed = False
        slow = self._faults.get("slow")
        factor = float(slow.option("factor")) if slow else 1.0
        now_ns = simulator.clock.monotonic_ns()
        usual_s = simulator.config.first_ms / 1000
        self._first_s = first_wait_s(self._exchange, usual_s=usual_s, now_ns=now_ns) * factor
        self._gap_s = simulator.config.chunk_ms / 1000 * factor

    async def run(self) -> None:
        """Send the answer; the bill is closed even if the connection breaks in between."""
        try:
            await self._send()
        finally:
            if not self._billed:
                self._simulator.finish(self._admission, complete=False)

    def _complete(self) -> None:
        """Bill the whole answer: before the last byte, so that who has it finds it on the bill."""
        self._billed = True
        self._simulator.finish(self._admission, complete=True)

    async def _send(self) -> None:
        if "reset" in self._faults:
            await self._wire.reset()
        if hang := self._faults.get("hang"):
            await self._wire.until_gone(max_s=hang.option("max_s"))
        await self._wire.pause(self._first_s)
        if self._wire.gone:
            return
        self._exchange.row.http_status = 200
        if "gzip_bomb" in self._faults:
            await self._bomb(self._faults["gzip_bomb"])
        elif self._streams:
            await self._stream()
        else:
            await self._whole()

    def _headers(self) -> Headers:
        content_type = _EVENT_STREAM if self._streams else JSON_TYPE
        if wrong := self._faults.get("wrong_content_type"):
            content_type = ("content-type", str(wrong.option("content_type")))
        extra = [("cache-control", "no-cache")] if self._streams else []
        return [content_type, *extra, *self._dialect.headers(self._exchange)]

    async def _put(self, data: bytes) -> None:
        """Send a part of the body, byte by byte under a slow loris."""
        loris = self._faults.get("slow_loris")
        if loris is None:
            await self._wire.write(data)
            return
        step, every_s = int(loris.option("bytes")), float(loris.option("every_s"))
        for start in range(0, len(data), step):
            if self._wire.gone:
                return
            await self._wire.write(data[start : start + step])
            await self._wire.pause(every_s)

    async def _end(self, data: bytes) -> None:
        """Send the last part of the body; the bill is closed before its last byte."""
        if "slow_loris" in self._faults:
            await self._put(data[:-1])
            data = data[-1:]
        if self._wire.gone:
            return
        self._complete()
        await self._wire.write(data, more=False)

    # A whole answer

    async def _whole(self) -> None:
        if await self._says_nothing():
            return
        body = self._dialect.whole(self._exchange)
        if {"cut", "truncate", "rst"} & set(self._faults):
            await self._wire.start(200, headers=self._headers())
            await self._put(body[: len(body) // 2])
            await self._stop()
            return
        if "bad_json" in self._faults:
            body = body[: len(body) // 2] + b"\x00}"
        if "slow_loris" in self._faults:
            await self._wire.start(200, headers=self._headers())
            await self._end(body)
            return
        self._complete()
        await self._wire.respond(200, headers=self._headers(), body=body)

    async def _bomb(self, bomb: Fault) -> None:
        """The whole body in one gzip file; a stream's blocks come after the blanks."""
        body = b"".join(self._blocks()) if self._streams else self._dialect.whole(self._exchange)
        packed = gzip_bomb(body, size_bytes=int(bomb.option("bytes")))
        self._complete()
        headers = [*self._headers(), ("content-encoding", "gzip")]
        await self._wire.respond(200, headers=headers, body=packed)

    def _blocks(self) -> list[bytes]:
        """Every block of the stream; the blanks before it become a comment."""
        blocks = [b":\n\n", *self._dialect.opening(self._exchange)]
        for text in stream_parts(self._exchange.reply):
            self._exchange.sent_tokens += count_tokens(text)
            blocks.append(self._block(text))
        return [*blocks, *self._dialect.closing(self._exchange)]

    # A stream

    async def _stream(self) -> None:
        if await self._says_nothing():
            return
        exchange, wire = self._exchange, self._wire
        await wire.start(200, headers=self._headers())
        for block in self._dialect.opening(exchange):
            await self._put(block)
        if await self._pieces(stream_parts(exchange.reply)):
            await self._end(b"".join(self._dialect.closing(exchange)))

    async def _pieces(self, parts: list[str]) -> bool:
        """Send the text; False if the stream ended before its end."""
        wire, stop_at = self._wire, self._stop_at(len(parts))
        pace = Pace(self._simulator.clock, gap_s=self._gap_s)
        waiting = b""
        for number, text in enumerate(parts):
            if wire.gone:
                return False
            if number == stop_at:
                break
            self._exchange.sent_tokens += count_tokens(text)
            waiting += self._repeated(self._block(text), number=number)
            wait_s = pace.next_wait_s()
            if wait_s is not None:
                await self._put(waiting)
                waiting = b""
                await wire.pause(wait_s)
        if waiting:
            await self._put(waiting)
        if stop_at is not None:
            await self._stop()
            return False
        return True

    def _block(self, text: str) -> bytes:
        block = self._dialect.piece(self._exchange, text)
        if "bad_json" in self._faults:
            return block.replace(b"{", b"{{", 1)
        return block

    def _repeated(self, block: bytes, *, number: int) -> bytes:
        fault = self._faults.get("duplicate_chunks")
        return block * 2 if fault and number % int(fault.option("every")) == 0 else block

    def _stop_at(self, total: int) -> int | None:
        """Number of text pieces after which a sending fault strikes."""
        for name in _HALFWAY:
            if fault := self._faults.get(name):
                after = fault.option("after_pieces")
                return min(total, max(1, total // 2) if after is None else int(after))
        return None

    # Endings that are none

    async def _says_nothing(self) -> bool:
        """Send headers and no text until the client leaves, where a fault says so."""
        alive = self._faults.get("keep_alive")
        if alive is None and "hang_after_headers" not in self._faults:
            return False
        await self._wire.start(200, headers=self._headers())
        await self._stall(every_s=float(alive.option("every_s")) if alive else None)
        return True

    async def _stall(self, *, every_s: float | None) -> None:
        """Say nothing more until the client leaves, with signs of life if `every_s` is set."""
        if every_s is None:
            await self._wire.until_gone()
        sign = self._dialect.idle() if self._streams else _BLANK
        while not self._wire.gone:
            await self._put(sign)
            await self._wire.pause(every_s or 0.0)

    async def _stop(self) -> None:
        if (stall := self._faults.get("stall")) and self._streams:
            await self._stall(every_s=stall.option("every_s"))
            return
        if "rst" in self._faults:
            await self._wire.reset()
        if "cut" in self._faults:
            raise ConnectionCut
        if "error_mid_stream" in self._faults and self._streams:
            await self._wire.write(self._dialect.broken(self._exchange))
        await self._wire.write(b"", more=False)
