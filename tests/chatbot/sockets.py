"""What the socket tests share: a browser's end of a conversation."""

from __future__ import annotations

import asyncio
import itertools
import json
from functools import partial
from typing import Any

from channels.testing import WebsocketCommunicator

from chatbot import transcript
from chatbot.consumers import ChatConsumer
from chatbot.runtime import Runtime
from chatbot.visitors import sign_shopper

WAIT_S = 30.0
HOST = "shop.example"
_NUMBERS = itertools.count(1)

Frame = dict[str, Any]


async def new_cookie(runtime: Runtime, *, locale: str = "en") -> str:
    """The cookie of a new shopper, as the page sets it."""
    public_id = await runtime.writer.run(partial(transcript.new_shopper, "default"))
    return f"shopper={sign_shopper(public_id)}; locale={locale}"


class Socket:
    """One open socket. `conversation` is known after `open`."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        cookie: str = "",
        origin: str = f"http://{HOST}",
        address: str = "10.0.0.1",
    ) -> None:
        headers = [
            (name.encode(), value.encode())
            for name, value in (("origin", origin), ("host", HOST), ("cookie", cookie))
            if value
        ]
        consumer = ChatConsumer.as_asgi(runtime=runtime)
        self.wire = WebsocketCommunicator(consumer, "/ws/chat/", headers=headers)
        self.wire.scope["client"] = [address, 50_000]
        self.conversation = ""

    async def open(self) -> Frame:
        """Connect; returns the `ready` frame."""
        accepted, code = await self.wire.connect(timeout=WAIT_S)
        assert accepted, f"refused with {code}"
        ready = await self.receive()
        self.conversation = ready["conversation"]
        return ready

    async def refused(self) -> int:
        """Try to connect; returns the code of the refusal."""
        accepted, code = await self.wire.connect(timeout=WAIT_S)
        assert not accepted
        return int(code)

    async def fail_to_open(self) -> None:
        """Try to connect where that cannot work, whether the server closes or breaks off."""
        await self.wire.send_input({"type": "websocket.connect"})
        told = asyncio.create_task(self.wire.output_queue.get())
        await asyncio.wait({told, self.wire.future}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if self.wire.future.done():
            self.wire.future.exception()
        else:
            await self.close()

    async def send(self, type_: str, **fields: Any) -> None:
        """Send a frame, everything beyond ASCII escaped."""
        await self.send_text(json.dumps({"type": type_} | fields))

    async def send_text(self, text: str) -> None:
        """Send any text."""
        await self.wire.send_input({"type": "websocket.receive", "text": text})

    async def receive(self) -> Frame:
        """The next frame."""
        frame: Frame = json.loads(await self.wire.receive_from(timeout=WAIT_S))
        return frame

    async def until(self, *types: str, frame_id: str | None = None) -> list[Frame]:
        """Frames up to and with the first of these types (and this id)."""
        frames = [await self.receive()]
        while frames[-1]["type"] not in types or frame_id not in (None, frames[-1].get("id")):
            frames.append(await self.receive())
        return frames

    async def ask(self, text: str, *, frame_id: str | None = None, **fields: Any) -> list[Frame]:
        """Ask; returns every frame from `accepted` to the terminal one."""
        frame_id = frame_id or f"question-{next(_NUMBERS)}"
        await self.send("ask", id=frame_id, text=text, **fields)
        return await self.until("answer", "error", frame_id=frame_id)

    async def settled(self) -> list[Frame]:
        """Whatever has come so far: frames are in order, so an answer to a new one is the end."""
        mark = f"mark-{next(_NUMBERS)}"
        await self.send("human", id=mark)
        return (await self.until("error", frame_id=mark))[:-1]

    async def close_code(self) -> int:
        """The code with which the server has closed."""
        output = await self.wire.receive_output(timeout=WAIT_S)
        assert output["type"] == "websocket.close"
        return int(output["code"])

    async def close(self) -> None:
        """The shopper leaves."""
        await self.wire.disconnect(timeout=WAIT_S)


async def opened(runtime: Runtime, **how: Any) -> Socket:
    """A connected socket."""
    socket = Socket(runtime, **how)
    await socket.open()
    return socket


async def close_all(*sockets: Socket) -> None:
    """Everyone leaves."""
    await asyncio.gather(*(socket.close() for socket in sockets))
