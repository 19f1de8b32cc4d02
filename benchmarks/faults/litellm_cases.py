"""What is asked of the proxy, and what our client must make of each answer.

The proxy keeps some things to itself: a spent quota and a request that is too long reach us as an
ordinary 429 and 400, with the difference in words only. They are judged by what can be known.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field

import httpx

from base.clock import SystemClock
from benchmarks.faults.litellm_proxy import KEY
from routing.client import Client
from routing.errors import VendorError
from routing.specs import EndpointSpec, Message, ModelSpec, Prompt, VendorKind
from routing.vendors import vendor_for
from routing.vendors.base import Completed, HttpRequest

CHAT, MESSAGES, NATIVE = VendorKind.CHAT_COMPLETIONS, VendorKind.ANTHROPIC, VendorKind.GEMINI
ANSWERED = "answered"
PROMPT = Prompt("Answer from the articles.", (Message("user", "How long does shipping take?"),))
_PATHS = {CHAT: "/v1", MESSAGES: "", NATIVE: ""}


@dataclass(frozen=True, slots=True)
class Case:
    """One call: a fault ordered behind the proxy, and the verdict's kind that must come of it."""

    name: str
    kind: VendorKind
    model: str
    expected: str = ANSWERED
    fault: str = ""
    options: dict[str, object] = field(default_factory=dict)
    wait_s: float | None = None
    key: str = KEY
    stream: bool = True

    def request(self, url: str) -> HttpRequest:
        """The request as our client sends it."""
        return vendor_for(self.kind).build(
            self.spec(url),
            PROMPT,
            api_key=self.key,
            base_url=url + _PATHS[self.kind],
            max_output_tokens=200,
            stream=self.stream,
            end_user="",
        )

    def spec(self, url: str) -> ModelSpec:
        """The model at the proxy."""
        base_url = url + _PATHS[self.kind]
        endpoint = EndpointSpec(1, "proxy", "Proxy", self.kind, base_url, "PROXY_API_KEY")
        return ModelSpec(id=1, name=self.model, endpoint=endpoint)


@dataclass(frozen=True, slots=True)
class Judged:
    """What our client made of one call."""

    case: Case
    outcome: str
    wait_s: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether the outcome is the one that the case expects."""
        return self.outcome == self.case.expected

    @property
    def waits_right(self) -> bool:
        """Whether the wait that was told behind the proxy was read."""
        return self.wait_s == self.case.wait_s


def _behind() -> list[Case]:
    """Faults of the vendor behind the proxy, by protocol."""
    found = []
    for kind, model in ((CHAT, "chat"), (MESSAGES, "messages"), (NATIVE, "native")):
        found += [
            Case(f"{model}: {name}", kind, model, expected, fault=fault)
            for name, fault, expected in (
                ("an answer", "", ANSWERED),
                ("400", "400", "invalid"),
                ("401", "401", "auth"),
                ("402", "402", "payment"),
                ("404", "404", "model_gone"),
                ("500", "500", "server"),
                ("502, a web page", "502_html", "server"),
                ("503", "503", "server"),
                ("504", "504", "upstream_timeout"),
                ("silence", "hang", "upstream_timeout"),
                ("529", "529", "server" if kind is MESSAGES else "overloaded"),
                ("a spent quota", "429", "rate"),
            )
        ]
        found += [
            Case(f"{model}: not streamed", kind, model, stream=False),
            Case(
                f"{model}: an error in the middle",
                kind,
                model,
                "overloaded" if kind is MESSAGES else "server",
                fault="error_mid_stream",
            ),
            Case(
                f"{model}: 429, wait 7",
                kind,
                model,
                "rate",
                fault="429",
                options={"retry_after": "7"},
                wait_s=7.0 if kind is CHAT else None,
            ),
            Case(f"{model}: a wrong key", kind, model, "auth", key="sk-wrong"),
            Case(f"{model}: an unknown model", kind, "unheard-of", "invalid"),
        ]
    return found


CASES = [
    *_behind(),
    Case("mock, streamed", CHAT, "mock"),
    Case("mock, not streamed", CHAT, "mock", stream=False),
    Case("mock, JSON to a stream", MESSAGES, "mock"),
    Case("mock: rate", CHAT, "mock-rate", "rate"),
    Case("mock: context", CHAT, "mock-context", "invalid"),
    Case("mock: server", CHAT, "mock-server", "server"),
    Case("mock: timeout", CHAT, "mock-timeout", "upstream_timeout"),
    Case("limited: the first", CHAT, "limited"),
    Case("limited: the second", CHAT, "limited", "rate", wait_s=60.0),
    Case("limited messages: the first", MESSAGES, "limited-messages"),
    Case("limited messages: the second", MESSAGES, "limited-messages", "rate"),
    Case("nobody: chat", CHAT, "nobody", "server"),
    Case("nobody: messages", MESSAGES, "nobody", "server"),
    Case("nobody: native", NATIVE, "nobody", "server"),
]


async def judge(case: Case, *, url: str, client: Client) -> Judged:
    """Make one call and say what came of it."""
    if not case.stream:
        return Judged(case, await _whole(case, url=url))
    clock = SystemClock()
    events = client.stream(
        case.spec(url),
        PROMPT,
        api_key=case.key,
        base_url=url + _PATHS[case.kind],
        max_output_tokens=200,
        deadline_s=clock.monotonic_s() + 60.0,
        clock=clock,
    )
    shown = ""
    try:
        async with aclosing(events) as stream:
            async for event in stream:
                if isinstance(event, Completed):
                    is_whole = shown == event.reply.text != "" and event.reply.usage is not None
                    return Judged(case, ANSWERED if is_whole else "half an answer")
                shown += event.text
    except VendorError as error:
        return Judged(case, error.verdict.kind.value, error.verdict.retry_after_s)
    return Judged(case, "nothing")


async def _whole(case: Case, *, url: str) -> str:
    """What the decoder makes of a whole JSON answer."""
    request = case.request(url)
    async with httpx.AsyncClient(trust_env=False, timeout=60.0) as http:
        answer = await http.post(request.url, headers=request.headers, content=request.body)
    try:
        reply = vendor_for(case.kind).parse(answer.content)
    except VendorError as error:
        return error.verdict.kind.value
    return ANSWERED if reply.text and reply.usage is not None else "half an answer"
