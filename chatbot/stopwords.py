"""Words that carry no subject, for the lexical search. Pure."""

from __future__ import annotations

_ENGLISH = """
a about am an and any are as at be been being but by can can't cannot could couldn't did didn't do does
doesn't doing don't for from get gets getting give got had has have having he her here hers him his how
i i'd i'll i'm i've if in into is isn't it it's its just know let like may me might mine more most my
need no not now of off on one only or our ours out over please pls really she should so some still such
tell than thanks that that's the their them then there these they thing things this those through to too
up us use very want was wasn't way we well went were what what's when where which while who whom whose
why will with won't would wouldn't yes yet you your yours hi hello hey dear sir madam
"""
_CHINESE = """
的 了 吗 呢 吧 啊 呀 我 你 您 们 是 有 在 和 也 就 都 很 请 问 请问 亲 我们 你们 您们 什 么
什么 怎 怎么 怎样 如 何 如何 一 下 一下 想 要 想要 这 那 个 这个 那个 可 以 可以 能 会 还
"""
STOP_WORDS = frozenset(_ENGLISH.split()) | frozenset(_CHINESE.split())
