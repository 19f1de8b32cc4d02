"""Which vendor, protocol and action a path names. Every vendor has its own prefix; without one the
protocol or the model decides."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.catalog import VENDORS, find

_VERSIONS = {"v1", "v1beta"}

CHAT, MESSAGES, GENERATE, MODELS, BALANCE, USAGE = (
    "chat",
    "messages",
    "generate",
    "models",
    "balance",
    "usage",
)
_FIXED = {
    "chat/completions": CHAT,
    "messages": MESSAGES,
    "models": MODELS,
    "user/balance": BALANCE,
    "usage": USAGE,
}
_GENERATE_ACTIONS = {"generateContent", "streamGenerateContent"}
_PROTOCOLS = {CHAT: "openai", MESSAGES: "anthropic", GENERATE: "gemini"}
_METHODS = {CHAT: "POST", MESSAGES: "POST", GENERATE: "POST"}
_OWNERS = {BALANCE: "deepseek", USAGE: "holysheep"}


@dataclass(frozen=True, slots=True)
class Route:
    """A matched path; `vendor` None = the path does not say."""

    action: str
    vendor: str | None
    model: str | None = None
    verb: str | None = None

    @property
    def method(self) -> str:
        """The HTTP method the action takes."""
        return _METHODS.get(self.action, "GET")


def _model_action(rest: str) -> tuple[str, str] | None:
    if not rest.startswith("models/"):
        return None
    model, _, verb = rest.removeprefix("models/").partition(":")
    return (model, verb) if model and verb in _GENERATE_ACTIONS else None


def match(path: str) -> Route | None:
    """The route of a path, None if there is nothing there."""
    parts = [part for part in path.split("/") if part]
    vendor = parts.pop(0) if parts and parts[0] in VENDORS else None
    if parts and parts[0] in _VERSIONS:
        parts.pop(0)
    rest = "/".join(parts)
    route: Route | None = None
    if rest in _FIXED:
        route = Route(_FIXED[rest], vendor)
    elif named := _model_action(rest):
        route = Route(GENERATE, vendor, model=named[0], verb=named[1])
    return route if route and _fits(route) else None


def _fits(route: Route) -> bool:
    if route.vendor is None:
        return True
    if route.action in _OWNERS:
        return route.vendor == _OWNERS[route.action]
    protocol = _PROTOCOLS.get(route.action)
    return protocol is None or VENDORS[route.vendor].protocol == protocol


def vendor_for(route: Route, *, model: object, protocol: str) -> str:
    """The vendor a path without prefix means: the home of the model asked if it speaks the
    protocol, else the protocol's own vendor."""
    if route.vendor is not None:
        return route.vendor
    if route.action in _OWNERS:
        return _OWNERS[route.action]
    spec = find(model) if isinstance(model, str) else None
    if spec is not None and VENDORS[spec.home].protocol == protocol:
        return spec.home
    return protocol
