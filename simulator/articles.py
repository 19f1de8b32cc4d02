"""Reads the shop articles out of a prompt and cuts them into sentences, word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ARTICLE = re.compile(r'<article key="([^"\s]+)">(.*?)</article>', re.DOTALL)
_TITLE = re.compile(r"^\s*Title:[ \t]*(.*)$", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_NOT_PROSE = re.compile(r"^\s*(?:#|\||```)|\[\[|\]\]")
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=\S)|(?<=[。！？])\s*(?=\S)")
_SHORTEST_CHARS = 6


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a prompt; `sentences` are its body's, in order."""

    key: str
    title: str
    body: str
    sentences: tuple[str, ...]


def split_sentences(body: str) -> tuple[str, ...]:
    """Sentences of a body; headings, table rows and lines with marker brackets are left out.

    Emphasis that a cut left open on one side is taken off.
    """
    sentences = []
    for line in body.splitlines():
        if _NOT_PROSE.search(line):
            continue
        text = _BULLET.sub("", line).strip()
        whole = (_closed(part) for part in _SENTENCE_END.split(text))
        sentences += [sentence for sentence in whole if len(sentence) >= _SHORTEST_CHARS]
    return tuple(sentences)


def _closed(sentence: str) -> str:
    return sentence if sentence.count("**") % 2 == 0 else sentence.replace("**", "").strip()


@lru_cache(maxsize=512)
def _article(key: str, block: str) -> Article:
    match = _TITLE.search(block)
    title = match.group(1).strip() if match else ""
    body = block[match.end() :] if match else block
    return Article(key, title, body.strip(), split_sentences(body))


@lru_cache(maxsize=512)
def parse_articles(system: str) -> tuple[Article, ...]:
    """The articles of a system text in their order; empty if it holds none."""
    return tuple(_article(key, block) for key, block in _ARTICLE.findall(system))
