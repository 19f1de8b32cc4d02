"""Sentences that the product wrote into rows, in the reader's language.

Deciding modules know no language but English, and a receipt keeps their words as they were. Whoever reads it in another
language gets each sentence by its shape: what stands in braces is carried over, and translated itself if it is a
sentence too. A sentence of another shape stays English.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

_BRACES = re.compile(r"\{(\w+)\}")

# The narrower shapes first: the first that fits decides.
SHAPES: tuple[Promise, ...] = (
    _("nothing is stored for this partition"),
    _("near wordings are stored, but: {vetoes}"),
    _("the neighbours' answer fits: {figures}"),
    _("no stored answer is sure enough: {figures}"),
    _("{share} sure (cosine {cosine}), {bound} needed"),
    _("polarity differs: only / not only"),
    _("polarity differs: one of them negates {words}"),
    _("polarity differs: {one} / {other}"),
    _("{facts} differ: {one} / {other}"),
    _("the articles it cites hardly speak of what was asked"),
    _("not stored: {reason}"),
    _("the question is not one to share"),
    _("the prompt held more than the question and articles"),
    _("the answer has no proper end"),
    _("the answer says that it does not know"),
    _("the answer cites no article"),
    _("it cites articles that were not in the prompt: {articles}"),
    _("figures or addresses that no cited article holds: {figures}"),
    _("the text is personal: {marks}"),
    _("it does what the question told it: {marks}"),
    _("the time until which it holds is over"),
    _("abstained: there are no examples to compare with"),
    _("abstained: {example} is under the floor of {floor}"),
    _("like {example} (score {score}, {share} of the vote)"),
    _("rule {position} {name} matched {matched}"),
    _("it is the dearest model, and no budget names it for simple questions"),
    _("its vendor begins to serve it on {day}"),
    _("its vendor ended it on {day}"),
    _("{variable} is not set"),
    _("{model} is left out; {todo}. The vendor said: {reason}"),
    _("{model} is left out: {reason}"),
    _("its key was refused: correct {variable} and restart, or edit the endpoint"),
    _("the account has no balance: top it up; it is asked again by itself"),
    _("the vendor does not know it any more: end its validity or correct its name"),
    _("the key's quota is used up: raise it at the vendor; it is asked again by itself"),
    _("A call was not made: {reason}."),
    _(
        "The budget {name} is used up; calls that fall under it are not made until it begins anew ({used})."
    ),
    _(
        "The quota {name} is used up; calls that fall under it are not made until it begins anew ({used})."
    ),
    _("The budget {name} is used to {percent} % ({used})."),
    _("The quota {name} is used to {percent} % ({used})."),
    _("The quota {name} has less than {percent} % left ({used})."),
    _(
        "No price is known for {model} at {endpoint}: its calls are booked at another model's price or at none. "
        "Add a row under Prices."
    ),
    _(
        "No dollar rate is known for {currency}: its calls are booked at no dollars. Add a row under Exchange rates."
    ),
    _(
        "{name} counted {share} more or less than our ledger since the last reading. Check the prices, whether the "
        "key is used elsewhere, and the calls of unknown outcome."
    ),
    _("The account at {name} has no balance left: top it up at the vendor."),
    _("{name} says that {percent} % of the key's own limit is left."),
    _(
        "{invalid} of {calls} calls of the last hour were refused as invalid requests: a parameter or a size in the "
        "model's row is wrong. The calls name the model and the code."
    ),
    _(
        "{model} ends in {days} days, after {day}: put its successor into the chains and enter its price."
    ),
    _("{model} ends {day}: put its successor into the chains and enter its price."),
    _("personal: {reason}"),
    _("leans on earlier turns: {reason}"),
    _("about this shopper's own case ({doubt})"),
    _("not understandable alone ({doubt})"),
    _("an address in the question"),
    _("letters of another script"),
    _("an unusually long question"),
    _("a heap of words"),
    _("no words"),
    _("answered from a fixed text"),
    _("not for the shared cache"),
    _("the same wording was answered before"),
    _("its article has changed; staff allow the old answer until the new one is made"),
    _("asked before, and a model's answer hardly fitted: the article instead"),
    _("no model: {reason}"),
    _("none ended in time"),
    _("{share} of the word pieces are unknown: too many, so it is found by its exact words only"),
    _("{share} of the word pieces are unknown"),
    _("longer than the model's window, so it is found by its exact words only"),
    _("no vector: the exact tier alone decides"),
    _("{count} near wordings were offered, the shopper meant: {question}"),
    _("{count} near wordings were offered, none was chosen"),
    _("{count} near wordings were offered"),
    _("{used} of {limit} tokens"),
    _("joined “{question}” while it was being answered: {how}"),
    _("the same words"),
    _("cosine {cosine}"),
    _("asked again past the cache"),
    _("a rule serves no stored answer"),
    _("a rule says so: {reason}"),
    _("the shopper said so"),
    _("no article answers it"),
    _("coverage: {reason}"),
    _("the embedding model is being changed"),
    _("no vector within {seconds} s"),
    _("longer than the model's window"),
    _("joined the same words, which took too long"),
    _("joined a question in flight, which took too long"),
    _("its answer is not served any more"),
    _("not rewritten: {reason}"),
    _("rewritten to stand alone: {question}"),
    _("nothing found: the shared cache may be read and written"),
    _('"{text}" was answered before from an older article'),
    _('"{text}" was answered before'),
    _('"{text}" was not answered before'),
    _("version {version}"),
    _("the built-in one"),
    _("FAQ: {reason}"),
    _("REGULAR: {reason}"),
    _("COMPLEX: {reason}"),
    _("HIGH: {reason}"),
    _("no model can be called"),
    _("none: no model is asked"),
    _("about {tokens} tokens, and at most {most} of answer: at most {cost}"),
    _("about {tokens} tokens, and at most {most} of answer: the price is not known"),
    _("about {tokens} tokens, and at most {most} of answer"),
    _("no stored answer is served, and the answer is not stored"),
    _("no stored answer is served"),
    _("the answer is not stored"),
    _("handed to a person"),
    _("the models of {tier}"),
    _("answered with the article {article}"),
    _("high-quality models first"),
    _("at most {count} tokens"),
    _("No model is asked for this text."),
    _("No model answered: {reason}"),
    _("Stopped by staff."),
    _("There are no questions to play: ask some, or upload a file."),
    _("The rule set is not there any more."),
    _("The model of the variant stands in no chain any more."),
    _("Its process ended before it was done. Start it again."),
)


def sentence(text: object) -> str:
    """The text in the active language; parts between semicolons are sentences of their own."""
    words = str(text)
    if (get_language() or "en").startswith("en") or not words:
        return words
    whole = _one(words)
    if whole != words:
        return whole
    return "；".join(_one(part) for part in words.split("; ")) if "; " in words else words


def _one(text: str) -> str:
    for pattern, shape in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            parts = {name: sentence(part) for name, part in found.groupdict().items()}
            return str(shape).format(**parts)
    return text


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Promise], ...]:
    return tuple((_pattern(shape), shape) for shape in SHAPES)


def _pattern(shape: Promise) -> re.Pattern[str]:
    parts = _BRACES.split(_english(shape))
    texts = (
        re.escape(part) if place % 2 == 0 else f"(?P<{part}>.+?)"
        for place, part in enumerate(parts)
    )
    return re.compile("".join(texts), re.DOTALL)


def _english(shape: Promise) -> str:
    with override("en"):
        return str(shape)
