"""Do two questions that are otherwise alike ask for opposites? Pure.

Two signs, each read only when the rest of the wording is largely the same (a free paraphrase may
negate its way round): words of an antonym pair on opposite sides (before / after, 注册 / 注销), or a
negation on one side only. Question forms that merely look negative ("can't I", 能不能) do not count.
"""

from __future__ import annotations

import re

from base.text import char_ngrams, fold, tokens

MIN_SHARED = 0.5

_PAIRS: tuple[tuple[str, str], ...] = (
    ("before", "after"),
    ("with", "without"),
    ("on", "off"),
    ("enable", "disable"),
    ("activate", "deactivate"),
    ("open", "close"),
    ("opened", "closed"),
    ("opening", "closing"),
    ("start", "end"),
    ("starts", "ends"),
    ("begin", "end"),
    ("up", "down"),
    ("increase", "decrease"),
    ("higher", "lower"),
    ("more", "less"),
    ("most", "least"),
    ("earliest", "latest"),
    ("minimum", "maximum"),
    ("min", "max"),
    ("add", "remove"),
    ("subscribe", "unsubscribe"),
    ("accept", "refuse"),
    ("accept", "reject"),
    ("buy", "sell"),
    ("send", "receive"),
    ("sent", "received"),
    ("include", "exclude"),
    ("included", "excluded"),
    ("new", "old"),
    ("new", "used"),
    ("early", "late"),
    ("first", "last"),
    ("long", "short"),
    ("domestic", "international"),
    ("inside", "outside"),
    ("create", "delete"),
    ("register", "delete"),
    ("join", "leave"),
    ("cancel", "place"),
    ("cancel", "keep"),
    ("win", "lose"),
    ("above", "below"),
    ("over", "under"),
    ("heavy", "light"),
    ("import", "export"),
    ("online", "offline"),
    ("cheaper", "dearer"),
    ("cheaper", "expensive"),
    ("allowed", "forbidden"),
    ("hot", "cold"),
    ("hide", "show"),
    ("sender", "recipient"),
    ("buyer", "seller"),
    ("personal", "company"),
    ("男", "女"),
    ("之前", "之后"),
    ("以前", "以后"),
    ("前", "后"),
    ("开启", "关闭"),
    ("打开", "关闭"),
    ("开", "关"),
    ("注册", "注销"),
    ("开通", "取消"),
    ("绑定", "解绑"),
    ("降价", "涨价"),
    ("以上", "以下"),
    ("以内", "以外"),
    ("开始", "结束"),
    ("增加", "减少"),
    ("偏大", "偏小"),
    ("大", "小"),
    ("长", "短"),
    ("新", "旧"),
    ("上架", "下架"),
    ("最高", "最低"),
    ("最多", "最少"),
    ("最早", "最晚"),
    ("买家", "卖家"),
    ("寄出", "收到"),
    ("加入", "退出"),
    ("免费", "收费"),
    ("境内", "境外"),
    ("国内", "国外"),
    ("个人", "公司"),
    ("包含", "不含"),
    ("有货", "缺货"),
    ("接收", "拒收"),
    ("签收", "拒收"),
    ("提前", "推迟"),
    ("买", "卖"),
    ("冷", "热"),
    ("订阅", "退订"),
    ("手洗", "机洗"),
)
_LATIN_NEGATION = frozenset("not no never without none cannot nor neither unable".split())
_UN_WORD = re.compile(
    r"^(?:un|non)(?=\w{4})|^(?:in|im|ir)(?=(?:valid|active|complete|correct|possible|regular)$)"
)
_NOT_UN = frozenset("under until unit united unless union unique understand".split())
_NEGATIVE_QUESTION = re.compile(
    r"\b(?:can|could|do|does|did|is|are|was|were|won|will|would|should|have|has)n['’]?t (?=i\b|you\b|we\b|it\b|the\b|my\b|there\b|they\b)"
    r"|\bwhy not\b|\bor not\b|\bif not\b|\bno\.(?=\s?[a-z]*\d)"
)
_HAN_QUESTION = re.compile(
    r"(.)[不没]\1|[有没]没有(?=.*[吗么?？]?$)|是不是|能不能|可不可以|要不要|有没有|会不会|好不好|[不没](?=[吗么呢]?[?？]?$)|不错|不好意思|差不多|不过|不管|没关系|不然"
)
_HAN_NEGATION = re.compile(r"[不没未无非别]")


def polarity_conflict(left: str, right: str) -> str | None:
    """The contrast in words, or None."""
    a, b = _Reading(left), _Reading(right)
    for one, other in _PAIRS:
        crossed = (a.has(one, other) and b.has(other, one)) or (
            a.has(other, one) and b.has(one, other)
        )
        if crossed and _alike(a, b, ignoring={one, other}):
            return f"polarity differs: {one} / {other}"
    if a.negations % 2 != b.negations % 2 and _alike(a, b, ignoring=set()):
        return "polarity differs: one of them is negated"
    return None


class _Reading:
    """A text as words, Han n-grams, and the number of its negations."""

    def __init__(self, text: str) -> None:
        self.folded = fold(text)
        plain = _HAN_QUESTION.sub(" ", _NEGATIVE_QUESTION.sub(" ", self.folded))
        words = list(tokens(plain))
        self.negations = sum(_is_negation(word) for word in words) + len(
            _HAN_NEGATION.findall(plain)
        )
        self.words = {_positive(word) for word in words if not _is_bare_negation(word)}
        self.units = {
            unit
            for word in self.words
            for unit in (
                char_ngrams(_HAN_NEGATION.sub("", word)) if word[0] >= "\u3400" else [word]
            )
        }

    def has(self, word: str, instead_of: str) -> bool:
        """Whether the text holds `word` and not its opposite."""
        if word[0] >= "\u3400":
            return word in self.folded and instead_of not in self.folded
        return word in self.words and instead_of not in self.words


def _is_bare_negation(word: str) -> bool:
    return word in _LATIN_NEGATION or word.endswith(("n't", "n\u2019t"))


def _is_negation(word: str) -> bool:
    return _is_bare_negation(word) or _positive(word) != word


def _positive(word: str) -> str:
    """`unopened` -> `opened`; other words unchanged."""
    return word if word in _NOT_UN or word[0] >= "\u3400" else _UN_WORD.sub("", word)


def _alike(a: _Reading, b: _Reading, *, ignoring: set[str]) -> bool:
    """Whether at least MIN_SHARED of the smaller text's units are shared, contrast words aside."""
    left = {unit for unit in a.units if not any(unit in word for word in ignoring)}
    right = {unit for unit in b.units if not any(unit in word for word in ignoring)}
    smaller = min(len(left), len(right))
    return smaller == 0 or len(left & right) / smaller >= MIN_SHARED
