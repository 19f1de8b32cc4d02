"""What a question may do to the shared cache. Pure: text in, verdict out, no network, no rows.

Personal means that the right answer differs between two shoppers, or that the text carries an identifier;
first person alone decides nothing. Leaning means that the text cannot be understood without earlier
turns. Either one keeps a question out of the shared cache, for reading and for writing, exact tier included.

Identifiers are found by pattern. The rest is decided by a small linear model over word and character
n-grams (`guard_model.py`), fitted on `guard_data/` by `manage.py fit_guard` and kept in the repository as data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from base.text import Language, fold
from cache.normalize import canonical
from cache.values import values_in
from chatbot.guard_model import GuardModel

SmallTalk = Literal["hello", "thanks", "bye"]

_PHONE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|\+\d{1,3}[ -]?\d{6,12}")
_ADDRESS = re.compile(
    r"\b(?:flat|apt|apartment|unit|room|suite)\s?#?\d+\w?\b|\b\d+[a-z]?,? (?:\w+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive)\b"
    r"|(?:[\u4e00-\u9fff]{2,}(?:省|市|区|县|镇|路|街|巷|弄)){1,}[\u4e00-\u9fff]*\d+(?:号|弄|栋|室|楼|单元)?|\d+(?:号楼|栋|单元|室)",
)
_SELF_NAMED = re.compile(
    r"\b(?:my name is|this is|i am|i'm|signed,?) (?:mrs?\.? |ms\.? |dr\.? )?[A-Z][a-z]+ [A-Z][a-z]+|^(?:Mrs?|Ms|Dr)\.? [A-Z][a-z]+ here"
    r"|我叫[\u4e00-\u9fff]{2,3}(?=[，,。\s]|$)|我是[赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华魏陶姜谢邹苏潘葛范彭鲁韦马苗方任袁柳唐罗薛雷贺倪汤殷郝常傅卞康顾孟黄穆萧尹姚邵汪毛狄成戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路娄江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万柯管卢莫房丁邓洪包左石崔龚程邢裴陆翁曲段侯武刘龙叶黎乔曾赖余温][\u4e00-\u9fff]{1,2}(?=[，,。\s]|$)|收件人[是叫:：]?\s?[\u4e00-\u9fff]{2,4}|姓名[:：]?\s?[\u4e00-\u9fff]{2,4}"
)
_CARD_DIGITS = re.compile(r"(?:card|ending|ends|尾号)\s?(?:in|with|是|为)?\s?\d{2,4}\b|尾号\s?\d{3,4}")
# Addresses that the shop itself publishes are nobody's identifier.
_PUBLIC = re.compile(r"@harbourlane\.example\b|\b12315\b")
_SMALL_TALK: dict[SmallTalk, frozenset[str]] = {
    "hello": frozenset("hi|hello|hey|hi there|hello there|good morning|good afternoon|good evening|你好|您好|在吗|亲在吗|在不在|嗨|哈喽|hello在吗".split("|")),
    "thanks": frozenset("thanks|thank you|thx|ty|thanks a lot|thank you very much|great thanks|ok thanks|谢谢|谢谢你|谢谢您|多谢|感谢|好的谢谢".split("|")),
    "bye": frozenset("bye|goodbye|bye bye|see you|再见|拜拜".split("|")),
}
_ABUSE = frozenset("fuck fucking fucker bitch asshole cunt motherfucker 傻逼 操你 妈的 草泥马 滚蛋 王八蛋 去死".split())
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Reasons in words; empty tuples mean that nothing was found."""

    personal: tuple[str, ...]
    leaning: tuple[str, ...]
    abusive: bool
    small_talk: SmallTalk | None

    @property
    def may_share(self) -> bool:
        """Whether the shared cache may be read for and written from this question."""
        return not (self.personal or self.leaning or self.abusive)

    @property
    def notes(self) -> list[str]:
        """All reasons, for the receipt."""
        return [
            *(f"personal: {reason}" for reason in self.personal),
            *(f"leans on earlier turns: {reason}" for reason in self.leaning),
            *(["abusive"] if self.abusive else []),
        ]


class Guard:
    """The verdicts of one guard model."""

    def __init__(self, model: GuardModel) -> None:
        self._model = model

    def inspect(self, text: str, *, language: Language) -> Verdict:
        """Judge a question before anything is looked up for it."""
        scores = self._model.scores(text, language=language)
        personal = list(identifier_marks(text))
        if scores.personal >= self._model.personal_bound(text, language=language):
            personal.append(f"about this shopper's own case ({scores.personal:.0%})")
        leaning = list(leaning_marks(text))
        if scores.leaning >= self._model.leaning_bound(language):
            leaning.append(f"not understandable alone ({scores.leaning:.0%})")
        return Verdict(
            personal=tuple(personal),
            leaning=tuple(leaning),
            abusive=any(word in fold(text) for word in _ABUSE),
            small_talk=small_talk_in(text),
        )


