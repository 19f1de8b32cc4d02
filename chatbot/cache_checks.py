"""What speaks against a line of an import: the same guard and admission rule that answers of models pass."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.dateparse import parse_datetime

from base.text import Language
from cache.models import Answer
from cache.policy import Proposal, objections
from chatbot.borrowed import foreign_addresses, instructs
from chatbot.cache_rows import SourceKey, StoredRow
from chatbot.configuration import DEFAULT_SITE_KEY, article_text
from chatbot.frames import LOCALES, MAX_QUESTION_CHARACTERS
from chatbot.guard import Guard, identifier_marks
from chatbot.guard_model import GuardModel
from chatbot.knowledge import ArticleText, unsupported_figures
from chatbot.models import Article
from chatbot.prompts import PROMPT_VERSION
from chatbot.relevance import admits_not_knowing

MAX_ANSWER_CHARACTERS = 20_000
MODES = ("live", "simulated")
ORIGINS = (Answer.MODEL, Answer.ARTICLE, Answer.STAFF)


class Checks:
    """The rules with what they need: the guard and the shop's articles as they stand."""

    def __init__(self, *, guard: Guard, articles: Mapping[tuple[str, str], ArticleText]) -> None:
        self._guard = guard
        self._articles = articles

    @classmethod
    def load(cls) -> Checks:
        """From the packaged guard and the rows of the default site."""
        rows = Article.objects.filter(site__key=DEFAULT_SITE_KEY, enabled=True)
        articles = {(row.key, row.locale): article_text(row) for row in rows}
        return cls(guard=Guard(GuardModel.load()), articles=articles)

    def against(self, row: StoredRow) -> tuple[list[str], tuple[SourceKey, ...]]:
        """Why the row may not be stored (empty: it may), and its sources with their versions."""
        reasons = [
            *_form(row),
            *(f"no such article: {key} ({locale})" for key, locale in self._unknown(row)),
        ]
        sources = tuple(
            (key, locale, version or self._articles[key, locale].version)
            for key, locale, version in row.sources
            if (key, locale) in self._articles
        )
        for key, locale, version in sources:
            current = self._articles[key, locale].version
            if version != current:
                reasons.append(f"{key} ({locale}) is at version {current}, this rests on {version}")
        if row.language in LOCALES:
            reasons += self._wordings(row)
        reasons += self._answer(row)
        return reasons, sources

    def wording(self, text: str, *, language: Language) -> list[str]:
        """Why a wording may not lead to a shared answer."""
        verdict = self._guard.inspect(text, language=language)
        told = ["it tells the model what to say"] if instructs(text) else []
        small = ["it is small talk"] if verdict.small_talk else []
        return [*verdict.notes, *told, *small]

    def _unknown(self, row: StoredRow) -> list[tuple[str, str]]:
        named = [(key, locale) for key, locale, _ in row.sources]
        return [pair for pair in named if pair not in self._articles]

    def _wordings(self, row: StoredRow) -> list[str]:
        language: Language = "zh-hans" if row.language == "zh-hans" else "en"
        return [
            f"“{wording}”: {reason}"
            for wording in row.wordings
            for reason in self.wording(wording, language=language)
        ]

    def _answer(self, row: StoredRow) -> tuple[str, ...]:
        """The admission rule; what staff wrote needs no article to rest on."""
        cited = frozenset(key for key, _, _ in row.sources)
        articles = [
            self._articles[key, locale]
            for key, locale, _ in row.sources
            if (key, locale) in self._articles
        ]
        by_staff = row.origin == Answer.STAFF
        figures = (
            *unsupported_figures(row.answer, articles=articles),
            *foreign_addresses(row.answer, articles=articles),
        )
        return objections(
            Proposal(
                question_may_be_shared=True,
                prompt_held_only_articles=True,
                finished=True,
                declined=admits_not_knowing(row.answer),
                beside_the_question=False,
                cited=cited or frozenset({"staff"} if by_staff else ()),
                offered=cited | {"staff"},
                unsupported_figures=() if by_staff else figures,
                personal_marks=identifier_marks(row.answer),
            )
        )


def partition_of(row: StoredRow, *, prompt_version: str) -> str:
    """The partition that the row's answer is served in."""
    version = row.prompt_version or prompt_version
    return f"{row.site}/{row.language}/{row.audience}/{version}/{row.mode}"


def _form(row: StoredRow) -> list[str]:
    """What is wrong with the parts of the row, apart from what it says."""
    checks = (
        (row.site != DEFAULT_SITE_KEY, f"no such site: {row.site}"),
        (row.language not in LOCALES, f"no such language: {row.language}"),
        (row.audience != "everyone", f"no such audience: {row.audience}"),
        (
            row.prompt_version not in ("", PROMPT_VERSION),
            f"made with prompt {row.prompt_version}, this shop has {PROMPT_VERSION}",
        ),
        (row.mode not in MODES, f"mode must be live or simulated, not {row.mode}"),
        (row.origin not in ORIGINS, f"no such origin: {row.origin}"),
        (len(row.answer) > MAX_ANSWER_CHARACTERS, "the answer is too long"),
        (
            any(len(wording) > MAX_QUESTION_CHARACTERS for wording in row.wordings),
            f"a wording has more than {MAX_QUESTION_CHARACTERS:,} characters",
        ),
        (
            bool(row.expires_at) and _is_no_moment(row.expires_at),
            "expires_at is no time with a zone",
        ),
    )
    return [reason for failed, reason in checks if failed]


def _is_no_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return True
    return moment is None or moment.tzinfo is None
