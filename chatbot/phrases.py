"""What the product itself says to shoppers, in both languages. A message says what happened and what to do."""

from __future__ import annotations

_EN: dict[str, str] = {
    "frame_too_long": "That message is too large to send. Please shorten it.",
    "not_json": "That message could not be read. Please reload the page and try again.",
    "unknown_frame": "This page asked for something this shop does not know. Please reload the page.",
    "bad_id": "That message could not be read. Please reload the page and send it again.",
    "bad_value": "That choice could not be read. Please try again.",
    "bad_option": "That is none of the suggestions. Please choose one of them, or none.",
    "late_choice": "That choice came too late: your question is already being answered.",
    "empty": "Please write a question first.",
    "question_too_long": "A question can have at most 4,000 characters. Please shorten it.",
    "control_characters": "Your text holds characters that cannot be shown. Please type it anew.",
    "conflict": "This question was already sent with other words. Please send it again.",
    "too_fast": "That was a lot of questions at once. Please wait a moment.",
    "busy": "Very many people are asking right now. Please try again in a moment.",
    "deadline": "Finding an answer took too long. Please ask again. {contact}",
    "no_model": "No answer can be given right now. Please try again later. {contact}",
    "not_available": "This is not available in the chat yet. {contact}",
    "to_person": "This is best looked at by one of our people. {contact}",
    "internal": "Something went wrong on our side. Please ask again. {contact}",
    "unknown_question": "That question was not found in this conversation.",
    "no_orders": "I cannot see orders or personal data yet, but I can tell you how to look it up:",
    "no_orders_at_all": (
        "I cannot see orders or personal data yet. Please look in **My orders**, where every order shows its "
        "state and its next steps. {contact}"
    ),
    "no_article": (
        "I'm sorry, the shop's help pages do not answer this, and I would rather not guess. {contact}"
    ),
    "greeting": "Hello! What would you like to know?",
    "hello": "Hello! Ask me anything about the shop, its delivery or its returns.",
    "thanks": "You're welcome! Is there anything else I can help with?",
    "bye": "Goodbye, and thank you for stopping by!",
    "abusive": "I'd like to help. Please tell me what went wrong, without insults. {contact}",
    "article_lead": "From our help page “{title}”:",
    "withdrawn": (
        "An answer that you got in this chat was not right, and we have taken it back. Please do not rely on it. "
        "Ask again for a fresh one."
    ),
}
_ZH: dict[str, str] = {
    "frame_too_long": "这条消息太大，无法发送，请缩短后再发。",
    "not_json": "这条消息无法读取，请刷新页面后重试。",
    "unknown_frame": "页面发出的请求本店无法识别，请刷新页面。",
    "bad_id": "这条消息无法读取，请刷新页面后重新发送。",
    "bad_value": "这个选项无法读取，请再试一次。",
    "bad_option": "建议中没有这一项，请选择其中一项，或选择“都不是”。",
    "late_choice": "选择得晚了一点，您的问题已经在回答中。",
    "empty": "请先输入您的问题。",
    "question_too_long": "一个问题最多4,000个字符，请缩短后再发。",
    "control_characters": "文字里含有无法显示的字符，请重新输入。",
    "conflict": "这个问题已用其他文字发送过，请重新发送。",
    "too_fast": "您提问有点快，请稍等片刻再问。",
    "busy": "现在咨询的人非常多，请稍后再试。",
    "deadline": "查找答案用时过长，请重新提问。{contact}",
    "no_model": "现在暂时无法回答，请稍后再试。{contact}",
    "not_available": "聊天里暂时还没有这项功能。{contact}",
    "to_person": "这个问题最好由我们的同事来处理。{contact}",
    "internal": "我们这边出了点问题，请重新提问。{contact}",
    "unknown_question": "在本次对话中没有找到这个问题。",
    "no_orders": "我暂时还看不到订单和个人信息，但可以告诉您怎么自己查：",
    "no_orders_at_all": "我暂时还看不到订单和个人信息。请在“**我的订单**”里查看，每个订单都有当前状态和下一步操作。{contact}",
    "no_article": "抱歉，本店的帮助文章没有这个问题的答案，我不想乱猜。{contact}",
    "greeting": "您好！想了解点什么？",
    "hello": "您好！商品、物流、退换货，都可以问我。",
    "thanks": "不客气！还有什么可以帮您的吗？",
    "bye": "再见，感谢光临！",
    "abusive": "我很想帮到您，请告诉我具体遇到了什么问题，也请文明用语。{contact}",
    "article_lead": "摘自本店帮助文章《{title}》：",
    "withdrawn": "您在本次对话中收到的一条回答有误，我们已将其撤回，请不要以它为准。您可以重新提问，获取新的回答。",
}
PHRASES: dict[str, dict[str, str]] = {"en": _EN, "zh-hans": _ZH}


def say(key: str, *, locale: str, **values: str) -> str:
    """The sentence `key` in `locale` (English when the locale is not ours), with its values filled in."""
    return PHRASES.get(locale, _EN)[key].format(**values).strip()
