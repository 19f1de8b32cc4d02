"""Sizes in a text: letters (M, 中号), numbers (EU 38, 38码), measures (25 cm = 250 mm). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cache.spans import Spans, plain_number

_WORDS = {
    "extra small": "XS", "x small": "XS", "small": "S", "medium": "M", "large": "L",
    "extra large": "XL", "x large": "XL", "xx large": "2XL", "one size": "one size",
    "free size": "one size", "特小号": "XS", "加小码": "XS", "小号": "S", "小码": "S", "中号": "M",
    "中码": "M", "大号": "L", "大码": "L", "加大号": "XL", "加大码": "XL", "特大号": "XL",
    "特大码": "XL", "均码": "one size",
}  # fmt: skip
_UNITS = {
    "cm": ("mm", 10), "centimet": ("mm", 10), "厘米": ("mm", 10), "公分": ("mm", 10),
    "mm": ("mm", 1), "millimet": ("mm", 1), "毫米": ("mm", 1), "寸": ("inch", 1),
    "inch": ("inch", 1), '"': ("inch", 1), "kg": ("g", 1000), "kilo": ("g", 1000),
    "公斤": ("g", 1000), "千克": ("g", 1000), "斤": ("g", 500), "g": ("g", 1), "gram": ("g", 1),
    "克": ("g", 1),
}  # fmt: skip
_IN_WORDS = {"half an": 0.5, "half a": 0.5, "half": 0.5, "one": 1.0, "an": 1.0, "a": 1.0}
_WORD = "|".join(word.replace(" ", "[ -]") for word in sorted(_WORDS, key=len, reverse=True))
_MEASURE = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|(?<![a-z])(?:half an?|half|one|an?)(?=[ -](?:kilo|kg|gram|cm|centi|inch)))"
    r"[ -]?"
    r"(?P<unit>cm|centimet|mm|millimet|kg|kilo|gram|g|厘米|公分|毫米|公斤|千克|克|斤|英?寸|inch|\")"
    r"(?:(?<=et)(?:re|er)s?|(?<=kilo)(?:s|grams?)?|(?<=gram)s|(?<=kg)s|(?<=inch)(?:es)?)?(?![a-z])"
    r"|(?P<metres>[12]\.\d{1,2})\s?(?:m(?![a-z])|米)|(?P<metre>[12])米(?P<rest>\d{1,2})(?!\d)",
    re.IGNORECASE,
)
# A lone s, m or l is a size in capitals (but not 20 L), or in lower case where the place shows it.
_LETTER = (
    r"(?:xxxl|xxl|xl|xs|[2-6] ?xl|(?-i:[SM]|(?<!\d )L)"
    r"|(?<=size )[sml]|(?<=\b(?:an|in|or) )[ml]|(?<=\ban )s"
    r"|[sml](?=\s?[码号])|(?<=[\u3400-\u9fff])[sml])"
)
_SIZE = re.compile(
    rf"(?<![a-z0-9'’])(?P<letter>{_LETTER})(?![a-z0-9'’])"
    rf"|(?<![a-z])(?P<word>{_WORD})(?![a-z])"
    r"|(?P<foreign>uk|us)\s?(?P<abroad>\d{1,2}(?:\.5)?)(?!\d)"
    r"|(?:size|eu|eur|欧码|尺码|穿)\s?(?P<number>[2-5]\d(?:\.5)?)(?!\d)"
    r"|(?P<ma>\d{2,3}(?:\.5)?)\s?(?:码|号(?:鞋|的))",
    re.IGNORECASE,
)
_SIGNS = "s m l xs xl xxl xxxl small medium large size eu uk us one free half kilo kg gram inch"
_LATIN_SIGNS = frozenset(_SIGNS.split())
_DOUBLED = {"XXL": "2XL", "XXXL": "3XL"}


def sizes_in(spans: Spans) -> frozenset[str]:
    """Take the sizes and body measures of a text; lengths in mm, weights in g."""
    if not spans.may_hold(_LATIN_SIGNS):
        return frozenset()
    measures = spans.take(_MEASURE, _measure)
    return frozenset(measures | spans.take(_SIZE, _size))


def _measure(match: re.Match[str]) -> Iterable[str]:
    if match["metre"]:
        return (f"{int(match['metre']) * 1000 + int(match['rest'].ljust(2, '0')) * 10} mm",)
    if match["metres"]:
        return (f"{float(match['metres']) * 1000:g} mm",)
    unit, factor = _UNITS[match["unit"].casefold().removeprefix("英")]
    written = match["number"].casefold()
    return (f"{(_IN_WORDS.get(written) or float(written)) * factor:g} {unit}",)


def _size(match: re.Match[str]) -> Iterable[str]:
    if match["letter"]:
        letter = match["letter"].upper().replace(" ", "")
        return (_DOUBLED.get(letter, letter),)
    if match["word"]:
        return (_WORDS[re.sub("[ -]", " ", match["word"].casefold())],)
    if match["foreign"]:
        return (f"{match['foreign'].casefold()} {plain_number(match['abroad'])}",)
    return (plain_number(match["number"] or match["ma"]),)