def identifier_marks(text: str) -> tuple[str, ...]:
    """Kinds of identifiers in a text: each makes a question, or an answer, personal."""
    private = _PUBLIC.sub(" ", text)
    checks = (
        (bool(_PHONE.search(private)), "a phone number"),
        (bool(_CARD_DIGITS.search(fold(private))), "card digits"),
        (bool(_ADDRESS.search(fold(private))), "an address"),
        (bool(_SELF_NAMED.search(private)), "a name"),
        (any("@" in found or len(found) >= 6 for found in values_in(private).identifiers), "an identifier"),
    )
    return tuple(name for found, name in checks if found)


def small_talk_in(text: str) -> SmallTalk | None:
    """Whether the whole text is only a greeting, a thank-you or a goodbye."""
    bare = _EDGES.sub("", " ".join(fold(text).replace(",", " ").split()))
    return next((kind for kind, phrases in _SMALL_TALK.items() if bare in phrases), None)


_LATIN_LEANING = re.compile(
    r"^(?:and|but|so|ok(?:ay)?|also|or|then|well)?[\s,]*(?:(?:what|how) about|and)\s(?:the|that|this|those|these|it|for|if|in|with|my)?\s?[\w\s'-]{0,40}$"
    r"|^(?:yes|yeah|yep|no|nope|sure|ok|okay|right|correct|exactly|really|why|why not|how so|when|where|how|how come|which|which one|who|what|huh|hm+)(?:\s(?:please|then|is that|exactly|so|though))?$"
    r"|^(?:the|that|this) (?:first|second|third|last|other|former|latter|same|blue|red|black|white|green|bigger|smaller|cheaper|larger|new|old)(?: (?:one|ones|option|colour|color|size|two))?$"
    r"|^(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have) (?:it|that|they|those|this one|that one|these|this)\b(?!\s+(?:possible|ok|okay|allowed|normal|true|safe|legal|necessary|bad|worth)\b.{6,})"
    r"|\b(?:what|how|why|when|where)(?: \w+)? (?:about|is|are|does|do|did|can|will) (?:it|that|them|those|this one|that one)\b(?! (?:true|possible|ok)).{0,25}$"
    r"|\b(?:the (?:same|other) (?:one|thing)|that one|this one|these ones|those ones|the blue one|the red one|the other one|as you said|you (?:just )?said|you mentioned|mentioned (?:above|before)|like before)\b"
)
_HAN_LEANING = re.compile(
    r"^(?:那|那么|然后|还有|而且|所以|但是|可是|那要是|那如果)[^双会员退换运发]{0,14}呢?$"
    r"|^.{0,8}呢$|^(?:它|他|她|这个|那个|这款|那款|这件|那件|这种|那种|这些|那些|这样|那样|前面|后面|上面|刚才|刚刚)(?!月|双|活动).{0,16}$"
    r"|^(?:是的?|对的?|嗯+|好的?|行|可以|不是|不行|不用|没有|有的?|为什么|为啥|怎么说|然后呢|真的[吗假]?|多久|多少|多少钱|哪个|哪里|什么时候|什么意思|怎么弄|怎么办|几天|第[一二三四五]个?|另一个|其他的?|别的|还有别的吗|都要|不要|要|随便|好吧|知道了|明白了|继续)[吗呢吧啊呀了的嘛]*$"
    r"|(?:刚才|刚刚|上面|前面)(?:说|讲|提|那)|你说的|第[一二三]个(?:呢|吗|可以|多少)|跟(?:这|那)个一样|换成(?:这|那)个"
)
_ENOUGH_CONTENT_CHARACTERS = 60


def leaning_marks(text: str) -> tuple[str, ...]:
    """Signs that a text leans on earlier turns; long texts carry their own subject."""
    plain = _EDGES.sub("", fold(text))
    if len(plain) > _ENOUGH_CONTENT_CHARACTERS:
        return ()
    if not canonical(text):
        return ("no words",)
    spoken = plain.rstrip("?.!? ")
    if _LATIN_LEANING.search(spoken):
        return ("refers to something said before",)
    return ("承接上文",) if _HAN_LEANING.search(spoken) else ()
