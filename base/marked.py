"""Stored answers as staff read them: Markdown's bold, lists and headings as HTML, all else as it was written. Pure.

Guarantees: every piece of the text is escaped; the only tags are `p`, `br`, `strong`, `ul`, `ol` and `li`, without
attributes. Links, images and code are not rendered: staff see what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_LINE = re.compile(
    r"\s*(?:(?P<ul>[-*•]\s+)|(?P<ol>[0-9]{1,3}[.)]\s+)|(?P<head>#{1,6}\s+))?(?P<text>.*)"
)


def marked(text: object) -> SafeString:
    """The text as paragraphs and lists."""
    lines = ((kind, words) for kind, words in map(_line, str(text).splitlines()))
    blocks = groupby(lines, key=lambda line: line[0])
    shown = [_block(kind, [words for _, words in group]) for kind, group in blocks if kind]
    return format_html_join("", "{}", ((block,) for block in shown))


def plain(text: object) -> str:
    """The text without the asterisks of bold, for a line that shows its beginning."""
    return _BOLD.sub(r"\1", str(text))


def _line(line: str) -> tuple[str, str]:
    """Its kind and its words; an empty line has no kind, and separates."""
    found = _LINE.fullmatch(line)
    if found is None or not found["text"].strip():
        return ("p", line) if line.strip() else ("", "")
    kind = next((name for name in ("ul", "ol", "head") if found[name]), "p")
    return kind, found["text"].strip()


def _block(kind: str, lines: list[str]) -> SafeString:
    rows = [(_inline(line),) for line in lines]
    if kind == "ul":
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", rows))
    if kind == "ol":
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", rows))
    if kind == "head":
        return format_html_join("", "<p><strong>{}</strong></p>", ((line,) for line in lines))
    return format_html("<p>{}{}</p>", *rows[0], format_html_join("", "<br>{}", rows[1:]))


def _inline(line: str) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in _parts(line)))


def _parts(line: str) -> Iterator[SafeString | str]:
    """What stands between two pairs of asterisks is bold."""
    for place, part in enumerate(_BOLD.split(line)):
        yield format_html("<strong>{}</strong>", part) if place % 2 else part
