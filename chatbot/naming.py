"""What rules may name that lives in the shop: topics and articles, as they stand now."""

from __future__ import annotations

from collections.abc import Collection

from chatbot.models import Article


class ShopNames:
    """Topics and article keys of the enabled articles."""

    def topics(self) -> Collection[str]:
        """Every topic that some enabled article has."""
        return set(Article.objects.filter(enabled=True).values_list("topic", flat=True))

    def articles(self) -> Collection[str]:
        """The keys of enabled articles, of any language."""
        return set(Article.objects.filter(enabled=True).values_list("key", flat=True))
