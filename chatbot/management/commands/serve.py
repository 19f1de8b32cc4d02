"""The server: one process, and the simulator beside it when no vendor key is set (demo)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from base import env
from base.locks import AlreadyRunning, ProcessLock
from chatbot.frames import MAX_SOCKET_BYTES

# The process has let answers finish and closed its sockets before the web server begins.
GRACEFUL_SHUTDOWN_S = 5
DEMO_KEY = "demo-key-of-the-simulator"
VENDOR_PATHS = {
    "gemini": "/gemini/v1beta",
    "deepseek": "/deepseek",
    "anthropic": "/anthropic",
    "openai": "/openai/v1",
    "holysheep": "/holysheep/v1",
}


class Command(BaseCommand):
    help = "Serve the site. Without any vendor key the local simulator answers (demo mode)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=env.text("HOST"))
        parser.add_argument("--port", type=int, default=env.number("PORT"))

    def handle(self, *args: object, **options: Any) -> None:
        # The web server raises the signal again when it has shut down; as an exception it still
        # lets the simulator and the lock be put away.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with ExitStack() as stack:
            try:
                stack.enter_context(ProcessLock(settings.DATA_DIR / "serve.lock"))
            except AlreadyRunning as error:
                raise CommandError(str(error)) from error
            if not any(env.text(name) for name in env.KEY_NAMES):
                stack.enter_context(Demo(self))
            self._serve(options["host"], options["port"])

    def _serve(self, host: str, port: int) -> None:
        # Static files are streamed by a synchronous library; Django says so once per file.
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
        self.stdout.write(f"chat: http://{host}:{port}/   admin: http://{host}:{port}/admin/")
        uvicorn.run(
            "chatbot.asgi:application",
            host=host,
            port=port,
            workers=1,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MAX_SOCKET_BYTES,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
            log_config=None,
            access_log=False,
        )


class Demo:
    """The simulator as a child process, and the environment that points every vendor at it."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command

    def __enter__(self) -> Demo:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(settings.BASE_DIR),
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        address = line.rsplit(" ", 1)[-1].strip()
        if not address.startswith("http"):
            message = "the simulator did not start; run `python -m simulator` to see why"
            raise CommandError(message)
        point_at_simulator(address)
        self._command.stdout.write(
            f"demo: no vendor key is set, the simulator at {address} answers"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


def point_at_simulator(address: str, *, names: tuple[str, ...] = env.KEY_NAMES) -> None:
    """Set keys and addresses of the named vendors so that the simulator at `address` is all of them."""
    settings.UPSTREAM_ALLOW_LOOPBACK = True
    os.environ["UPSTREAM_ALLOW_LOOPBACK"] = "1"
    for name in names:
        vendor = name.removesuffix("_API_KEY")
        os.environ[name] = DEMO_KEY
        os.environ[f"{vendor}_BASE_URL"] = f"{address}{VENDOR_PATHS[vendor.lower()]}"
