"""Word lists for `cache.polarity`: opposites, negations, and what only looks like a negation."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`one/other` pairs, separated by spaces."""
    parts = (pair.partition("/") for pair in text.split())
    return tuple((one, other) for one, _, other in parts)


LATIN_PAIRS = _pairs(
    """
    before/after with/without on/off enable/disable activate/deactivate open/close opened/closed
    opening/closing start/end starts/ends begin/end up/down increase/decrease higher/lower more/less
    more/fewer many/few much/little most/least earliest/latest minimum/maximum min/max add/remove
    subscribe/unsubscribe accept/refuse accept/reject accept/decline buy/sell send/receive
    sent/received include/exclude included/excluded new/old new/used early/late first/last
    long/short domestic/international inside/outside create/delete register/delete post/delete
    write/delete publish/delete publish/remove join/leave cancel/place cancel/keep win/lose
    above/below over/under heavy/light import/export online/offline cheaper/dearer
    cheaper/expensive allowed/forbidden allowed/prohibited hot/cold hide/show sender/recipient
    buyer/seller personal/company instock/outofstock signin/signout login/logout men/women
    mens/womens male/female link/unlink lock/unlock block/unblock positive/negative pass/fail
    earlier/later faster/slower bigger/smaller larger/smaller thick/thin wide/narrow high/low
    top/bottom left/right front/back
"""
)
HAN_PAIRS = _pairs(
    """
    男/女 之前/之后 以前/以后 前/后 开启/关闭 打开/关闭 打开/退订 开启/退订 开/关 注册/注销
    开通/取消 开通/关闭 绑定/解绑 降价/涨价 以上/以下 以内/以外 开始/结束 增加/减少 偏大/偏小 大/小
    长/短 新/旧 上架/下架 最高/最低 最多/最少 最早/最晚 买家/卖家 寄出/收到 加入/退出 免费/收费
    境内/境外 国内/国外 个人/公司 包含/不含 有货/缺货 接收/拒收 签收/拒收 提前/推迟 提前/延后 买/卖
    冷/热 订阅/退订 手洗/机洗 好评/差评 真/假 显示/隐藏 申请/撤销 登录/退出 薄/厚 升级/降级
    添加/删除 发布/删除 快/慢 轻/重 高帮/低帮 长袖/短袖 内/外
"""
)


# Phrases whose opposites are particles of their own, written as one word.
PHRASES = (
    (re.compile(r"\b(?:out of stock|sold out)\b"), "outofstock"),
    (re.compile(r"\bin stock\b"), "instock"),
    (re.compile(r"\b(log|sign)(?:ged|ging|ing)?[ -](in|out)\b"), r"\1\2"),
    (re.compile(r"\bnon-?(?=[a-z]{4})"), "not "),
)

NEGATIONS = _words("not no never without none cannot nor neither unable nobody nothing")
# past form -> base, where the ending does not tell
IRREGULAR = dict(
    _pairs(
        """
        came/come sent/send paid/pay got/get gotten/get gone/go went/go lost/lose worn/wear wore/wear
        bought/buy broken/break broke/break chosen/choose chose/choose found/find forgot/forget
        forgotten/forget given/give gave/give kept/keep left/leave made/make said/say seen/see
        saw/see sold/sell taken/take took/take told/tell won/win written/write wrote/write done/do
        """
    )
)
# What stands between a negation and the word that it denies.
SKIPPED = _words(
    """
    a an the any my your our this that these those it its be been being is are was were to have has
    had get got able yet still really actually even ever already of in for at by do does did i you
    we they can could will would
    """
)
# Said of the one side, these make the other side's "not yet" the same thing ("before it ships").
NOT_YET = _words("before until unless yet")
# "Can I go without X?" is "do I need X?".
NEEDED = _words("need needed require required necessary must")
NOT_ONLY = re.compile(r"\bnot only\b|n['’]t (?:\w+ )?only\b")
UN_WORD = re.compile(
    r"^(?:un|non)(?=\w{4})|^(?:in|im|ir)(?=(?:valid|active|complete|correct|possible|regular)$)"
)
NOT_UN = _words("under until unit united unless union unique understand underwear unionpay")
# Question forms and fixed phrases that deny nothing; "why doesn't" does deny.
SEEMING_NEGATION = re.compile(
    r"(?<!why )\b(?:ca|could|do|does|did|is|are|was|were|wo|would|should|have|has)n['’]?t "
    r"(?=i\b|you\b|we\b|it\b|the\b|my\b|there\b|they\b)"
    r"|\bwhy not\b|\b(?:or|if|is it|whether) not\b|\byes or no\b"
    r"|\bno\.(?=\s?(?:[a-z]+-?)?\d)|\bno idea\b|\bnot sure\b"
    r"|\b(?:do|did)(?:n['’]?t| not) (?:know|understand)\b"
    r"|\bno (?:problem|need|reason|worries|later than)\b|\bnot only\b"
    # "So there's no X?" wants to hear whether there is one.
    r"|(?<=^so there's )no\b|(?<=^so there is )no\b|(?<=^so you have )no\b"
)

HAN_NEGATION = re.compile(r"[不没未无非别]")
# Question forms (能不能, 退不, 有没有), and words in which the sign denies nothing (无线, 特别,
# 不锈钢).
HAN_SEEMING_NEGATION = re.compile(
    r"(.)[不没]\1|有没有|[是能要会好]不[是能要会好]|可不可以|有无"
    r"|[不没](?=[吗么呢呀啊]?(?:[?？,，。!！\s]|$))|没有(?=[吗么呢呀啊]?(?:[?？,，。!！\s]|$))"
    r"|不错|不好意思|差不多|不过|不管|没关系|不然|不知道|不清楚|不懂|不小心|不同|不仅|不但|不少|不久|不断|对不起"
    r"|不锈钢|不粘|不限|无理由|无线|无忧|无论|非常|特别|级别|性别|区别|分别|别的|别人|未来|没事|没问题"
)
# "不能用两张券吗" asks what "能用两张券吗" asks.
HAN_NEGATIVE_QUESTION = re.compile(r"不(?=(?:能|可以|可|会|行|支持)[^能可]*[吗么吧][?？]?$)")
HAN_SKIPPED = "是有能会可以太再被要给"
# 收不到, 付不了: the verb that is denied stands before the negation.
HAN_POTENTIAL = re.compile(r"(.)不(?:了|到|上|成|下|进|出|开|掉|起|完|动|住)")
HAN_NOT_YET = re.compile(r"之前|以前|前")
