"""The whole way of a question that nobody asked: what `explain` prints and the test console shows. Calls no model.

Both take their words from `steps_of`, so they cannot part ways: sentences of the product in English, which
`base.sentences` gives in the reader's language.
"""

from __future__ import annotations

from dataclasses import dataclass

from base.money import usd
from base.text import Language, language_of
from chatbot.asked import Receipt
from chatbot.board_lines import lane_in_words
from chatbot.deciding import decided, planned
from chatbot.knowledge import Found
from chatbot.matching import Match, match
from chatbot.prompts import ANSWER_TOKENS, BuiltPrompt
from chatbot.runtime import Runtime
from routing.classifier import Classified
from routing.errors import TooLarge
from routing.permits import LaneView
from routing.pricing import cost_on, price_on
from routing.specs import ModelSpec, Need, Usage

Steps = list[tuple[str, str]]
NOTHING_FOUND = "nothing found: the shared cache may be read and written"


@dataclass(frozen=True, slots=True)
class Explained:
    """Every step's decision. `told` is said in place of an answer; `prompt` None: no model would be asked.

    `lanes` say how each model of the chain stands now. `cost_nanousd` is for an answer of the greatest length,
    None where no price is known.
    """

    match: Match
    rule_set_version: int
    tier: Classified
    found: tuple[Found, ...]
    models: tuple[ModelSpec, ...]
    lanes: tuple[LaneView, ...]
    left_out: tuple[str, ...]
    told: str
    prompt: BuiltPrompt | None
    cost_nanousd: int | None

    @property
    def answer_tokens(self) -> int:
        """The most that an answer may have."""
        return self.tier.actions.at_most(ANSWER_TOKENS)


async def explain(question: str, *, runtime: Runtime) -> Steps:
    """Each step with its decision and reason, in the order of the story."""
    language = language_of(question)
    return steps_of(await explained(question, language=language, runtime=runtime))


async def explained(text: str, *, language: Language, runtime: Runtime) -> Explained:
    """What would become of a text now; nothing is stored and nobody is asked."""
    matched = await match(text, language=language, runtime=runtime)
    asked, receipt = matched.asked, Receipt()
    plan = planned(asked, matched.guard, now=runtime.clock.now())
    tier = await decided(plan, asked, matched.vector, receipt=receipt)
    knowledge = asked.configuration.knowledge.get(language)
    found = tuple(knowledge.search(text, vector=matched.vector)) if knowledge else ()
    models, left_out = runtime.usable(tier.tier, tier.actions)
    speaking = runtime.desk.speaking
    told = speaking.small_talk(asked, matched.guard) or speaking.by_rule(
        asked, tier, verdict=matched.guard, receipt=Receipt()
    )
    prompt = None
    if told is None and found:
        prompt = _prompt(matched, found, runtime)
    tokens = tier.actions.at_most(ANSWER_TOKENS)
    need = Need(prompt.tokens if prompt is not None else 0, tokens)
    lanes = await runtime.gate.look(models, need=need)
    return Explained(
        match=matched,
        rule_set_version=receipt.rule_set_version or 0,
        tier=tier,
        found=found,
        models=models,
        lanes=tuple(lanes),
        left_out=tuple(omission.reason for omission in left_out),
        told="" if told is None else told.text,
        prompt=prompt,
        cost_nanousd=_cost(models[0], need, runtime) if models and prompt is not None else None,
    )


def steps_of(explained: Explained) -> Steps:
    """The steps in words, in the order of the story."""
    matched, tier = explained.match, explained.tier
    steps: Steps = [
        ("language", matched.asked.language),
        ("guard", "; ".join(matched.notes) or NOTHING_FOUND),
        ("exact", _exact(matched)),
        ("embed", matched.embedding),
        ("lookup", matched.reason),
    ]
    steps += [("did you mean", question) for question in matched.options]
    steps += [
        ("near", f"{item.cosine or 0:.3f}  {item.entry.wording}") for item in matched.near[:5]
    ]
    version = explained.rule_set_version
    steps.append(("rule set", f"version {version}" if version else "the built-in one"))
    steps.append(("classify", f"{tier.tier.value}: {tier.reason}"))
    if tier.actions.in_words:
        steps.append(("actions", "; ".join(tier.actions.in_words)))
    if explained.told:
        steps.append(("told", explained.told))
    steps += [("article", f"{item.score:.2f}  {item.article.title}") for item in explained.found]
    if not explained.found:
        steps.append(("article", "none is good enough: the shop would say that it does not know"))
    labels = [model.label for model in explained.models]
    steps.append(("chain", " -> ".join(labels) or "no model can be called"))
    steps += [
        ("stands", f"{label}: {lane_in_words(lane)}")
        for label, lane in zip(labels, explained.lanes, strict=True)
    ]
    steps += [("left out", reason) for reason in explained.left_out]
    steps.append(("prompt", _prompt_in_words(explained)))
    return steps


def _prompt_in_words(explained: Explained) -> str:
    if explained.prompt is None:
        return "none: no model is asked"
    words = (
        f"about {explained.prompt.tokens} tokens, and at most {explained.answer_tokens} of answer"
    )
    if not explained.models:
        return words
    cost = explained.cost_nanousd
    return (
        f"{words}: at most {usd(cost)}" if cost is not None else f"{words}: the price is not known"
    )


def _exact(matched: Match) -> str:
    shown = f'"{matched.canonical}"'
    if matched.exact is None:
        return f"{shown} was not answered before"
    since = " from an older article" if matched.exact.outdated else ""
    return f"{shown} was answered before{since}"


def _prompt(matched: Match, found: tuple[Found, ...], runtime: Runtime) -> BuiltPrompt | None:
    """The request without earlier turns; None when the question alone is too long."""
    try:
        return runtime.desk.speaking.prompt(
            matched.asked, verdict=matched.guard, found=found, turns=(), now=runtime.clock.now()
        )
    except TooLarge:
        return None


def _cost(model: ModelSpec, need: Need, runtime: Runtime) -> int | None:
    day = runtime.clock.now().date()
    price = price_on(runtime.routing, endpoint_key=model.endpoint.key, names=(model.name,), day=day)
    cost = cost_on(price, Usage(need.input_tokens, need.output_tokens))
    return cost.cost_nanousd if cost.certain else None
