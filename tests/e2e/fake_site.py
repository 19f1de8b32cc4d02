"""The shopper's pages without the shop: real templates and static files, and a websocket peer played by the test.

The peer greets (`ready`), answers `resume` and `history` from its own list of durable frames, and leaves everything else
to the test: `Talk.heard` waits for a frame of the browser, `Talk.push` and `Talk.record` send frames, `Talk.drop` cuts
the line. Every page is served under a content security policy that forbids inline scripts and styles.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import uvicorn
from django import template
from django.conf import settings
from django.template import Context, Engine
from playwright.sync_api import Browser, Page, sync_playwright

Frame = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "chatbot" / "static"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
WAIT_S = 10.0

register = template.Library()


@register.simple_tag
def static(path: str) -> str:
    """The address under which this site serves a static file."""
    return f"/static/{path}"


CHAT = {
    "en": {
        "site_name": "Harbour Lane",
        "greeting": "Welcome to Harbour Lane. How can we help?",
        "contact_text": "A person is on duty 9:00-24:00 (UTC+8)\n400-820-0123\nhelp@harbourlane.example",
        "suggestions": [
            "Where is my parcel?",
            "How do I return something?",
            "When does Double 11 start?",
            "Can I still change my address?",
        ],
    },
    "zh-hans": {
        "site_name": "港湾里",
        "greeting": "欢迎来到港湾里，有什么可以帮您？",
        "contact_text": "人工客服 9:00-24:00\n400-820-0123\nhelp@harbourlane.example",
        "suggestions": ["我的包裹到哪了？", "怎么退货？", "双十一什么时候开始？", "还能修改收货地址吗？"],
    },
}


class Talk:
    """One conversation and the remote control of its websocket. All methods may be called from the test's thread."""

    def __init__(self, name: str, *, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.mode = "live"
        self.page_size = 50
        self.latest_first = False
        self.closed_door = False
        self.frames: list[Frame] = []
        self.received: list[Frame] = []
        self._loop = loop
        self._news = threading.Condition()
        self._queues: set[asyncio.Queue[Frame]] = set()

    def heard(self, kind: str, count: int = 1) -> Frame:
        """The `count`-th frame of a kind from the browser, waited for; AssertionError if it does not come."""

        def found() -> list[Frame]:
            return [frame for frame in self.received if frame["type"] == kind]

        with self._news:
            assert self._news.wait_for(lambda: len(found()) >= count, WAIT_S), (kind, self.received)
            return found()[count - 1]

    def sent(self, kind: str) -> list[Frame]:
        """What the browser has sent of one kind so far."""
        with self._news:
            return [frame for frame in self.received if frame["type"] == kind]

    def push(self, kind: str, **fields: Any) -> None:
        """Sends one passing frame to every open socket."""
        self._put({"type": kind, **fields})

    def record(self, kind: str, *, send: bool = True, **fields: Any) -> int:
        """Gives a durable frame the next seq, keeps it, and sends it unless `send` is false; returns the seq."""
        frame = {"type": kind, "seq": len(self.frames) + 1, **fields}
        self.frames.append(frame)
        if send:
            self._put(frame)
        return int(frame["seq"])

    def accept(self, ask: Frame, *, send: bool = True) -> None:
        """Accepts a question as the server does: durable, with its text and time."""
        self.record("accepted", send=send, id=ask["id"], text=ask["text"], at="2026-11-10T06:30:00+00:00")

    def answer(self, ask: Frame, text: str, **fields: Any) -> int:
        """Ends a question with an answer; the fields default to a fresh answer of a model."""
        fresh = {"origin": "model", "cache": "miss", "model": "deepseek-chat", "cosine": None, "sources": []}
        return self.record("answer", **{"id": ask["id"], "text": text, **fresh, **fields})

    def drop(self, code: int = 1006) -> None:
        """Closes every open socket with a code (1006 stands for a cut without one)."""
        self._put({"type": "#close", "code": code})

    def _put(self, frame: Frame) -> None:
        self._loop.call_soon_threadsafe(lambda: [queue.put_nowait(frame) for queue in list(self._queues)])

    async def serve(self, receive: Receive, send: Send) -> None:
        """Plays the peer on one socket until either side closes it."""
        await receive()
        if self.closed_door:
            await send({"type": "websocket.close", "code": 1013})
            return
        await send({"type": "websocket.accept"})
        queue: asyncio.Queue[Frame] = asyncio.Queue()
        self._queues.add(queue)
        queue.put_nowait({"type": "ready", "conversation": self.name, "seq": len(self.frames), "mode": self.mode})
        reader = asyncio.create_task(self._read(receive, queue))
        try:
            while (frame := await queue.get())["type"] != "#close":
                await send({"type": "websocket.send", "text": json.dumps(frame)})
            if not reader.done():
                await send({"type": "websocket.close", "code": 1011 if frame["code"] == 1006 else frame["code"]})
        finally:
            self._queues.discard(queue)
            reader.cancel()

    async def _read(self, receive: Receive, queue: asyncio.Queue[Frame]) -> None:
        while (event := await receive())["type"] == "websocket.receive":
            frame = json.loads(event["text"])
            if frame["type"] in ("resume", "history"):
                queue.put_nowait(self._page(frame))
            with self._news:
                self.received.append(frame)
                self._news.notify_all()
        queue.put_nowait({"type": "#close", "code": 1000})

    def _page(self, frame: Frame) -> Frame:
        if frame["type"] == "history":
            older = [old for old in self.frames if old["seq"] < frame["before"]]
            return {"type": "resumed", "frames": older[-self.page_size :], "more": len(older) > self.page_size}
        newer = [new for new in self.frames if new["seq"] > frame["after"]]
        if self.latest_first and frame["after"] == 0:
            return {"type": "resumed", "frames": newer[-self.page_size :], "more": False}
        return {"type": "resumed", "frames": newer[: self.page_size], "more": len(newer) > self.page_size}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        self.loop = asyncio.get_running_loop()
        self.up.set()


class FakeSite:
    """A site on a free local port, in a thread of its own."""

    def __init__(self) -> None:
        if not settings.configured:
            settings.configure(USE_I18N=False)
        self._engine = Engine(dirs=[str(ROOT / "templates")], libraries={"static": __name__})
        self._talks: dict[str, Talk] = {}
        config = uvicorn.Config(self._app, interface="asgi3", port=0, log_level="warning", lifespan="off", ws_max_size=2**21)
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        """Returns when the port is open."""
        self._thread.start()
        assert self._server.up.wait(WAIT_S)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Cuts all lines and waits for the thread."""
        for talk in self._talks.values():
            talk.drop()
        self._server.should_exit = True
        self._thread.join(WAIT_S)

    def talk(self, name: str) -> Talk:
        """The conversation of that name, made if it is new."""
        return self._talks.setdefault(name, Talk(name, loop=self._server.loop))

    def url(self, name: str, **options: str) -> str:
        """The chat page of a conversation; options: locale, mode, notice."""
        return f"{self.base}/?{urlencode({'talk': name, **options})}"

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.talk(scope["path"].rsplit("/", 2)[-2]).serve(receive, send)
            return
        status, kind, body = self._respond(scope["path"], parse_qs(scope["query_string"].decode()))
        headers = [(b"content-type", kind.encode()), (b"content-security-policy", POLICY.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _respond(self, path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            if not file.is_file():
                return 404, "text/plain", b""
            return 200, mimetypes.guess_type(file.name)[0] or "text/plain", file.read_bytes()
        options = {name: values[0] for name, values in query.items()}
        return 200, "text/html; charset=utf-8", self._page(path, options).encode()

    def _page(self, path: str, options: dict[str, str]) -> str:
        locale = options.get("locale", "en")
        shared = {**CHAT[locale], "locale": locale, "help_url": "/help/", "switch_url": "/?switched"}
        if path == "/":
            own = {
                "mode": options.get("mode", "live"),
                "ws_path": f"/ws/chat/{options.get('talk', 'none')}/",
                "notices": [options["notice"]] if "notice" in options else [],
            }
            return self._render("chat.html", {**shared, **own})
        if path == "/help/":
            return self._render("help_index.html", {**shared, "topics": json.loads(options.get("topics", "[]"))})
        article = {"title": options.get("title", ""), "body": options.get("body", ""), "back_url": "/help/"}
        return self._render("help_article.html", {**shared, **article, "updated_at": date(2026, 11, 3)})

    def _render(self, name: str, context: dict[str, Any]) -> str:
        return str(self._engine.get_template(f"chatbot/{name}").render(Context(context)))


@pytest.fixture(scope="module")
def site() -> Iterator[FakeSite]:
    """A running site for the tests of one module."""
    site = FakeSite()
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; skips with the reason where there is none, fails instead with CI=true."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM} (set CHROMIUM to its path)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page; a script error or a breach of the content policy in it fails the test."""
    context = browser.new_context(locale="en-GB", timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.set_default_timeout(WAIT_S * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert not problems
