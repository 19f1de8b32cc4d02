"""Starts processes of callers and collects their rows; what the scenarios of the gate share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.site import ROOT, running_simulator
from simulator.remote import Remote

MODELS = ("openai/gpt-4.1", "anthropic/claude-sonnet-5-5", "gemini/gemini-3.5-flash-lite")


@contextmanager
def limited_vendor(*, rpm: int, tpm: int) -> Iterator[Remote]:
    """A simulator whose models all have these limits, also over a second, and take their time to answer."""
    counts = ("--rpm", str(rpm), "--tpm", str(tpm), "--burst")
    with running_simulator(*counts, "--first-ms", "300", "--chunk-ms", "5") as url:
        yield Remote(url)


def overload_of(vendor: Remote, *, rpm: int, tpm: int, times: float) -> dict[str, Any]:
    """What callers need to ask every model for so many times its requests."""
    return {
        "vendor": vendor.url,
        "models": list(MODELS),
        "rate_per_s": times * len(MODELS) * rpm / 60.0,
        "limits": {"requests_per_minute": rpm, "tokens_per_minute": tpm},
    }


@dataclass(slots=True)
class Fleet:
    """Running processes of callers."""

    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def rows(self, *, within_s: float) -> list[dict[str, Any]]:
        """Wait for the end of every process; its rows, in the order of their end."""
        rows: list[dict[str, Any]] = []
        for process in self.processes:
            printed, complaint = process.communicate(timeout=within_s)
            if process.returncode:
                raise RuntimeError(complaint[-4_000:])
            rows += json.loads(printed.splitlines()[-1])
        return rows


@contextmanager
def running_callers(count: int, order: dict[str, Any]) -> Iterator[Fleet]:
    """`count` processes that share the order's rate; ended with the block."""
    fleet = Fleet()
    environment = os.environ | {"LOG_LEVEL": "CRITICAL", "DJANGO_SECRET_KEY": "for-a-measurement"}
    try:
        for number in range(count):
            part = order | {"rate_per_s": order["rate_per_s"] / count, "seed": number + 1}
            command = [sys.executable, "-m", "benchmarks.faults.callers", json.dumps(part)]
            fleet.processes.append(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        yield fleet
    finally:
        for process in fleet.processes:
            process.kill()
            process.wait()


def refused_upstream(vendor: Remote) -> int:
    """How many calls the vendor refused with 429, for any reason."""
    return sum(sum(second["refused"].values()) for second in vendor.seconds())


def used_share(
    rows: Sequence[dict[str, Any]], *, rpm: int, tpm: int, from_s: float, until_s: float
) -> float:
    """Use of the binding dimension by the answers asked for within a time, over all models."""
    models = {row["model"] for row in rows}
    shares = []
    minutes = (until_s - from_s) / 60.0
    for model in models:
        answered = [
            row
            for row in rows
            if row["model"] == model
            and row["outcome"] == "answered"
            and from_s <= row["first"] < until_s
        ]
        requests = len(answered) / (rpm * minutes)
        tokens = sum(row["tokens"] for row in answered) / (tpm * minutes)
        shares.append(max(requests, tokens))
    return min(shares)
