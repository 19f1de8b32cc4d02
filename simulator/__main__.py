"""Command line: `python -m simulator --port 9100 [--rpm 300 --tpm 100000] ...`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from simulator.config import BURST, Config, ConfigError, parse_config
from simulator.faults import FaultError, parse_short
from simulator.listening import serve
from simulator.server import create_app
from simulator.windows import MINUTE, Limits


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    options = argparse.ArgumentParser(
        prog="simulator", description="A local model vendor speaking three wire protocols."
    )
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=9100, help="0 picks a free one")
    options.add_argument(
        "--control-port", type=int, help="also steer it here, even while connections are refused"
    )
    options.add_argument("--rpm", type=int, help="requests per minute of each key and model")
    options.add_argument("--tpm", type=int, help="tokens per minute of each key and model")
    options.add_argument("--rpd", type=int, help="requests per day of each key and model")
    options.add_argument("--in-flight", type=int, help="requests in flight, DeepSeek only")
    options.add_argument("--burst", action="store_true", help="also a 2 s window at twice the rate")
    options.add_argument(
        "--minute-s", type=float, help="how long a minute of the limits is, default 60"
    )
    options.add_argument("--config", type=Path, metavar="FILE.json")
    options.add_argument("--first-ms", type=float, help="time to the first text, default 120")
    options.add_argument("--chunk-ms", type=float, help="time between pieces of text, default 15")
    options.add_argument("--seed", type=int)
    options.add_argument("--today", type=date.fromisoformat, metavar="YYYY-MM-DD")
    options.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:PROBABILITY[:VENDOR[:MODEL]]]"
    )
    return options


def read_config(arguments: argparse.Namespace) -> Config:
    """Settings of the file, overridden by the command line; raises ConfigError."""
    settings: dict[str, Any] = {"first_ms": 120.0, "chunk_ms": 15.0}
    if arguments.config is not None:
        try:
            settings |= parse_config(json.loads(arguments.config.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{arguments.config}: {error}") from error
    for name in ("first_ms", "chunk_ms", "seed", "today", "minute_s"):
        if (value := getattr(arguments, name)) is not None:
            settings[name] = value
    if arguments.burst:
        settings["windows"] = (MINUTE, BURST)
    limits = dict(settings.get("limits", {}))
    rate = Limits(rpm=arguments.rpm, tpm=arguments.tpm, rpd=arguments.rpd)
    if rate != Limits():
        limits["*"] = rate
    if arguments.in_flight is not None:
        limits["deepseek"] = replace(rate, in_flight=arguments.in_flight)
    return Config(**(settings | {"limits": limits}))


def _announce(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 2 if a setting is wrong or the address is taken."""
    arguments = parser().parse_args(argv)
    try:
        app = create_app(read_config(arguments))
        now_ns = app.simulator.clock.monotonic_ns()
        for text in arguments.fault:
            app.simulator.faults.add(parse_short(text, now_ns=now_ns))
        serve(
            app,
            host=arguments.host,
            port=arguments.port,
            control_port=arguments.control_port,
            announce=_announce,
        )
    except (ConfigError, FaultError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
