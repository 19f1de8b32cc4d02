"""Word lists for `cache.swaps`: what is no named thing, and what has several names."""

from __future__ import annotations

import re
from itertools import chain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _first_of(lines: str) -> dict[str, str]:
    """Each word -> the first word of its line."""
    groups = [line.split() for line in lines.splitlines()]
    return {word: words[0] for words in groups for word in words}


FUNCTION_WORDS = _words(
    """
    a an the my your our their his her its this that these those some any no every each all both
    another other same one ones it they them we you me us he she who what which when where why how
    whose and or but if so as than then because while until till before after since during about
    with without within for from into onto over under above below between through via per by at in
    on off up down out of to is are was were be been being am do does did done have has had can
    could may might must shall should will would not never none there here now still already yet
    soon again also just only really actually currently even ever always usually often sometimes
    please kindly today tomorrow tonight yesterday later early earlier late much many more most
    less least few several lot lots enough very too quite long far fast quick quickly soon possible
    okay fine sure etc like else instead anyway maybe perhaps exactly hey hello dear sir madam guys
    team thanks something anything nothing everything someone anyone anybody somebody everybody
    everyone
    """
)
# After these a verb comes, and verbs are replaced freely ("can I get" / "can I receive").
VERB_BEFORE = _words(
    """
    i you we they he she it to not never please cannot who that which can could may might must shall
    should will would dont doesnt didnt cant wont lets always still already ever just also only
    """
)
VERBS = _words(
    """
    get gets got receive receives take takes took taken give gives gave given make makes made want
    wants need needs use uses go goes went gone come comes came know knows see find finds found
    tell tells told show shows ask asks say says said send sends sent ship ships dispatch deliver
    delivers bring brings arrive arrives return returns exchange exchanges swap swaps change
    changes cancel cancels buy buys bought order purchase pay pays paid spend spends cost costs
    offer offers sell sells sold provide provides accept accepts support supports allow allows
    include includes work works run runs last lasts start starts begin begins end ends open opens
    close closes check checks track tracks look looks contact reach call calls speak talk write
    wear wears wash fit fits suit suits choose pick keep keeps hold holds put puts set sets add
    adds remove delete update edit modify correct create register apply claim request submit
    activate redeem reset recover help helps try tries let lets leave leaves stay stays happen
    happens refund refunds reimburse combine stack split cover covers expire expires count counts
    """
) - {"order", "return", "exchange", "refund", "cost", "claim", "support", "request", "contact"}
# "to" after these leads to a place or a person, not to a verb.
SENDING = frozenset(
    (word,)
    for word in _words("ship ships shipping deliver delivers delivery send sends sent go fly")
)
NOUNS_IN_ING = _words(
    "shipping wrapping packaging bedding earring clothing ring string king lining filling"
)
# What may stand for any thing names none.
ANYTHING = _words("thing item product good article order stuff purchase")
HAN_ANYTHING = _words("东西 商品 产品 宝贝 货 物品 订单 件")

# Each line names one thing (or one quality that does not change the answer) in several ways.
SYNONYMS = _first_of(
    """
    parcel package packet shipment order delivery box post postage shipping courier freight
    refund money payment cash reimbursement
    product item article good goods thing stuff merchandise purchase piece
    cost price fee charge rate
    coupon voucher code discount promo promotion offer deal sale campaign
    phone telephone mobile cell cellphone smartphone number
    email mail e-mail
    helpline hotline line support service care agent person human representative staff assistant
    chart table guide list
    time period window duration deadline limit
    warranty guarantee
    invoice bill fapiao receipt
    sneaker trainer runner
    trouser pant
    jumper sweater pullover
    shop store site website webshop page platform company you
    instalment installment
    membership member level tier status
    account profile
    password passcode login
    clothe clothes clothing garment apparel
    colour color shade
    kilo kg kilogram
    swimwear swimsuit
    earbud earphone
    step process procedure way method instruction option
    mistake error problem issue fault defect trouble
    rule policy term condition requirement detail info information data
    best easiest quickest fastest right correct proper good cheapest
    real genuine authentic original
    damaged faulty broken defective
    big large great
    small little tiny
    sack bag
    point credit
    child kid children
    sofa couch
    cup mug
    powerbank bank charger
    country place region area location city
    shopper buyer customer client
    question query
    gift present
    usual normal regular standard typical
    maximum max top highest most
    free gratis complimentary
    """
)

VERSIONS = _words("lite pro plus max mini ultra premium deluxe junior kids") | frozenset(
    f"{word} version" for word in ("lite", "pro", "plus", "max", "mini")
)
HAN_VERSIONS = frozenset(
    chain.from_iterable(
        (word, f"{word}款", f"{word}版")
        for word in (
            "轻薄",
            "轻量",
            "加厚",
            "加长",
            "儿童",
            "青春",
            "升级",
            "旗舰",
            "迷你",
            "pro",
            "plus",
        )
    )
)

# A swapped span with any of these is wording, not a thing: question words, verbs of shopping,
# particles.
HAN_FUNCTION = re.compile(
    r"[吗呢吧呀啊么嘛的地得了着过我你您他她它们咱这那哪谁啥什怎咋如何几多少能可会要想应该"
    r"不没未无非别是有在到从给把被让和与或跟及就才都也还再又很太更最先后前内外上下"
    r"去来用做办弄搞改换退买卖拍订付发寄送收取拿开关查看找问说申请取消修联系支持使]"
)
# 内裤, 上衣, 外套: before such a noun these name a kind of it.
HAN_BEFORE_HEAD = frozenset("内外上下前后")
HAN_HEADS = frozenset("裤衣套装袜鞋包箱袋盒盖")
HAN_SYNONYMS = _first_of(
    """
    快递 包裹 物流 件 货 东西 商品 产品 宝贝 物品 订单 单子
    运费 邮费 快递费 费用 价格 价钱 钱 费
    优惠券 券 优惠 折扣 活动 红包 满减
    手机 手机号 电话 号码 电话号码
    质保 保修 三包 维修
    发票 电子发票 票
    客服 人工 人工客服
    会员 等级 会员等级
    账号 账户 帐号 帐户
    流程 步骤 方法 方式 办法 渠道
    规则 政策 规定 条件 要求 标准
    时间 期限 时效 有效期
    充电宝 移动电源
    行李箱 拉杆箱 箱子
    吹风机 电吹风
    电饭煲 电饭锅
    耳机 耳塞
    毛衣 针织衫
    短袖 T恤
    问题 故障 毛病
    正品 正货 真货
    尺码 尺寸 号码 码数 码
    预售 预定
    一般 通常 大概 大约
    店 店铺 商城 商家 网站
    小孩 儿童 孩子 宝宝
    """
)
