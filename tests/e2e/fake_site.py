"""The shopper's pages without the shop: the real templates and static files, and a websocket peer
the test plays.

Every page is served under a content security policy that forbids inline scripts and styles, except
with `policy=off` in its address."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import os
import socket
import threading
from collections.abc import Iterator
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

from tests.e2e.fake_peer import WAIT_S, Receive, Scope, Send, Talk

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

register = template.Library()


@register.simple_tag
def static(path: str) -> str:
    """The address under which this site serves a static file."""
    return f"/static/{path}"


CHAT = {
    "en": {
        "site_name": "Harbour Lane",
        "greeting": "Welcome to Harbour Lane. How can we help?",
        "contact_text": "People 9:00-24:00 (UTC+8)\n400-820-0123\nhelp@harbourlane.example",
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
        "suggestions": [
            "我的包裹到哪了？",
            "怎么退货？",
            "双十一什么时候开始？",
            "还能修改收货地址吗？",
        ],
    },
}


class FakeSite:
    """A site on a free local port, in a thread of its own."""

    def __init__(self) -> None:
        if not settings.configured:
            settings.configure(USE_I18N=False)
        self._engine = Engine(dirs=[str(ROOT / "templates")], libraries={"static": __name__})
        self._talks: dict[str, Talk] = {}
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            log_level="warning",
            lifespan="on",
            ws_max_size=2**21,
        )
        self._server = uvicorn.Server(config)
        # Listening before the server runs: whoever comes early waits in the queue of the socket.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._up = threading.Event()
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Returns when the server's event loop runs."""
        self._thread.start()
        assert self._up.wait(WAIT_S)

    def stop(self) -> None:
        """Cuts all lines and waits for the thread."""
        for talk in self._talks.values():
            talk.drop()
        self._server.should_exit = True
        self._thread.join(WAIT_S)
        self._socket.close()

    def talk(self, name: str) -> Talk:
        """The conversation of that name, made if it is new."""
        return self._talks.setdefault(name, Talk(name, loop=self._loop))

    def url(self, name: str, **options: str) -> str:
        """The chat page of a conversation; options: locale, mode, notice."""
        return f"{self.base}/?{urlencode({'talk': name, **options})}"

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] == "websocket":
            await self.talk(scope["path"].rsplit("/", 2)[-2]).serve(receive, send)
            return
        status, kind, body = self._respond(scope["path"], parse_qs(scope["query_string"].decode()))
        headers = [(b"content-type", kind.encode())]
        if b"policy=off" not in scope["query_string"]:
            headers.append((b"content-security-policy", POLICY.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._up.set()
        while (event := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": f"{event['type']}.complete"})

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
        shared = {
            **CHAT[locale],
            "locale": locale,
            "help_url": "/help/",
            "switch_url": "/?switched",
        }
        if path == "/":
            own = {
                "mode": options.get("mode", "live"),
                "ws_path": f"/ws/chat/{options.get('talk', 'none')}/",
                "notices": [options["notice"]] if "notice" in options else [],
            }
            return self._render("chat.html", {**shared, **own})
        if path == "/help/":
            return self._render(
                "help_index.html", {**shared, "topics": json.loads(options.get("topics", "[]"))}
            )
        article = {
            "title": options.get("title", ""),
            "body": options.get("body", ""),
            "back_url": "/help/",
        }
        return self._render(
            "help_article.html", {**shared, **article, "updated_at": date(2026, 11, 3)}
        )

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
    """A headless Chromium; skips with the reason where there is none, fails instead with
    CI=true."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM} (set CHROMIUM to its path)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=list(CHROMIUM_ARGS)
        )
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
    page.on(
        "console",
        lambda message: (
            problems.append(message.text) if "Content Security" in message.text else None
        ),
    )
    yield page
    context.close()
    assert not problems
