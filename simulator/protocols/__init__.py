"""The wire protocols, one module of one shape each."""

from __future__ import annotations
