"""A simulator in a thread of this process, for tests and benchmarks."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from simulator.clock import Clock
from simulator.config import Config
from simulator.listening import VendorServer, bind, url_of
from simulator.remote import Remote
from simulator.server import create_app

_STOP_WAIT_S = 10.0


class RunningSimulator(Remote):
    """`with RunningSimulator(config, clock) as vendor:` serves on a free port until the end.

    Steer it with the methods of `Remote`; they go over a port of their own, so they work while
    connections to the vendor are refused.
    """

    def __init__(
        self,
        config: Config | None = None,
        clock: Clock | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__("")
        self._address = (host, port)
        self._server = VendorServer(create_app(config, clock))

    def __enter__(self) -> Self:
        self._listener = bind(*self._address)
        self._control = bind(self._address[0], 0)
        self.url, self.control_url = url_of(self._listener), url_of(self._control)
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        self._server.run(sockets=[self._listener, self._control])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_WAIT_S)
        self._listener.close()
        self._control.close()
