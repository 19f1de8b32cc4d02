"""What a save sets off: configuration rows bump the revision, articles get versions, answers are recalled."""

from __future__ import annotations

from typing import Any

from django.db.models import Max
from django.db.models import Model as Row
from django.db.models.signals import post_delete, post_save, pre_save
from django.utils import timezone

from base.revision import bump
from cache.changes import record_changes
from cache.models import Answer, Change, Source
from chatbot.models import Article, ArticleVersion, Product, Site
from chatbot.staleness import note_change
from routing.models import (
    Budget,
    Chain,
    Endpoint,
    ExchangeRate,
    Hold,
    KillSwitch,
    Model,
    Price,
    Quota,
    RuleSet,
)

CONFIGURATION: tuple[type[Row], ...] = (
    Site,
    Product,
    Article,
    Endpoint,
    Model,
    Price,
    ExchangeRate,
    Chain,
    RuleSet,
    KillSwitch,
    Budget,
    Quota,
    Hold,
)


def connect() -> None:
    """Register the receivers; called once when the app is ready."""
    for sender in CONFIGURATION:
        post_save.connect(
            _configuration_changed, sender=sender, dispatch_uid=f"bump-save-{sender.__name__}"
        )
        post_delete.connect(
            _configuration_changed, sender=sender, dispatch_uid=f"bump-del-{sender.__name__}"
        )
    pre_save.connect(_raise_version, sender=Article, dispatch_uid="article-version")
    post_save.connect(_keep_version, sender=Article, dispatch_uid="article-history")
    post_save.connect(_answer_changed, sender=Answer, dispatch_uid="answer-changed")


def _configuration_changed(**_: Any) -> None:
    bump()


def _raise_version(instance: Article, **_: Any) -> None:
    """A changed title or text is a new version; anything else is not."""
    before = Article.objects.filter(pk=instance.pk).values("title", "text", "version").first()
    if before is None:
        instance.version = _version_of_a_new_one(instance)
        return
    changed = (before["title"], before["text"]) != (instance.title, instance.text)
    instance.version = before["version"] + (1 if changed else 0)
    if changed or not instance.enabled:
        note_change(instance)


def _version_of_a_new_one(instance: Article) -> int:
    """Above every version that stored answers know under this key: a successor is no old version."""
    known = Source.objects.filter(article_key=instance.key, locale=instance.locale)
    return (known.aggregate(newest=Max("article_version"))["newest"] or 0) + 1


def _keep_version(instance: Article, **_: Any) -> None:
    ArticleVersion.objects.get_or_create(
        article=instance,
        version=instance.version,
        defaults={"title": instance.title, "text": instance.text},
    )


def _answer_changed(instance: Answer, created: bool, **_: Any) -> None:  # noqa: FBT001  the signal's own call
    """A staff edit reaches every process's replica; a new answer is announced by its writer."""
    if created:
        return
    op = Change.ADD if instance.status in Answer.SERVED else Change.REMOVE
    record_changes(instance.wordings.values_list("id", flat=True), op=op, now=timezone.now())
