"""Made-up sentences of a shop's articles: a fact and several ways to say it, half of them with a figure."""

from __future__ import annotations

import random
from dataclasses import dataclass

_PLACES = (
    "account page|help centre|order list|wallet|settings|mobile app|till|service desk|inbox|branch"
)
_THINGS = "receipt|form|code|photo|label|statement|voucher|identity check|signature|message"
_TEAMS = "billing|returns|security|warehouse|support|payments|logistics|fraud|quality|loyalty"
_VERBS = "confirm|reset|submit|replace|approve|extend|cancel|register|verify|release"
_PLACES_ZH = "账户页面|帮助中心|订单列表|钱包|设置|手机客户端|收银台|服务台|消息中心|门店"
_THINGS_ZH = "小票|表单|验证码|照片|标签|对账单|优惠券|身份证明|签名|留言"
_TEAMS_ZH = "财务|售后|安全|仓库|客服|支付|物流|风控|质检|会员"
_VERBS_ZH = "确认|重置|提交|更换|审批|延长|取消|登记|核验|放行"

_WITH_FIGURE = (
    (
        "It takes {n} working days.",
        "Please allow {n} working days.",
        "Within {n} working days it is done.",
    ),
    ("There is a charge of ${n}.", "We charge ${n} for it.", "It costs ${n}."),
    (
        "The limit is {n} per month.",
        "You may do so {n} times a month.",
        "At most {n} a month are allowed.",
    ),
    (
        "You have {n} hours for it.",
        "It must happen within {n} hours.",
        "After {n} hours it is too late.",
    ),
)
_PLAIN = (
    (
        "Open the {place} and {verb} it with the {thing}.",
        "With the {thing} you can {verb} it in the {place}.",
        "To {verb} it, go to the {place} and have the {thing} ready.",
    ),
    (
        "Our {team} team will {verb} it once it has the {thing}.",
        "Send the {thing} to the {team} team, who {verb} it for you.",
        "The {team} colleagues {verb} this after they got the {thing}.",
    ),
    (
        "Without the {thing} the {place} cannot {verb} anything.",
        "The {place} needs the {thing} before it can {verb} this.",
        "Only with the {thing} does the {place} {verb} it.",
    ),
)
_WITH_FIGURE_ZH = (
    ("需要{n}个工作日。", "请预留{n}个工作日。", "一般{n}个工作日内完成。"),
    ("收费{n}元。", "我们收取{n}元。", "费用是{n}元。"),
    ("每月上限{n}次。", "一个月最多{n}次。", "每个月可以办理{n}次。"),
    ("请在{n}小时内办理。", "有效时间为{n}小时。", "超过{n}小时就不行了。"),
)
_PLAIN_ZH = (
    (
        "打开{place}，用{thing}{verb}。",
        "凭{thing}可以在{place}{verb}。",
        "要{verb}请到{place}，并准备好{thing}。",
    ),
    (
        "{team}同事收到{thing}后会{verb}。",
        "把{thing}发给{team}部门，由他们{verb}。",
        "{team}部门拿到{thing}就能{verb}。",
    ),
    (
        "没有{thing}，{place}无法{verb}。",
        "{place}需要{thing}才能{verb}。",
        "只有提供{thing}，{place}才可以{verb}。",
    ),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact, said in several ways that differ in order and words."""

    phrasings: tuple[str, ...]


def make_fact(name: str, rng: random.Random, *, chinese: bool) -> Fact:
    """A fact of the article; `name` only seeds it together with `rng`."""
    rng = random.Random(f"{name}/{rng.random()}")
    pools = (
        (_PLACES_ZH, _THINGS_ZH, _TEAMS_ZH, _VERBS_ZH)
        if chinese
        else (_PLACES, _THINGS, _TEAMS, _VERBS)
    )
    place, thing, team, verb = (rng.choice(pool.split("|")) for pool in pools)
    plain, counted = (_PLAIN_ZH, _WITH_FIGURE_ZH) if chinese else (_PLAIN, _WITH_FIGURE)
    patterns = rng.choice(counted if rng.random() < 0.5 else plain)
    figure = rng.randint(2, 95)
    return Fact(
        tuple(
            pattern.format(n=figure, place=place, thing=thing, team=team, verb=verb)
            for pattern in patterns
        )
    )
