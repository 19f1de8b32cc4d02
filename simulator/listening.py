"""The simulator on sockets: a server that can close its door, and reset connections at the door.

Beside the vendor's own port it may listen on a second one, where it can be steered while the first
is shut.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from simulator.server import App
from simulator.wire import CONNECTION, Connection

_BACKLOG = 2048
_LOOK_EVERY_S = 0.02
# An idle connection outlives any pause of a client, so that no request meets a closing one.
_KEEP_ALIVE_S = 600
_SHUTDOWN_S = 1


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, port 0 = any free one; raises OSError if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class VendorProtocol(HttpToolsProtocol):  # type: ignore[misc]  # uvicorn is not followed
    """uvicorn's connection, which also hands itself to the application and may be reset at once."""

    vendor_server: VendorServer
    connection: Connection

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.connection = Connection(transport)
        self.vendor_server.greet(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.mark_lost()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self.connection}


class VendorServer(uvicorn.Server):  # type: ignore[misc]
    """Serves the application, quietly. The first of its sockets is the vendor's door, which is
    closed while the fault `connection_refused` is in force."""

    def __init__(self, app: App) -> None:
        protocol = type("BoundProtocol", (VendorProtocol,), {"vendor_server": self})
        settings = uvicorn.Config(
            app,
            http=protocol,
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            ws="none",
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
        super().__init__(settings)
        self._simulator = app.simulator
        self._is_open = True
        self._keeper: asyncio.Task[None] | None = None

    def greet(self, guest: VendorProtocol) -> None:
        """Count a new connection at the vendor's door, or reset it where a fault says so."""
        if guest.server is None or guest.server[1] != self._address[1]:
            return
        simulator = self._simulator
        simulator.connections.accepted += 1
        if simulator.faults.resets_connection(simulator.clock.monotonic_ns()):
            simulator.connections.reset += 1
            guest.connection.reset()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets, "the vendor listens on sockets of the caller"
        self._address: tuple[str, int] = sockets[0].getsockname()[:2]
        await super().startup(sockets)
        self._keeper = asyncio.create_task(self._keep_door())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        await super().shutdown(sockets)

    async def _keep_door(self) -> None:
        while True:
            faults, clock = self._simulator.faults, self._simulator.clock
            shut = faults.refuses_connections(clock.monotonic_ns())
            if shut and self._is_open:
                self._close_door()
            elif not shut and not self._is_open:
                # the port may be taken by another program meanwhile: then try again
                with contextlib.suppress(OSError):
                    await self._open_door()
            await asyncio.sleep(_LOOK_EVERY_S)

    def _close_door(self) -> None:
        """Stop listening; idle connections are closed, running answers end first."""
        self._is_open = False
        self.servers[0].close()
        for guest in list(self.server_state.connections):
            if guest.server is not None and guest.server[1] == self._address[1]:
                guest.shutdown()

    async def _open_door(self) -> None:
        listener = bind(*self._address)
        loop = asyncio.get_running_loop()
        self.servers[0] = await loop.create_server(self._protocol, sock=listener, backlog=_BACKLOG)
        self._is_open = True

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        return protocol


def serve(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 9100,
    control_port: int | None = None,
    announce: Callable[[str], object] = lambda line: None,
) -> None:
    """Serve until interrupted; `announce` gets the first line once connections are accepted."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(bind(host, port))]
        announced = f"simulator listening on {url_of(listeners[0])}"
        if control_port is not None:
            listeners.append(stack.enter_context(bind(host, control_port)))
            announced = (
                f"simulator steered on {url_of(listeners[1])}, listening on {url_of(listeners[0])}"
            )
        announce(announced)
        VendorServer(app).run(sockets=listeners)
