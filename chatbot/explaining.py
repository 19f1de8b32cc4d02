"""The steps of a question's way in words: what `explain` prints and staff read."""

from __future__ import annotations

from base.text import language_of
from cache.normalize import canonical, key_of
from chatbot.asked import Asked, Receipt
from chatbot.deciding import decided, planned
from chatbot.looking_up import look_up, sight_of
from chatbot.offering import options_of
from chatbot.runtime import Runtime
from chatbot.vectorising import MAX_UNKNOWN_SHARE

Steps = list[tuple[str, str]]


async def explain(question: str, *, runtime: Runtime) -> Steps:
    """Each step with its decision and reason, in the order of the story; calls no model."""
    asked = _asked(question, runtime)
    verdict = runtime.desk.guard.inspect(question, language=asked.language)
    embedded = await runtime.embedder.embed(question)
    speaks = embedded.unknown_share <= MAX_UNKNOWN_SHARE and embedded.fits
    vector = embedded.vector if speaks else None
    steps: Steps = [
        ("language", asked.language),
        (
            "guard",
            "; ".join(verdict.notes) or "nothing found: the shared cache may be read and written",
        ),
        ("exact", await _exact(asked, runtime)),
        (
            "embed",
            f"{embedded.unknown_share:.0%} unknown word pieces; {'used' if speaks else 'not used'}",
        ),
    ]
    sight = sight_of(asked, vector)
    if sight is not None:
        decision = await look_up(asked, sight, store=runtime.store)
        steps.append(("lookup", decision.reason))
        steps += [("did you mean", option.question) for option in options_of(decision.options)]
        steps += [("near", f"{item.cosine:.3f}  {item.text}") for item in decision.near[:5]]
    receipt = Receipt()
    plan = planned(asked, verdict, now=runtime.clock.now())
    tier = await decided(plan, asked, vector, receipt=receipt)
    found = asked.configuration.knowledge[asked.language].search(question, vector=vector)
    models, left_out = runtime.usable(tier.tier, tier.actions)
    steps.append(("rule set", _set_in_words(receipt.rule_set_version)))
    steps.append(("classify", f"{tier.tier.value}: {receipt.tier_reason}"))
    if tier.actions.in_words:
        steps.append(("actions", "; ".join(tier.actions.in_words)))
    steps += [("article", f"{item.score:.2f}  {item.article.title}") for item in found]
    if not found:
        steps.append(("article", "none is good enough: the shop would say that it does not know"))
    steps.append(
        ("chain", " -> ".join(model.label for model in models) or "no model can be called")
    )
    steps += [("left out", omission.reason) for omission in left_out]
    return steps


def _set_in_words(version: int | None) -> str:
    return f"version {version}" if version else "the built-in one"


async def _exact(asked: Asked, runtime: Runtime) -> str:
    entry = runtime.store.exact(asked.partition, key_of(asked.text), is_current=lambda _: True)
    shown = canonical(asked.text)
    return f'"{shown}" was answered before' if entry else f'"{shown}" was not answered before'


def _asked(question: str, runtime: Runtime) -> Asked:
    language = language_of(question)
    return Asked(
        question_id=0,
        conversation_id=0,
        site_id=runtime.configuration.site.id,
        shopper_id=0,
        client_id="",
        text=question,
        locale=language,
        language=language,
        past_the_cache=False,
        started_s=0.0,
        deadline_s=0.0,
        configuration=runtime.configuration,
        simulated=runtime.simulated,
    )
