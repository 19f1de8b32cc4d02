"""The grammar of a question without its subject matter. Pure.

Words that carry grammar (pronouns, auxiliaries, question words, negations, time, aspect particles)
stay; every other run of words becomes one placeholder that keeps only its form. "Why was my parcel
returned?" and "Why was my coupon rejected?" share one skeleton, so the guard's model learns
constructions instead of products. `classed` keeps one step more: a known word becomes its class
(`guard_classes.py`), so that a broken kettle and a late parcel stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from chatbot.guard_classes import CLASS_OF, HAN_CLASS_OF

EDGE, STOP, NUMBER, THING, DONE, DOING = "^", "|", "#", "~", "~ed", "~ing"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH_KEPT = _words(
    """
    i me my mine myself we us our ours ourselves you your yours they them their he him his she
    her it its this that these those the a an any some every each all both either neither one
    ones another other else same someone somebody anyone anybody nobody everyone something
    anything nothing everything am is are was were be been being do does did done doing have has
    had having can could may might must shall should will would cannot i'm i've i'd i'll you're
    you've you'd you'll we're we've we'd we'll they're they've it's it'll it'd that's there's
    he's she's where's what's who's when's how's why'd how'd where'd what'd who'd isn't aren't
    wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't wouldn't
    shouldn't im ive dont didnt cant wont wheres whats hows what which who whom whose when where
    why how much many long often far late soon early to of in on at for from with by about after
    before during since until till into than as via per without out up off back over under again
    away and or but if once unless whether because so then though while not no never yet still
    already just now ever always usually normally generally only even also too more less most
    least yes ok okay today yesterday tomorrow tonight ago last next week weeks day days month
    months hour hours minute minutes morning evening night monday tuesday wednesday thursday
    friday saturday sunday need needs want wants like please pls help let know tell show see
    look check find give get gets happen happens happened possible allowed able supposed there
    here
    """
)
_ENGLISH_DONE = _words(
    """
    bought sent paid got gotten took taken gave given told said lost broke broken came come went
    gone left made kept sold wrote written chose chosen found put cut shut stolen stole torn
    wore worn shrank shrunk felt fell fallen met thought forgot forgotten knew known spent held
    caught grew became began begun rang sprang hung stuck split hidden driven drove threw thrown
    won read understood heard saw seen spoke spoken ate drank drunk rode woke built meant sat
    stood
    """
)
_LATIN = re.compile(r"[a-z\u00c0-\u024f]+(?:'[a-z]+)?|\d[\d.,]*|[.!?;:,\n]+")
_SHORTEST_ED, _SHORTEST_ING = 4, 5

_HAN_KEPT = _words(
    """
    我们 咱们 你们 他们 她们 它们 我 咱 俺 你 您 他 她 它 自己 本人 别人 人家 大家 谁 这 那 这个
    那个 这些 那些 这种 那种 这样 那样 这么 那么 这里 那里 这边 那边 这单 那单 这件 那件 这张
    那张 这双 那双 这次 上次 什么 啥 怎么 咋 怎样 如何 怎么样 咋样 怎么办 咋办 咋整 怎么回事
    咋回事 什么时候 啥时候 几时 多久 多长时间 多长 多少 多少钱 多大 几 哪 哪里 哪儿 哪个 哪些
    为什么 为啥 为何 凭什么 是不是 有没有 能不能 可不可以 要不要 会不会 行不行 可以 可否 能 会
    要 得 该 应该 必须 需要 允许 支持 想 想要 打算 准备 愿意 不 没 没有 别 不能 不会 不要 不用
    不是 还 还没 还是 还能 还要 还有 已经 都 又 再 就 才 只 也 刚 刚刚 刚才 一直 总是 马上 现在
    到底 明明 根本 突然 居然 迟迟 之前 之后 以前 以后 后 前 时 时候 的时候 期间 昨天 昨晚 前天
    今天 今早 今晚 明天 后天 早上 上午 中午 下午 晚上 凌晨 上周 上个月 上星期 这周 下周 周一
    周二 周三 周四 周五 周六 周日 天 周 个月 小时 分钟 星期 年 号 月 日 次 天了 了 过 着 的 地
    吗 嘛 么 呢 吧 啊 呀 了没 了吗 了没有 是 在 有 到 给 被 把 让 叫 跟 和 或者 对 从 向 往 比
    用 为 如果 要是 假如 万一 的话 假设 只要 除非 一旦 因为 所以 但是 但 可是 不过 而且 然后
    另外 好 行 帮 帮我 帮忙 麻烦 请 请问 查 查一下 看 看看 看一下 催 给我 替我 告诉 发 一下 一般
    通常 正常 规则 规定 政策 流程 步骤 条件 标准 要求 区别 最多 最少 最晚 最快 个 件 双 条 单 张
    笔 款 家 位 份 些 点 里 上 下 中 外 全部 每 每个 任何 某 一个 一 两 三 四 五 六 七 八 九 十
    半 怎么还 怎么没 怎么就 怎么又 说 说好 答应 成 好了 完 掉 回来 回去 过来 出来 起来 不了 得了
    算 啦
    """
)
_LONGEST_HAN = max(map(len, (*_HAN_KEPT, *HAN_CLASS_OF)))
_HAN_PIECE = re.compile(r"[\u3400-\u9fff]+|[a-z]+|\d[\d.,]*|[^\u3400-\u9fffa-z\d]+")
_NO_CLASSES: Mapping[str, str] = {}
# Of these classes it matters whether a word tells of something done.
_VERB_CLASSES = frozenset({"<buy>", "<receive>", "<send>", "<act>"})


def skeleton(plain: str, *, chinese: bool) -> list[str]:
    """Skeleton of a folded text with straight apostrophes; an edge stands at both ends."""
    shapes = _han_shapes(plain, _NO_CLASSES) if chinese else _latin_shapes(plain, _NO_CLASSES)
    return _merged(shapes)


def classed(plain: str, *, chinese: bool) -> list[str]:
    """The same with the classes of known words in place of their placeholders."""
    return _merged(_han_shapes(plain, HAN_CLASS_OF) if chinese else _latin_shapes(plain, CLASS_OF))


def _merged(shapes: Iterator[str]) -> list[str]:
    found = [EDGE]
    for shape in shapes:
        if shape not in (THING, STOP) or shape != found[-1]:
            found.append(shape)
    if found[-1] == STOP:
        found.pop()
    return [*found, EDGE]


def _latin_shapes(plain: str, classes: Mapping[str, str]) -> Iterator[str]:
    for word in _LATIN.findall(plain):
        known = classes.get(word.removesuffix("'s"))
        if word[0] in ".!?;:,\n":
            yield STOP
        elif word[0].isdigit():
            yield NUMBER
        elif known:
            yield known + (_form(word).removeprefix(THING) if known in _VERB_CLASSES else "")
        elif word in _ENGLISH_KEPT:
            yield word
        else:
            yield _form(word)


def _form(word: str) -> str:
    """The placeholder of a word that carries no grammar."""
    if word in _ENGLISH_DONE or (word.endswith("ed") and len(word) >= _SHORTEST_ED):
        return DONE
    return DOING if word.endswith("ing") and len(word) >= _SHORTEST_ING else THING


def _han_shapes(plain: str, classes: Mapping[str, str]) -> Iterator[str]:
    for piece in _HAN_PIECE.findall(plain):
        if piece[0].isdigit():
            yield NUMBER
        elif not piece[0].isalpha():
            yield STOP
        elif piece.isascii():
            yield THING
        else:
            yield from _han_words(piece, classes)


def _han_words(run: str, classes: Mapping[str, str]) -> Iterator[str]:
    """Cut a run of Han characters into known words, longest first, and placeholders."""
    start = 0
    while start < len(run):
        for size in range(min(_LONGEST_HAN, len(run) - start), 0, -1):
            word = run[start : start + size]
            if word in classes:
                yield classes[word]
                break
            if word in _HAN_KEPT:
                yield word
                break
        else:
            yield THING
        start += size
