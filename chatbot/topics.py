"""Titles of the demo shop's topics; a topic that is not here is shown as it is written."""

from __future__ import annotations

_TITLES: dict[str, tuple[str, str]] = {
    "shipping": ("Shipping", "物流配送"),
    "returns": ("Returns and refunds", "退换货与退款"),
    "orders": ("Orders", "订单"),
    "payment": ("Payment", "支付"),
    "invoices": ("Invoices", "发票"),
    "promo": ("Promotions", "优惠活动"),
    "promotions": ("Promotions", "优惠活动"),
    "sizes": ("Sizes", "尺码"),
    "care": ("Care", "洗护"),
    "warranty": ("Warranty", "保修"),
    "account": ("Account", "账户"),
    "complaints": ("Complaints", "投诉"),
    "contact": ("Contact", "联系我们"),
    "product": ("Products", "商品"),
}


def topic_title(topic: str, *, locale: str) -> str:
    """The topic's title in a locale."""
    english, chinese = _TITLES.get(topic, (topic.capitalize(), topic))
    return chinese if locale == "zh-hans" else english
