"""Served answers as rows of a file, so that they can be kept, edited and imported again."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Prefetch

from cache.models import Answer, Wording
from chatbot.cache_rows import StoredRow

AT_ONCE = 500


def stored_rows(*, simulated: bool | None = None) -> Iterator[StoredRow]:
    """Every served answer that has a served wording, oldest first; None takes live and simulated ones.

    What is suspended stays out: it would come back by an import.
    """
    served = Wording.objects.filter(suspended_at=None).defer("vector").order_by("id")
    rows = Answer.objects.filter(status__in=Answer.SERVED).order_by("id")
    if simulated is not None:
        rows = rows.filter(simulated=simulated)
    rows = rows.prefetch_related(Prefetch("wordings", queryset=served), "sources")
    for answer in rows.iterator(AT_ONCE):
        wordings = tuple(wording.text for wording in answer.wordings.all())
        if wordings:
            yield _row(answer, wordings)


def _row(answer: Answer, wordings: tuple[str, ...]) -> StoredRow:
    parts = [*answer.partition.split("/"), "", "", "", "", ""]
    site, language, audience, prompt_version, mode = parts[:5]
    return StoredRow(
        site=site,
        language=language,
        wordings=wordings,
        answer=answer.text,
        sources=tuple(
            (source.article_key, source.locale, source.article_version)
            for source in answer.sources.all()
        ),
        pinned=answer.status == Answer.PINNED,
        audience=audience,
        prompt_version=prompt_version,
        mode=mode,
        origin=answer.origin,
        model=answer.model,
        tier=answer.tier,
        expires_at=answer.expires_at.isoformat() if answer.expires_at else "",
    )
