"""Grammatical signs of a case of one's own, of a rule, and of leaning on earlier turns. Pure.

Each cue is a named pattern; the guard's linear model learns what each is worth. They describe
grammar (a past event, a state asked about "my" thing, a modal question), not subjects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENGLISH = {
    "how_to": r"\bhow (?:do|can|could|should|would|may|might|to|does one)\b(?! (?:you|u) explain)",
    "where_do_i": r"\bwhere (?:do|can|could|should|would) (?:i|we|you|one)\b",
    "what_do_i": (
        r"\bwhat (?:do|can|should|must|would|could|else can) (?:i|we|one)\b|\bwhat (?:happens"
        r"|if)\b"
    ),
    "modal_i": (
        r"(?:^|[,.!?] |\bor |\band |\bso |\bhow (?:long|often|many|much|late|early|soon) "
        r"|\bwhat |\bwhen |\bwhich .{0,20})(?:can|could|may|might|should|must|will|would|do"
        r"|does|am|shall|can't) (?:i|we|my)\b"
    ),
    "do_i_need": (
        r"\b(?:do i|will i|would i|should i) (?:have to|need|get|pay|earn|lose|keep|receive"
        r"|still)\b|\bam i (?:allowed|able|supposed|entitled)\b"
    ),
    "conditional": (
        r"\b(?:if|when|once|after|before|in case|suppose|whenever) (?:i|my|we|the|a|an"
        r"|something|somebody|someone|it)\b(?! (?:will|did|was|has))"
    ),
    "generic_noun": (
        r"\b(?:an|a|any|every|each|some) (?:order|parcel|package|refund|return|payment|coupon"
        r"|invoice|item|account|gift card|exchange|complaint|review|purchase)\b"
    ),
    "policy_word": (
        r"\b(?:policy|policies|usually|normally|generally|in general|always|rules?|allowed"
        r"|possible|steps?|procedure|process|way to|ways to|per order|latest i can"
        r"|how long does|how long do|how many days|eligible|entitled)\b"
    ),
    "wish_how": (
        r"\b(?:i want to|i'd like to|i would like to|i need to|i wanna|wish to)\b.*\bhow\b"
        r"|\bhow\b.*\b(?:i want|i'd like)\b"
    ),
    "starts_have_you": (
        r"(?:^|[,.!?] )(?:have|has|had|did|was|were|is|isn't|hasn't|didn't) (?:you|my|our|the"
        r"|it|i|anyone|someone)\b"
    ),
    "state_of_mine": (
        r"\b(?:has|have|did|was|were|is|are|isn't|hasn't|didn't|wasn't|aren't|'s|s) (?:my|our)\b"
    ),
    "mine_state": (
        r"\b(?:my|our) (?:[\w'-]+ ){1,3}?(?:is|are|was|were|has|have|had|hasn't|isn't|haven't"
        r"|wasn't|won't|doesn't|didn't|says?|said|shows?|arrived|came|got|never|still|went"
        r"|stopped|keeps?|broke|died|failed|disappeared|vanished|expired)\b"
    ),
    "where_is_mine": (
        r"\bwhere(?:'s| is| are|s)? (?:my|our)\b|\bwhere(?:'s| is| are) the\b|\bwhere did my\b"
    ),
    "when_mine": (
        r"\bwhen (?:will|is|are|does|do|did|exactly|can|was) (?:\w+ )?(?:(?:my|our)|i get|it"
        r"|the)\b|\bwhen's (?:my|our)\b"
    ),
    "why_event": (
        r"\bwhy (?:was|were|is|isn't|did|didn't|has|hasn't|have|haven't|am|are|aren't|can't"
        r"|does|doesn't|do|don't|won't|wasn't|would)\b|\bwhy'd\b|\bhow come\b|\bexplain\b"
    ),
    "i_event": (
        r"\bi(?:'ve| have| had|'d)?(?: (?:just|only|already|never|still|also|even"
        r"|actually))? (?:got|received|paid|ordered|bought|returned|sent|booked|placed|asked"
        r"|called|wrote|waited|cancelled|canceled|opened|tried|used|signed|requested|applied"
        r"|claimed|asked|missed|chose|picked|put|typed|entered|stayed|was|had|been)\b"
    ),
    "i_negated": (
        r"\bi (?:never|still (?:haven't|don't|didn't|can't)|haven't|didn't|wasn't|am not"
        r"|'m not|can't|cannot) "
    ),
    "you_event": (
        r"\b(?:you|they|your \w+|he|she|driver|courier|nobody|no one|someone"
        r"|somebody) (?:\w+ )?(?:charged|sent|told|said|took|gave|owe|promised|shipped"
        r"|cancelled|canceled|refunded|delivered|forgot|came|left|refused|lost|swapped"
        r"|deducted|shorted|never|didn't|did|haven't|have|keep|kept)\b"
    ),
    "help_me_with": (
        r"\b(?:please|pls|can you|could you|would you|will you|i need you to"
        r"|i want you to)\b.*\b(?:my|order|parcel|it|me)\b"
    ),
    "imperative": (
        r"^(?:please |pls |kindly )?(?:cancel|stop|change|update|resend|send|check|track"
        r"|refund|return|replace|fix|tell|look|find|put|add|remove|call|give|show|confirm"
        r"|correct|issue|cancel|hold|redirect|exchange|invoice)\b"
    ),
    "own_amounts": (
        r"\bhow (?:many|much) (?:[\w']+ ){0,3}(?:do i have|did i|have i|is left|left|am i"
        r"|i have|i paid|are there on my|are in my)\b|\b(?:what|which) (?:[\w']+ ){0,3}(?:am i"
        r"|do i have|did i|have i|was i|are (?:in|on) my|is (?:in|on) my)\b|\bdo i have\b"
        r"|\bdo i owe\b"
    ),
    "my_past": (
        r"\b(?:which|what|where|when|how many|how much|did|have|has) (?:\w+ ){0,3}(?:did|have"
        r"|had) (?:i|you|my)\b"
    ),
    "time_past": (
        r"\b(?:yesterday|last (?:week|month|night|year|monday|tuesday|friday)|(?:\w+) (?:days?"
        r"|weeks?|hours?|months?|minutes?) ago|this morning|today|tonight|tomorrow|since"
        r"|for (?:\w+ ){1,2}(?:days|weeks)|already|yet|on the \d|on (?:mon|tues|wednes|thurs"
        r"|fri|satur|sun)day|(?:days|weeks|hours) (?:late|now))\b"
    ),
    "specific": (
        r"\b(?:this|that|these|those) (?:order|parcel|package|refund|return|payment|coupon"
        r"|invoice|item|jacket|shirt|shoes|coat|driver|one|other half|rest of)\b|\b(?:the|two"
        r"|three|both|one of the) [\w -]{2,25} (?:i|we|you) (?:bought|ordered|got|received"
        r"|sent|paid|returned|booked|requested|asked)\b"
    ),
    "damage": (
        r"\b(?:torn|broken|ripped|cracked|stain(?:ed)?|dirty|smell(?:s|ed)?|leak(?:s|ing|ed)?"
        r"|faulty|defective|wrong (?:size|colour|color|item|one|shoe|name|street)|missing"
        r"|damaged|hole|scratched|dented|dead|died|crushed|empty|short)\b"
    ),
    "anger": (
        r"!{2,}|\?{2,}|\b(?:ridiculous|unacceptable|disgusting|terrible|awful|angry|scam|rude"
        r"|fed up|worst|joke)\b"
    ),
    "first_person": r"\b(?:i|my|me|i'm|i've|mine|we|our|us)\b",
    "statement": (
        r"^(?!.*\?)(?!.*\b(?:how|what|when|where|who|why|which|whether|can i|could i|may i|do i"
        r"|tell me|explain|show me)\b)(?!(?:is|are|am|do|does|did|has|have|can|could|will|would"
        r"|should|may|must|was|were)\b)"
    ),
    "habit": r"\b(?:do|does|would|might) (?:my|our|an?)\b",
    "learn_how": r"\bhow (?:will|do|can|would|could) i (?:know|tell|see|find|check|prove)\b",
    "rule_of_mine": (
        r"\b(?:is|are) (?:my|a|an) (?:[\w-]+ ){1,2}(?:needed|free|public|insured|valid|refundable"
        r"|safe|counted|kept|shared|stored|checked|tied|saved|limited|lower|lost|used up"
        r"|enough|transferable|anonymous)\b"
    ),
    "my_page": (
        r"\bwhere(?:'s| is| are|s)? (?:on |in )?(?:the|my) (?:[\w-]+ ){0,2}(?:button|page|list"
        r"|history|settings?|section|link|menu|option|archive|shown|displayed|field)\b"
    ),
    "topic_then_question": r"^[\w' -]{4,40}?(?: [-\u2013]|[:,]) (?:how|where|what|do|does|is|can)\b",
    "does_the_shop": (
        r"^(?:do|does|is|are|can|will|what|which|how|when|who|where)\b(?!.*\b(?:my|i|me|mine"
        r"|i've|i'm)\b)"
    ),
}
_CHINESE = {
    "how_to": (
        r"(?:怎么|如何|怎样|咋|咋样)(?!还|没|不|又|就|这么|那么|回事|处理的|样了|给我"
        r"|解决我)(?:才能|可以|去|来|样)?[^了]{1,}$|流程|步骤|哪些步骤|怎么操作|在哪(?:里"
        r"|儿)?(?:看|查|改|申请|领|点|投|设置|操作|取消|填|弄|开|删|注销|绑定|修改|找|能|可以)"
        r"|去哪(?:里|儿)?(?:看|查|改|申请|领|投|设置|操作|开|绑|弄)|哪里(?:看|查|改|申请|领"
        r"|设置|操作|取消|可以|能)"
    ),
    "may": (
        r"(?:能|可以|能不能|可不可以|可否|支持|允许|会不会|要不要|用不用|需要|是不是"
        r"|必须)[^了]{1,16}(?:吗|嘛|么|不|$)|(?:还能|还可以|能|可以)[^了]{1,12}不$"
    ),
    "conditional": (
        r"如果|要是|假如|万一|的话|之后|以后|时候|了(?:该|怎么办|咋办|咋整|能|还能|可以|怎么)"
        r"|没.{0,8}(?:怎么办|咋办)"
    ),
    "rule_word": (
        r"一般|通常|规则|政策|规定|条件|标准|要求|多久|几天|多少天|多长时间|几个工作日|期限"
        r"|有效期|上限|范围|最多|最少|是什么|有哪些|有什么|区别|收费|免费|谁出|谁付|谁承担"
        r"|几折|多少钱|几点|几号"
    ),
    "why_event": (
        r"(?:为什么|为啥|为何|凭什么|怎么)(?:.{0,10})(?:没|不|还|被|了|又|只|少|这么|是)"
        r"|怎么(?:还|没|不|又|就|这么|回事|样了|搞的|是)"
    ),
    "status": (
        r"到哪|哪儿了|哪里了|了没|了吗|没有[?？]?$|了不|到账|进度|好了|通过|收到(?:货)?(?:没"
        r"|了吗)|发(?:货|出)?了|审核|处理(?:得|到|完|了)|退到|查收|签收了|显示"
    ),
    "still_not": (
        r"还(?:没|不|未|是没|在)|一直|迟迟|都(?:.{0,6})(?:天|周|月|小时|星期|礼拜)了|等了"
        r"|几天了|好几天|没人|没动|不动|不更新|没更新|没反应|没消息|催"
    ),
    "my_thing": (
        r"我(?:的|那|这|买的|家|们的)?(?:订单|单|单子|快递|包裹|货|件|退款|退货|钱|券|优惠券"
        r"|积分|发票|账号|账户|会员|礼品卡|红包|投诉|申请|衣服|鞋|号|赔付|余额|订的|尾款|定金"
        r"|换货|地址|评价)"
    ),
    "our_shop_did": (
        r"你们?(?:家)?(?:都|又|还|怎么|是不是|为什么|有没有|到底|客服|快递|仓库|把|给我|发|说"
        r"|答应|扣|退|收|少|漏|错|寄|什么时候)"
    ),
    "do_for_me": (
        r"(?:帮|给|替|麻烦|请)(?:我|忙|下|一下|我们|你们|查|看|催)|查一?下|看一?下|催一?下"
        r"|取消(?:掉|一下)$|改成|换成|换一?个|补(?:发|给|寄)|备注|(?:发|寄|送)到|退给我"
        r"|给我(?:退|换|发|补|查|解决|说法)|说法|怎么处理|怎么解决|怎么赔我"
    ),
    "event": (
        r"(?:收到|拿到|到手|打开|买|拍|付|下单|寄|退|换|申请|投诉|充|领|穿|用|洗)(?:的|了|回去"
        r"|过|完|来|货)?.{0,12}(?:了|破|坏|漏|少|错|裂|脏|丢|掉|断|开胶|起球|发霉|过期|不对"
        r"|不亮|不能用|没用|有问题|有味|臭|味道)|发错|少发|漏发|寄错|扣了|多扣|重复扣"
        r"|被(?:取消|扣|退|关闭|冻结|盗|驳回|拒|签收|别人|删)"
    ),
    "time_past": (
        r"昨[天晚日]|前[天几]|上[周个]|上星期|今[天早日]|刚(?:刚|才|下)|早上|下午|晚上"
        r"|\d+[号日天]|[一二两三四五六七八九十]+天(?:了|前)|周[一二三四五六日]|这(?:单|个订单"
        r"|件|张|次|两天|几天)|那(?:单|件|条|张|双|次|个订单)|上次|之前"
    ),
    "own_state": (
        r"我(?:是不是|算|有几|有多少|还有|还剩|剩|绑|现在|用的|填|留|升|够)|多少(?:积分|券|钱"
        r"|余额)了?$|有几张|还剩|剩多少|哪个(?:手机号|等级|地址|邮箱)"
    ),
    "case": (
        r"(?:收到|拿到|到手|买|寄来|发来|来)(?:了|的)?.{0,8}(?:是|就|都|全)?(?:破|坏|漏|碎|裂"
        r"|脏|错|少|空|开胶|起球|发霉|断|湿|变形|掉色|有洞)的?(?!.{0,8}(?:多久|几天|该|应该"
        r"|怎么办|可以|能))|(?:起球|开胶|掉色|破了|坏了|漏水|漏电|碎了|断了|臭"
        r"|味道太).{0,10}(?:怎么(?:赔|处理|解决|给)|你们|给我|说法|赔)|少了|漏了|丢了|不见了"
        r"|没收到(?!.{0,10}(?:怎么|咋|可以|能))"
    ),
    "first_person": r"我|俺|咱",
    "anger": r"[!！]{1,}|骗|垃圾|太差|差劲|无语|气死|过分|坑|离谱|投诉你们|赔我|忽悠",
    "own_wish": (
        r"^(?:我)?(?:想|要|想要|打算|准备)(?:申请|退|换|取消|改|注销|删|开|投诉|修改|买|知道"
        r"|问|了解|关|领)"
    ),
    "statement": (
        r"^(?!.*(?:怎|如何|咋|吗|嘛|么|什么|啥|哪|几|多久|多少|多长|多大|谁|能|可以|可否|是否|为何|有没有|呢"
        r"|要不要|会不会|[?？]|不$))"
    ),
    "after_that_still": r"[了过](?:以后|之后|后)?(?:我)?(?:还|也)(?:能|可以|会|给|支持|要|算|在|需要)",
    "after_that_what": r"了(?:该|应该|要|得)?(?:怎么办|怎么弄|怎么处理|怎么退|怎么改|怎么取消|咋办|找谁|算谁)",
    "i_may": (
        r"^(?:请问|你好|亲)?[ ，,]?我(?:要|该|应该|想)?(?:怎么(?!还|没|这么|又|就|不|样)|如何|在哪|去哪|能|可以"
        r"|可不可以|能不能|该|应该|需要|必须)"
    ),
    "learn_how": r"(?:怎么|如何|在哪|哪里)(?:才能|能|可以)?(?:知道|查|看|确认|判断|证明|辨别)",
    "no_subject_state": (
        r"^(?:订单|快递|包裹|货|退款|退货|钱|发票|红包|券|积分|物流|单号|衣服|鞋子?|裙子|杯子"
        r"|裤子).{0,14}(?:了|没|呢|不)"
    ),
}
_LEANING = {
    "pronoun": (
        r"\b(?:it|that|this|those|these|they|them|one|ones|same|other|else|there|then|so|too"
        r"|either|instead)\b|它|那个|这个|那款|这款|那种|这种|那样|这样|那么|前者|后者|另一"
        r"|其他的|别的"
    ),
    "opening": (
        r"^(?:and|but|so|ok|okay|then|or|also|what about|how about|yes|no|yeah|well|hm+|oh"
        r"|really|why)\b|^(?:那|然后|还有|而且|不过|但是|所以|哦|嗯|好|行|对|是|不)"
    ),
    "ending": r"呢[?？]?$|then\??$|too\??$|either\??$|instead\??$",
    "short": r"^.{1,8}$|^\S+(?:\s\S+){0,2}\??$",
}

_BY_LANGUAGE = {
    chinese: {name: re.compile(pattern) for name, pattern in (own | _LEANING).items()}
    for chinese, own in ((False, _ENGLISH), (True, _CHINESE))
}


def cues(plain: str, *, chinese: bool) -> Iterator[str]:
    """Names of the cues that a folded text with straight apostrophes shows."""
    return (name for name, pattern in _BY_LANGUAGE[chinese].items() if pattern.search(plain))
