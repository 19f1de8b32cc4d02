"""The ASGI application: pages by Django, `/ws/chat/` by the consumer, start and stop by the lifespan."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

# Before the imports below: they need Django set up.
django_application = get_asgi_application()

from django.urls import path

from chatbot.consumers import ChatConsumer
from chatbot.process import Process

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PROCESS = Process.current()


class ChatSocket:
    """Gives each socket a consumer that knows the process's runtime."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await ChatConsumer.as_asgi(runtime=PROCESS.runtime)(scope, receive, send)


CHAT = path("ws/chat/", ChatSocket())  # type: ignore[arg-type]  # an ASGI app, as the router expects
application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter([CHAT]),
        "lifespan": PROCESS.lifespan,
    }
)
