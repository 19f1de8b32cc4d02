"""Carries out one model call on the wire: admission, waiting, sending and its faults, billing."""

from __future__ import annotations

from simulator.bill import Row, key_id
from simulator.counting import count_tokens, pieces
from simulator.engine import Admission, Simulator
from simulator.exchange import Dialect, Exchange, Failure, Problem, Rendered, Request
from simulator.protocols.common import JSON_TYPE
from simulator.wire import ConnectionCut, Wire

_HTML = b"<html><head><title>Error</title></head><body><h1>upstream error</h1></body></html>"
_SLOW_FACTOR = 10.0
_BAD_KEY_PREFIX = "bad"


def check_key(key: str) -> None:
    """Any key will do, unless it is missing or starts with `bad`; raises Problem."""
    if not key:
        raise Problem("bad_key", "You didn't provide an API key", status=401)
    if key.startswith(_BAD_KEY_PREFIX):
        raise Problem("bad_key", "Incorrect API key provided", status=401)


def render(failure: Failure, *, dialect: Dialect) -> Rendered:
    """The vendor's error answer, or a proxy's HTML page where the fault says so."""
    problem = failure.problem
    if problem.kind == "html":
        rendered = Rendered(problem.status, [("content-type", "text/html; charset=utf-8")], _HTML)
    else:
        rendered = dialect.failure(failure)
    rendered.headers.extend(problem.extra_headers.items())
    return rendered


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
        failure = _failure(simulator, problem=problem, request=request, row=row)
        rendered = render(failure, dialect=dialect)
        simulator.fail(row, problem=problem, http_status=rendered.status)
        await wire.respond(rendered.status, headers=rendered.headers, body=rendered.body)
        return
    async with wire:
        await _Delivery(simulator, wire, dialect=dialect, admission=admission).run()


def _failure(simulator: Simulator, *, problem: Problem, request: Request, row: Row) -> Failure:
    model = row.model_asked or ""
    levels = simulator.levels(row, vendor=request.vendor, model=model) if model else {}
    now = simulator.clock.now()
    return Failure(problem, request.vendor, model, row.request_id, now, levels)


class _Delivery:
    """Sends one planned answer and bills what was sent."""

    def __init__(
        self, simulator: Simulator, wire: Wire, *, dialect: Dialect, admission: Admission
    ) -> None:
        self._simulator, self._wire, self._dialect = simulator, wire, dialect
        self._admission = admission
        self._exchange: Exchange = admission.exchange
        self._billed = False
        slow = self._exchange.faults.get("slow")
        factor = float(slow.options.get("factor", _SLOW_FACTOR)) if slow else 1.0
        self._first_s = simulator.config.first_ms / 1000 * factor
        self._chunk_s = simulator.config.chunk_ms / 1000 * factor

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
        hang = self._exchange.faults.get("hang")
        if hang is not None:
            await self._wire.until_gone(max_s=hang.options.get("max_s"))
        await self._wire.pause(self._first_s)
        if self._wire.gone:
            return
        self._exchange.row.http_status = 200
        if self._exchange.ask.stream and "json_to_stream" not in self._exchange.faults:
            await self._stream()
        else:
            await self._whole()

    async def _whole(self) -> None:
        faults = self._exchange.faults
        body = self._dialect.whole(self._exchange)
        headers = [JSON_TYPE, *self._dialect.headers(self._exchange)]
        if "cut" in faults or "truncate" in faults:
            await self._wire.start(200, headers=headers)
            await self._wire.write(body[: len(body) // 2])
            await self._stop()
            return
        if "bad_json" in faults:
            body = body[: len(body) // 2] + b"\x00}"
        self._complete()
        await self._wire.respond(200, headers=headers, body=body)

    async def _stream(self) -> None:
        exchange, wire = self._exchange, self._wire
        headers = [("content-type", "text/event-stream; charset=utf-8")]
        headers += [("cache-control", "no-cache"), *self._dialect.headers(exchange)]
        await wire.start(200, headers=headers)
        for block in self._dialect.opening(exchange):
            await wire.write(block)
        if not await self._pieces(pieces(exchange.reply.text)):
            return
        if wire.gone:
            return
        closing = self._dialect.closing(exchange)
        self._complete()
        await wire.write(b"".join(closing), more=False)

    async def _pieces(self, parts: list[str]) -> bool:
        """Send the text; False if the stream ended before its end."""
        wire = self._wire
        stop_at = self._stop_at(len(parts))
        for number, text in enumerate(parts):
            if wire.gone:
                return False
            if number == stop_at:
                break
            self._exchange.sent_tokens += count_tokens(text)
            await wire.write(self._block(text))
            await wire.pause(self._chunk_s)
        if stop_at is not None:
            await self._stop()
            return False
        return True

    async def _stall(self, *, every_s: float | None) -> None:
        """Say nothing more until the client leaves, with signs of life if `every_s` is set."""
        if every_s is None:
            await self._wire.until_gone()
        while not self._wire.gone:
            await self._wire.write(self._dialect.idle())
            await self._wire.pause(every_s or 0.0)

    def _block(self, text: str) -> bytes:
        block = self._dialect.piece(self._exchange, text)
        if "bad_json" in self._exchange.faults:
            return block.replace(b"{", b"{{", 1)
        return block

    def _stop_at(self, total: int) -> int | None:
        """Number of text pieces after which a sending fault strikes."""
        for name in ("truncate", "cut", "error_mid_stream", "stall"):
            if fault := self._exchange.faults.get(name):
                return min(total, int(fault.options.get("after_pieces", max(1, total // 2))))
        return None

    async def _stop(self) -> None:
        if (stall := self._exchange.faults.get("stall")) and self._exchange.ask.stream:
            await self._stall(every_s=stall.options.get("every_s"))
            return
        if "cut" in self._exchange.faults:
            raise ConnectionCut
        if "error_mid_stream" in self._exchange.faults and self._exchange.ask.stream:
            await self._wire.write(self._dialect.broken(self._exchange))
        await self._wire.write(b"", more=False)
