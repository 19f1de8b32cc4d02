"""The ASGI application: pages by Django, `/ws/chat/` by the consumer, start and stop by the lifespan."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

django_CHAT = path("ws/chat/", ChatSocket())  # type: ignore[arg-type]  # an ASGI application, as the router expects
application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter([CHAT]),
        "lifespan": PROCESS.lifespan,
    }
)
