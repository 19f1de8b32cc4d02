"""Fault injection with real servers and processes; `python -m benchmarks.faults --help`."""

from __future__ import annotations
