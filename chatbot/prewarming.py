"""Filling the cache before shoppers come: from the articles' typical wordings, or from a log of questions.

Nothing that is answered already is touched, and what the guard keeps out of the shared cache is passed over
without a call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from base.text import Language, language_of
from cache.models import Answer, Wording
from cache.normalize import canonical, key_of
from cache.store import Entry
from chatbot import answering
from chatbot.asked import Asked, Receipt, Stage, unasked
from chatbot.borrowed import instructs
from chatbot.cache_checks import Checks, partition_of
from chatbot.cache_rows import StoredRow
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import Article
from chatbot.phrases import say
from chatbot.prompts import PROMPT_VERSION
from chatbot.runtime import Runtime


@dataclass(slots=True)
class Warmed:
    """What became of the questions; `spent_nanousd` is what their calls cost."""

    stored: int = 0
    known: int = 0
    refused: int = 0
    not_stored: Counter[str] = field(default_factory=Counter)
    left: int = 0
    spent_nanousd: int = 0


def article_wordings() -> list[tuple[str, Language]]:
    """Title and typical wordings of every article that is in use, each once."""
    rows = Article.objects.filter(site__key=DEFAULT_SITE_KEY, enabled=True).order_by(
        "locale", "key"
    )
    texts = {
        (key_of(text), row.locale): (text, _language(row.locale))
        for row in rows
        for text in (row.title, *row.asked_as)
    }
    return list(texts.values())


def article_rows(*, mode: str, checks: Checks) -> list[StoredRow]:
    """Each article as the answer to its own wordings, those left out that lead to an answer already."""
    rows = Article.objects.filter(site__key=DEFAULT_SITE_KEY, enabled=True).order_by(
        "locale", "key"
    )
    taken: set[tuple[str, str]] = set()
    found = []
    for article in rows:
        row = _article_row(article, mode=mode)
        partition = partition_of(row, prompt_version=PROMPT_VERSION)
        wordings = [
            text
            for text in dict.fromkeys((article.title, *article.asked_as))
            if not checks.wording(text, language=_language(article.locale))
            and not _is_known(partition, text)
            and (partition, key_of(text)) not in taken
        ]
        taken.update((partition, key_of(text)) for text in wordings)
        if wordings:
            found.append(_article_row(article, mode=mode, wordings=_one_per_key(wordings)))
    return found


def most_asked(texts: Iterable[str]) -> list[tuple[str, Language]]:
    """Each question once, in its commonest spelling, the most asked first."""
    spellings: dict[str, Counter[str]] = {}
    for text in texts:
        if canonical(text):
            spellings.setdefault(key_of(text), Counter())[text.strip()] += 1
    ranked = sorted(spellings.values(), key=lambda counts: -counts.total())
    chosen = [counts.most_common(1)[0][0] for counts in ranked]
    return [(text, language_of(text)) for text in chosen]


async def ask_all(
    runtime: Runtime, questions: Sequence[tuple[str, Language]], *, budget_nanousd: int
) -> Warmed:
    """Put each question to the models, one after the other, until the budget is spent.

    A call is begun only while money is left, so at most one call's cost goes beyond the budget.
    """
    warmed = Warmed()
    for number, (text, language) in enumerate(questions):
        if warmed.spent_nanousd >= budget_nanousd:
            warmed.left = len(questions) - number
            break
        asked = unasked(
            text,
            language=language,
            configuration=runtime.configuration,
            simulated=runtime.simulated,
            now_s=runtime.clock.monotonic_s(),
        )
        await _ask(asked, runtime=runtime, warmed=warmed)
    return warmed


async def _ask(asked: Asked, *, runtime: Runtime, warmed: Warmed) -> None:
    verdict = runtime.desk.guard.inspect(asked.text, language=asked.language)
    if not verdict.may_share or verdict.small_talk or instructs(asked.text):
        warmed.refused += 1
        return
    current = partial(_is_current, asked)
    if runtime.store.exact(asked.partition, key_of(asked.text), is_current=current) is not None:
        warmed.known += 1
        return
    receipt = Receipt()
    outcome = await answering.answer(asked, desk=runtime.desk, stage=_SILENT, receipt=receipt)
    warmed.spent_nanousd += outcome.cost_nanousd
    if outcome.stored is not None:
        warmed.stored += 1
    elif outcome.entry is not None:
        warmed.known += 1
    else:
        why = "; ".join(receipt.objections) or receipt.reason or "no reason was noted"
        warmed.not_stored[why] += 1


def _is_current(asked: Asked, entry: Entry) -> bool:
    versions = asked.configuration.article_versions
    return all(versions.get((key, locale)) == version for key, locale, version in entry.sources)


def _article_row(article: Article, *, mode: str, wordings: tuple[str, ...] = ()) -> StoredRow:
    lead = say("article_lead", locale=article.locale, title=article.title)
    return StoredRow(
        site=DEFAULT_SITE_KEY,
        language=article.locale,
        wordings=wordings,
        answer=f"{lead}\n\n{article.text}",
        sources=((article.key, article.locale, article.version),),
        mode=mode,
        origin=Answer.ARTICLE,
    )


def _is_known(partition: str, text: str) -> bool:
    """Whether these words lead to a served answer, or were split off and wait for staff."""
    rows = Wording.objects.filter(partition=partition, key=key_of(text))
    status = rows.values_list("answer__status", flat=True).first()
    return status in Answer.SERVED


def _one_per_key(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple({key_of(text): text for text in texts}.values())


def _language(locale: str) -> Language:
    return "zh-hans" if locale == "zh-hans" else "en"


async def _nobody_sees(*_: object) -> None:
    """There is no shopper to show it to."""


_SILENT = Stage(delta=_nobody_sees, restart=_nobody_sees, wait=_nobody_sees)
