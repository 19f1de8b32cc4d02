"""A simulator in a thread of this process, for tests and benchmarks."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from simulator.clock import Clock
from simulator.config import Config
from simulator.remote import Remote
from simulator.server import bind, build_server, create_app, url_of

_STOP_WAIT_S = 10.0


class RunningSimulator(Remote):
    """`with RunningSimulator(config, clock) as vendor:` serves on a free port until the end.

    Steer it with the methods of `Remote`.
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
        self._server = build_server(create_app(config, clock))

    def __enter__(self) -> Self:
        self._listener = bind(*self._address)
        self.url = url_of(self._listener)
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_WAIT_S)
        self._listener.close()
