"""Which part of a prompt a vendor has seen shortly before and bills as cached."""

from __future__ import annotations

from simulator.counting import count_tokens
from simulator.windows import NS_PER_S

_BLOCK_TOKENS = 64
_LEAST_TOKENS = {"deepseek": 64}
_LEAST_DEFAULT_TOKENS = 1024
_KEPT_TEXTS = 10_000

Account = tuple[str, str, str]


class PromptCache:
    """System texts by (vendor, key, model), each kept for `ttl_s` after its last use."""

    def __init__(self, *, ttl_s: float) -> None:
        self._ttl_ns = round(ttl_s * NS_PER_S)
        self._seen_ns: dict[tuple[Account, str], int] = {}

    def hit_tokens(self, account: Account, *, text: str, now_ns: int) -> int:
        """Tokens of `text` billed as cached, in whole blocks; remembers the text."""
        if len(self._seen_ns) >= _KEPT_TEXTS:
            self._seen_ns.clear()
        seen_ns = self._seen_ns.get((account, text))
        self._seen_ns[account, text] = now_ns
        if seen_ns is None or now_ns - seen_ns >= self._ttl_ns:
            return 0
        tokens = count_tokens(text) // _BLOCK_TOKENS * _BLOCK_TOKENS
        return tokens if tokens >= _LEAST_TOKENS.get(account[0], _LEAST_DEFAULT_TOKENS) else 0
