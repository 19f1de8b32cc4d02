"""The simulator as an ASGI application."""

from __future__ import annotations

import json

from simulator import accounts, control, routes
from simulator.bill import key_id
from simulator.catalog import VENDORS, sold_by
from simulator.clock import Clock, SystemClock
from simulator.config import Config
from simulator.delivery import check_key, converse
from simulator.engine import Simulator
from simulator.error_answers import render
from simulator.exchange import Dialect, Failure, Problem, Request
from simulator.protocols.anthropic import AnthropicDialect
from simulator.protocols.common import JSON_TYPE, dump
from simulator.protocols.gemini import GeminiDialect
from simulator.protocols.openai import OpenAIDialect
from simulator.wire import BodyTooLarge, ClientGone, Receive, Scope, Send, Wire

_BODY_LIMIT_BYTES = 32 * 1024 * 1024
_REDIRECTED = "/redirected"

DIALECTS: dict[str, Dialect] = {
    "openai": OpenAIDialect(),
    "anthropic": AnthropicDialect(),
    "gemini": GeminiDialect(),
}


class App:
    """The ASGI application; `simulator` is its state."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        wire = Wire(scope, receive=receive, send=send, clock=self.simulator.clock)
        try:
            body = await wire.body(limit_bytes=_BODY_LIMIT_BYTES)
        except ClientGone:
            return
        except BodyTooLarge:
            await self._json(wire, 413, {"error": {"message": "Request too large"}})
            return
        answer = control.handle(
            self.simulator, wire.path, method=wire.method, query=wire.query, body=body
        )
        if answer is not None:
            await self._json(wire, *answer)
            return
        await self._vendor(wire, body=body)

    async def _vendor(self, wire: Wire, *, body: bytes) -> None:
        if wire.path.startswith(_REDIRECTED):
            self.simulator.arrivals.redirects_followed += 1
        route = routes.match(wire.path)
        if route is None or route.method != wire.method:
            message = f"Invalid URL ({wire.method} {wire.path})"
            error = {"message": message, "type": "invalid_request_error"}
            await self._json(wire, 404, {"error": error})
            return
        protocol = self._protocol(route, wire=wire)
        name = routes.vendor_for(route, model=_model_of(route, body=body), protocol=protocol)
        request = Request(
            vendor=VENDORS[name],
            headers=wire.headers,
            query=wire.query,
            body=body,
            path_model=route.model,
            path_action=route.verb,
        )
        dialect = DIALECTS[VENDORS[name].protocol]
        if route.method == "POST":
            await converse(self.simulator, wire, dialect=dialect, request=request)
        else:
            await self._page(wire, route=route, dialect=dialect, request=request)

    def _protocol(self, route: routes.Route, *, wire: Wire) -> str:
        if route.action == routes.MODELS:
            if "anthropic-version" in wire.headers:
                return "anthropic"
            return "gemini" if "x-goog-api-key" in wire.headers else "openai"
        return {routes.MESSAGES: "anthropic", routes.GENERATE: "gemini"}.get(route.action, "openai")

    async def _page(
        self, wire: Wire, *, route: routes.Route, dialect: Dialect, request: Request
    ) -> None:
        vendor, now = request.vendor, self.simulator.clock.now()
        key = dialect.key(request)
        try:
            check_key(key)
        except Problem as problem:
            failure = Failure(problem, vendor, "", "", now)
            rendered = render(failure, dialect=dialect)
            await wire.respond(rendered.status, headers=rendered.headers, body=rendered.body)
            return
        if route.action == routes.MODELS:
            page = dialect.models(sold_by(vendor, today=now.date()))
        else:
            write = accounts.balance if route.action == routes.BALANCE else accounts.usage
            page = write(self.simulator, vendor=vendor, key=key_id(key))
        await self._json(wire, 200, page)

    async def _json(self, wire: Wire, status: int, value: object) -> None:
        await wire.respond(status, headers=[JSON_TYPE], body=dump(value))


def _model_of(route: routes.Route, *, body: bytes) -> object:
    """The model asked for; only looked up in the body where the path does not say the vendor."""
    if route.vendor is not None or route.model is not None or not body:
        return route.model
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value.get("model") if isinstance(value, dict) else None


def create_app(config: Config | None = None, clock: Clock | None = None) -> App:
    """A new simulator behind an ASGI application."""
    config = config or Config()
    return App(Simulator(config, clock or SystemClock(config.today)))
