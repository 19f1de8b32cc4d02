"""A local model vendor: three wire protocols, rate limits, faults and its own bill.

The package guarantees independence: it shares no code with the product, so that a test which
compares the product's ledger, limiter or token estimate with it compares two programs.
"""

from __future__ import annotations
