"""Identifiers in a text: what ties it to one shopper whatever it asks. Pure."""

from __future__ import annotations

import re

from base.text import fold
from cache.values import values_in

_PHONE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|\+\d{1,3}[ -]?\d{6,12}")
_LATIN_ADDRESS = (
    r"\b(?:flat|apt|apartment|unit|room|suite)\s?#?\d+\w?\b"
    r"|\b\d+[a-z]?,? (?:[\w'-]+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive)\b"
)
# A number must follow: a city or a district alone is a question about delivery.
_HAN_ADDRESS = (
    r"[\u4e00-\u9fff]{2,}(?:[省市区县镇乡村路街巷弄])[\u4e00-\u9fff]*\d+(?:号|弄|栋|室|楼|单元|$|[,\s])"
    r"|\d+(?:号楼|栋|单元|室)"
)
_ADDRESS = re.compile(f"{_LATIN_ADDRESS}|{_HAN_ADDRESS}")
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华魏陶姜谢邹苏潘葛范彭鲁韦马苗方任袁柳唐罗薛雷贺倪汤殷郝常傅卞康顾孟黄"
    "穆萧尹姚邵汪毛狄成戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路娄江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万柯管卢莫房丁邓洪包左石"
    "崔龚程邢裴陆翁曲段侯武刘龙叶黎乔曾赖余温"
)
_END = r"(?=[，,。\s]|$)"
_NAME = re.compile(
    r"\b(?:[Mm]y name is|[Tt]his is|[Ii] am|[Ii]'m|[Ss]igned,?) (?:(?:Mrs?|Ms|Dr)\.? )?"
    r"[A-Z][a-z]+ [A-Z][a-z]+"
    r"|^(?:Mrs?|Ms|Dr)\.? [A-Z][a-z]+ here"
    r"|\bunder (?:the name (?:of )?[A-Z][a-z]+|(?!Black |Double |Singles)[A-Z][a-z]+ [A-Z][a-z]+)"
    rf"|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}名下"
    rf"|我叫[\u4e00-\u9fff]{{2,3}}{_END}|我是[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}{_END}"
    r"|收件人[是叫:：]?\s?[\u4e00-\u9fff]{2,4}|姓名[:：]?\s?[\u4e00-\u9fff]{2,4}"
)
_CARD_DIGITS = re.compile(
    r"(?:card|ending|ends)\s?(?:in|with|is)?\s?\d{2,4}\b|尾号[是为]?\s?\d{3,4}"
)
# "order 61-0001", "case no. 771": a number that stands where a name of one's own case stands.
_NUMBERED_CASE = re.compile(
    r"\b(?:order|case|claim|ticket|complaint|invoice|refund|parcel|return)s?"
    r"(?:\s?(?:no\.?|number|nr\.?|#|id)\s?(?:is\s|:\s?)?\d[\d-]*|\s\d+-[\d-]*\d)"
    r"|(?:订单|单|编|运单|退款|售后|投诉)号?(?:是|:)?\s?\d{4,}"
)
_FEWEST_IDENTIFIER_CHARACTERS = 6
# Addresses and numbers that the shop itself publishes are nobody's identifier.
_PUBLIC = re.compile(r"@harbourlane\.example\b|\b12315\b")


def identifier_marks(text: str) -> tuple[str, ...]:
    """Kinds of identifiers in a text: each makes a question, or an answer, personal."""
    private = _PUBLIC.sub(" ", text)
    folded = fold(private)
    identifiers = values_in(private).identifiers
    checks = (
        (_PHONE.search(private), "a phone number"),
        (_CARD_DIGITS.search(folded), "card digits"),
        (_ADDRESS.search(folded), "an address"),
        (_NAME.search(private), "a name"),
        (_NUMBERED_CASE.search(folded) or any(map(_is_own, identifiers)), "an identifier"),
    )
    return tuple(name for found, name in checks if found)


def _is_own(identifier: str) -> bool:
    return "@" in identifier or len(identifier) >= _FEWEST_IDENTIFIER_CHARACTERS
