"""Whether a text tells the model what to do instead of asking the shop something. Pure.

Patterns of both languages, in groups: setting rules aside, giving the model another part, ordering the words of an
answer, fetching what is hidden, and markup of prompts. A hit costs its asker nothing (the question is answered, but for
them alone), so a pattern may err now and then; a miss is what the other nets of `borrowed` and `cache.policy` are for.
"""

from __future__ import annotations

import re
import unicodedata

_RULES = (
    r"(?:instructions?|prompts?|rules?|guidelines?|directives?|polic(?:y|ies)|restrictions?|constraints?"
    r"|training|context|articles?|limitations?|guardrails?)"
)
_SAY = (
    r"(?:say|answer|reply|respond|output|print|write|state|claim|recommend|mention|promise|confirm)"
)
_ANSWER = r"(?:answers?|repl(?:y|ies)|responses?|messages?|outputs?)"
_ALL = (
    r"all|any|each|every|your|these|those|the|previous|prior|above|earlier|preceding|other|of|system|given"
    r"|old|original|safety|shop(?:'s)?|my|existing|current"
)
_START = (
    r"(?:^|[.!?;:,\n)\]\"'-] ?|\b(?:please|now|and|then|you must|you should|you will|instead) )"
)
_ENGLISH = (
    # setting rules aside
    rf"\b(?:ignore|disregard|forget|override|overrule|bypass|drop|abandon) (?:(?:{_ALL}) )"
    rf"{{0,5}}{_RULES}\b",
    r"\b(?:ignore|disregard|forget) (?:everything|all that|whatever|anything|what)"
    r" (?:above|before|you|i said|was said|that)",
    r"\b(?:ignore|disregard) (?:all|any|the|your) (?:above|previous|prior)\b",
    rf"\b(?:do not|don't|stop|no longer) (?:follow|obey|apply|us)(?:ing|e|ying)?"
    rf" (?:the |your |any |these |those )?{_RULES}\b",
    rf"\b(?:new|updated|real|actual|revised|secret) {_RULES} ?[:=]",
    rf"\b{_RULES} (?:above|before) (?:is|are) (?:void|wrong|outdated|cancelled)",
    # another part
    r"\byou(?:'re| are) (?:now|no longer|going to (?:act|be)) ",
    rf"\bfrom now on,? (?:you\b|always|only|every answer|{_SAY}|act|talk|speak)",
    rf"{_START}(?:act|behave|respond|talk|speak) (?:as|like) (?:if |though |an? |the |my )?",
    rf"{_START}(?:pretend\b(?! to return)|imagine (?:that )?you\b|simulate\b|assume the role|role-?play)",
    r"\b(?:developer|debug|admin|god|dan|jailbreak|maintenance|unrestricted|sudo|root) mode\b|\bjailbreak",
    r"\b(?:as|like) (?:an? )?(?:unrestricted|unfiltered|evil) ",
    # ordering the words of an answer
    r"\b(?:answer|reply|respond)\s*:|\b(?:answer|reply|respond) (?:that|only|in the form)\b",
    r"\b(?:answer|reply|respond) with (?:the |a |an |one |exactly |just |only )*"
    r"(?:words?|sentence|text|yes|no|link|url|code|[\"'“])",
    rf"{_START}(?:just|only|always|never|simply) {_SAY}\b",
    rf"{_START}(?:say|print|output|write|repeat) "
    r"(?:that |this|exactly|only|the (?:following|words?|sentence|phrase)|after me|[\"'“:])",
    r"\b(?:tell (?:them|everyone|everybody|people)|(?<! i )say) that\b",
    r"\btell (?:me|us) that (?:everything|all|you|it) (?:is|are) (?:free|allowed)",
    r"\btell (?:every|all|other|any)(?:one|body)? ?(?:the )?(?:customers?|shoppers?|users?|buyers?|people)\b",
    rf"\b(?:begin|start|end|finish|close|open|preface|sign) (?:your|the|each|every|all) (?:\w+ )?{_ANSWER}\b",
    rf"\b(?:append|add|include|insert|put|prepend|attach|place|embed) .{{0,60}}\b(?:in|to|at|into|of|after|before)"
    rf" (?:your|the|each|every|all)(?: your)?(?: future)? (?:\w+ (?:of|to) (?:your|the|every|each) )?{_ANSWER}\b",
    rf"\byour {_ANSWER} (?:must|should|has to|have to|needs? to|shall|will|may only)\b",
    rf"\bin (?:your|every|each) (?:next )?{_ANSWER},? (?:say|write|include|add|mention|recommend|use)",
    r"\bwhenever (?:anyone|someone|anybody|a customer|a user|you are|they) (?:asks?|asked)",
    rf"\bthe (?:correct|right|only|official|new|expected) {_ANSWER} (?:is|to this|must|should)\b",
    rf"\b(?:remember|memorize|memorise|save|store|cache) (?:this|the following) (?:\w+ )?(?:{_ANSWER}|for|as|:)",
    # what is hidden
    r"\b(?:reveal|show|display|print|output|repeat|dump|leak|quote|translate|summari[sz]e|give|tell)(?: me| us)?"
    r" (?:all )?(?:your|the|its) (?:full |entire |exact |complete )?"
    r"(?:system|initial|hidden|secret|original|internal|first)"
    r" (?:prompt|instructions?|message|rules|text|configuration)",
    r"\bsystem (?:prompt|message|instruction)s?\b",
    r"\brepeat (?:everything|all|the text|the words) (?:above|before)",
    r"\b(?:decode|decrypt|base64|rot13|execute|eval)\b.{0,60}\b(?:follow|obey|answer|do what|execute|run|instruction)",
    # markup of prompts
    r"\[\[|</?(?:article|system|instructions?|prompt|assistant|user|context|s|im_start|im_end)\b[^>]{0,20}>|<\|\w+\|>"
    r"|\[/?inst\]|```|^#{1,6} ?(?:system|instructions?|new|task)\b|\b#{2,6} ?(?:system|instructions?|new task)\b",
    r"(?:^|\n|[.!?] )(?:system|assistant|developer|ai|bot) ?: ",
    r"\b(?:note|message|memo|notice) (?:to|for) (?:the )?(?:ai|assistant|model|chatbot|bot|llm)\b",
    r"\b(?:end|begin(?:ning)?|start) of (?:the )?(?:system |user )?(?:prompt|context|instructions|articles|input)\b",
)  # fmt: skip
_HAN_RULES = r"(?:指令|指示|提示词|提示(?!音|短信|消息)|规则|设定|限制|约束|规定|命令|prompt|内容|对话|文章|资料)"
_HAN_SAY = r"(?:回答|回复|答复|输出|说|写|声称|承诺|推荐)"
_CHINESE = (
    rf"(?:忽略|无视|忘记|忘掉|忘了|不要理会|不要遵守|不用遵守|别管|不用管|绕过|跳过|覆盖|抛开|推翻)掉?"
    rf"(?:以上|之前|上面|前面|上述|所有|一切|全部|系统|你的|你们的|原来|先前|此前|任何|店铺|的|了){{1,6}}{_HAN_RULES}",
    r"忽略(?:以上|之前|前面|所有)(?!订单|短信|邮件|快递|优惠)",
    r"(?:新|最新|真正|隐藏)的?(?:指令|规则|任务|设定|命令)(?:[:：]|是)",
    r"你现在(?:是|扮演|要|必须)|你(?:将|要|来|必须)?(?:扮演|充当)|你不再是|假设你是|假装(?:你|自己)|角色扮演",
    r"从(?:现在|此刻)(?:开始|起)[,，]?(?:你|请你|只|都要|每次|一律|回答|必须)",
    r"(?:开发者|调试|管理员|越狱|上帝|无限制)模式|越狱",
    r"(?:回答|答案|回复)\s*(?:[:：]|为[“\":：]|是[“\":：不可])|请(?:回答|回复|说)[:：“\"]",
    rf"(?:^|[,，。!！;；:：?？\s]|请|你)(?:只|只能|必须|务必|统一|一律|永远|总是|每次都|直接){_HAN_SAY}(?!我|一下|很|得|慢)",
    rf"(?:只|务必|一律|永远|统一)(?:要|能|需|许|准|可以){_HAN_SAY}",
    r"(?:回答|回复|答案|答复)(?:的|里|中)?(?:开头|结尾|末尾|最后|里面|里|中)(?:都|要|请|必须|务必)?(?:加|写|附|说|带|放|提|注明)",
    r"在(?:每个|每次|所有|你的|你)(?:回答|回复|答案)",
    r"(?:告诉|通知|回复|答复|对)(?:所有|每个|每位|其他|别的|全部)(?:的)?(?:顾客|客户|用户|买家|人)",
    r"(?:输出|重复|复述|打印|显示|泄露|公布|说出|翻译|列出|展示|告诉我)一?下?(?:你|你们)?的?"
    r"(?:系统|完整|全部|原始|初始|隐藏|内部|上面|以上)的?(?:提示词?|指令|设定|规则|内容|消息|prompt|文字)",
    r"系统(?:提示词|指令|设定)|系统(?:提示|消息)[:：]|(?:^|\n)(?:系统|助手|管理员)[:：]",
    r"(?:正确|标准|真正|唯一|官方)的?(?:答案|回答|答复)(?:应该|应当|必须|就)?是",
    r"(?:记住|缓存|保存|存下)(?:这个|这句|这段|以下|下面)(?:话|回答|答案|内容)?",
    r"(?:跟着我|照我|按我|照着我|按照我)(?:说的)?(?:说|写|念|回答|回复)",
    r"(?:无论|不管|不论)(?:谁|别人|顾客|用户|任何人|问什么|我问什么).{0,12}(?:都|一律|只)(?:要|能|请)?(?:回答|回复|说)",
    r"(?:给|致)(?:ai|人工智能|模型|助手|机器人)的(?:话|指令|备注|说明)",
    r"(?:以上|前面)(?:指令|规则|内容|资料)(?:都|已经?|全部)?(?:作废|无效|过期|取消)",
)  # fmt: skip
_INSTRUCTION = re.compile("|".join(f"(?:{part})" for part in (*_ENGLISH, *_CHINESE)))
# i g n o r e, and letters that are none
_SPACED = re.compile(r"\b(?:\w[ .\-_*]){4,}\w\b")
_BETWEEN = re.compile(r"[ .\-_*]")
_LOOKALIKE = str.maketrans("аеорсухіѕԁɡ013457@$", "aeopcyxisdgoieastas")
_WHITE = re.compile(r"[^\S\n]+")


def instructs(text: str) -> bool:
    """Whether the text gives the model an instruction, written out or disguised by spacing and look-alikes."""
    plain = _plain(text)
    if _INSTRUCTION.search(plain):
        return True
    spaced = _SPACED.sub(lambda match: _BETWEEN.sub("", match.group()), plain)
    return any(
        _INSTRUCTION.search(form) is not None
        for form in {spaced, plain.translate(_LOOKALIKE)} - {plain}
    )


def _plain(text: str) -> str:
    """Folded, without invisible characters; one kind of blank, line breaks kept."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    seen = "".join(char for char in folded if unicodedata.category(char) not in ("Cf", "Mn"))
    return _WHITE.sub(" ", seen)
