"""Verifying the cache: each broken invariant is found, and what is safe is put right."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from cache.changes import record_changes
from cache.embedding import Embedder
from cache.models import Answer, Change, Source, Wording
from cache.normalize import key_of
from chatbot.cache_checks import Checks
from chatbot.cache_verify import Finding, Verifier
from chatbot.models import Article, Site

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = "default/en/everyone/v1/live"
TEXTS = ("Which courier do you use?", "How long does standard shipping take?")


@pytest.fixture
def rows(embedder: Embedder) -> None:
    """Two served answers on one article, as the product writes them."""
    site = Site.objects.create(key="default")
    Article.objects.create(
        site=site, key="couriers", locale="en", topic="t", title="C", text="By SF."
    )
    now = timezone.now()
    made_ids = []
    for number, (text, made) in enumerate(zip(TEXTS, embedder.embed_now(list(TEXTS)), strict=True)):
        answer = Answer.objects.create(
            partition=SHOP, text=f"By SF, {number}.", created_at=now, checked_at=now
        )
        Source.objects.create(answer=answer, article_key="couriers", locale="en", article_version=1)
        wording = Wording.objects.create(
            answer=answer,
            partition=SHOP,
            text=text,
            key=key_of(text),
            vector=made.vector.tobytes(),
            engine_id=embedder.engine_id,
            created_at=now,
        )
        made_ids.append(wording.id)
    with transaction.atomic():
        record_changes(made_ids, op=Change.ADD, now=now)


def found(embedder: Embedder, *, fix: bool = False) -> dict[str, Finding]:
    """Findings that are not empty, by name."""
    verifier = Verifier(checks=Checks.load(), embedder=embedder, now=timezone.now())
    findings = verifier.findings()
    if fix:
        verifier.fix(findings)
    return {finding.name: finding for finding in findings if finding.ids}


def _article_edited() -> None:
    row = Article.objects.get()
    row.text = "By ZTO."
    row.save()


def _one(**values: object) -> Callable[[], object]:
    """Change the first wording's row behind the product's back."""
    return lambda: Wording.objects.filter(text=TEXTS[0]).update(**values)


def _answer(**values: object) -> Callable[[], object]:
    return lambda: Answer.objects.filter(wordings__text=TEXTS[0]).update(**values)


BREAKS: dict[str, tuple[str, Callable[[], object]]] = {
    "key": ("keys", _one(key="else")),
    "engine": ("vectors", _one(engine_id="another")),
    "size": ("vectors", _one(vector=b"1234567")),
    "length": ("vectors", _one(vector=np.full(384, 0.5, dtype=np.float32).tobytes())),
    "personal": (
        "guard",
        _one(text="My order 202611110042?", key=key_of("My order 202611110042?")),
    ),
    "own": ("own answers", _answer(status=Answer.OWN, owner_shopper_id=7)),
    "partition": ("another partition", _one(partition="default/zh-hans/everyone/v1/live")),
    "revoked": ("out of service", _answer(status=Answer.REVOKED)),
    "suspended": ("out of service", _one(suspended_at=timezone.now())),
    "untold": ("do not serve", lambda: Change.objects.update(op=Change.REMOVE)),
    "expired": ("past their time", _answer(expires_at=timezone.now() - timedelta(days=1))),
    "gone": ("is gone", lambda: Article.objects.update(enabled=False)),
    "older": ("older version", _article_edited),
}


def test_rows_as_the_product_writes_them_are_clean(rows: None, embedder: Embedder) -> None:
    """Nothing is found, and the command says so with status 0."""
    out = io.StringIO()
    call_command("cache_verify", stdout=out)

    assert found(embedder) == {}
    assert all(line.split()[0] == "0" for line in out.getvalue().splitlines())


@pytest.mark.parametrize(("name", "damage"), BREAKS.values(), ids=BREAKS)
def test_damage_is_found_and_put_right(
    rows: None, embedder: Embedder, name: str, damage: Callable[[], object]
) -> None:
    """Each broken invariant is named; after `--fix` a second look finds nothing."""
    damage()
    names = list(found(embedder, fix=True))

    assert any(name in shown for shown in names), names
    assert found(embedder) == {}


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("pinned", lambda: (Answer.objects.update(status=Answer.PINNED), _article_edited())),
        ("identifier", _answer(text="Call 13812345678.")),
    ],
    ids=["pinned", "identifier"],
)
def test_what_needs_a_person_is_left_to_staff(
    rows: None, embedder: Embedder, name: str, damage: Callable[[], object]
) -> None:
    """Pinned answers and texts are not touched; the status says that something is left."""
    damage()
    found(embedder, fix=True)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("cache_verify", "--fix", stdout=out)

    assert ended.value.code == 1
    assert [line for line in out.getvalue().splitlines() if name in line and "staff" in line]


def test_looking_changes_nothing(rows: None, embedder: Embedder) -> None:
    """Without `--fix` the rows stay as they are."""
    _one(key="else", engine_id="another")()
    before = list(Wording.objects.values()), Change.objects.count()
    with pytest.raises(SystemExit):
        call_command("cache_verify", stdout=io.StringIO())

    assert (list(Wording.objects.values()), Change.objects.count()) == before
