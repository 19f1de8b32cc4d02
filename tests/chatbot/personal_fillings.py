"""What two shoppers put into the templates of personal questions."""

from __future__ import annotations

FILLINGS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "en": (
        {
            "order": "BW-20261199",
            "phone": "13800138000",
            "name": "Anna Keller",
            "address": "12 Harbour Street, Leeds",
        },
        {
            "order": "BW-20265530",
            "phone": "13900139111",
            "name": "Tom Weber",
            "address": "7 Mill Lane, Bristol",
        },
    ),
    "zh": (
        {
            "order": "20261124998",
            "phone": "13800138000",
            "name": "王小明",
            "address": "上海市浦东新区花园路12号",
        },
        {
            "order": "20261130217",
            "phone": "13900139111",
            "name": "李婷",
            "address": "杭州市西湖区文三路88号",
        },
    ),
}
