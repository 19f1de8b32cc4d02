"""The operator's endpoints: bill, arrivals, health, faults, limits, reset. No key is asked for: the simulator
is for this machine only."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

from simulator.arrivals import Filter
from simulator.config import ConfigError, parse_limits
from simulator.engine import Simulator
from simulator.faults import FaultError, parse

Answer = tuple[int, dict[str, Any]]


def _load(body: bytes) -> object:
    try:
        return json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise FaultError("the body is not JSON") from error


def _faults(simulator: Simulator, *, method: str, query: dict[str, str], body: bytes) -> Answer:
    if method == "POST":
        now_ns, now = simulator.clock.monotonic_ns(), simulator.clock.now()
        fault = parse(_load(body), now_ns=now_ns, now=now)
        simulator.faults.add(fault)
        return 200, {"added": asdict(fault)}
    if method == "DELETE":
        order = _load(body)
        named = order.get("name") if isinstance(order, dict) else None
        return 200, {"removed": simulator.faults.remove(query.get("name") or named)}
    return 200, {"faults": simulator.faults.as_json(now_ns=simulator.clock.monotonic_ns())}


def _limits(simulator: Simulator, *, method: str, body: bytes) -> Answer:
    if method == "POST":
        simulator.limits.update(parse_limits(_load(body)))
    return 200, {"limits": {name: asdict(limits) for name, limits in simulator.limits.items()}}


def _arrivals(simulator: Simulator, *, query: dict[str, str], per_second: bool) -> Answer:
    try:
        wanted = Filter.from_query(query)
    except ValueError as error:
        raise FaultError("since_s and until_s are Unix seconds") from error
    seen = simulator.arrivals
    return 200, seen.seconds(wanted) if per_second else seen.calls(wanted)


def _health(simulator: Simulator) -> Answer:
    return 200, {
        "status": "ok",
        "in_flight": simulator.in_flight,
        "now": simulator.clock.now().isoformat(),
        "process_cpu_s": time.process_time(),
        "calls": simulator.arrivals.total,
        "redirects_followed": simulator.arrivals.redirects_followed,
    } | {"connections": asdict(simulator.connections)}


def handle(
    simulator: Simulator, path: str, *, method: str, query: dict[str, str], body: bytes
) -> Answer | None:
    """Status and JSON of an operator's request, None if the path is none of theirs."""
    try:
        match path:
            case "/control/faults":
                return _faults(simulator, method=method, query=query, body=body)
            case "/control/limits":
                return _limits(simulator, method=method, body=body)
            case "/control/reset" if method == "POST":
                simulator.reset()
                return 200, {"reset": True}
            case "/bill":
                return 200, simulator.bill.as_json(with_rows=query.get("rows") == "1")
            case "/healthz":
                return _health(simulator)
            case "/arrivals" | "/arrivals/seconds":
                return _arrivals(simulator, query=query, per_second=path.endswith("seconds"))
    except (FaultError, ConfigError) as error:
        return 400, {"error": str(error)}
    return None
