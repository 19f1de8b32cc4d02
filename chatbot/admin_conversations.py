"""Conversations in the admin: the list, the transcript, the frames as sent, the thumbs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    ManyRows,
    ModelAdmin,
    ReadOnly,
    Rows,
    SimulatedMark,
    column,
    link,
    list_url,
    row_link,
    row_url,
    shortened,
    wide,
)
from base.admin_cells import moment
from base.money import usd
from base.words import word
from chatbot.models import Conversation, Feedback, Frame, Question

MAX_FRAMES = 500
SHOWN_TYPES = {"accepted": "shopper", "answer": "shop", "error": "error", "message": "person"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One durable frame as a line of the transcript; `marks` say where an answer came from."""

    who: str
    text: str
    at: datetime
    seq: int
    marks: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    url: str = ""


def turns_of(frames: Iterable[Frame]) -> list[Turn]:
    """The frames of a conversation as a transcript; frames of other types are named, not hidden."""
    return [_turn(frame) for frame in frames]


def _turn(frame: Frame) -> Turn:
    body = frame.body
    kind = str(body.get("type", ""))
    return Turn(
        who=SHOWN_TYPES.get(kind, "system"),
        text=str(body.get("text") or body.get("message") or kind),
        at=frame.at,
        seq=frame.seq,
        marks=tuple(_marks(body)),
        sources=tuple(str(source.get("title", "")) for source in body.get("sources") or ()),
        url=row_url("chatbot_question", frame.question_id) if frame.question_id else "",
    )


def _marks(body: dict[str, Any]) -> Iterable[str]:
    yield from (
        word(body[name]) for name in ("code", "origin", "cache", "tier", "model") if body.get(name)
    )
    if body.get("cosine") is not None:
        yield gettext("cosine %(figure)s") % {"figure": f"{body['cosine']:.3f}"}
    if body.get("ms") is not None:
        yield f"{body['ms']:,} ms"
    if body.get("stopped"):
        yield gettext("stopped by the shopper")


@admin.register(Conversation)
class ConversationAdmin(SimulatedMark, ReadOnly, ManyRows, ModelAdmin[Conversation]):
    """Who talked about what; the page of a conversation is its transcript."""

    change_form_before_template = "admin/chatbot/transcript.html"
    list_display = (
        "began",
        "first_text",
        "questions",
        "failed",
        "cost",
        "locale",
        "ended",
        "mode",
    )
    column_rights: ClassVar = {"cost": "chatbot.view_figures"}
    list_filter = ("simulated", "locale", "started_at")
    search_fields = ("public_id", "shopper__public_id", "shopper__external_id", "questions__text")
    search_help_text = _("Words of a question, or an id")
    list_select_related = ("shopper",)
    fields = (("public_id", "shopper"), ("locale", "mode"), ("started_at", "last_at"))
    readonly_fields = ("public_id", "shopper", "locale", "mode", "started_at", "last_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """With the first question, and the number, failures and cost of all of them."""
        questions = Question.objects.filter(conversation_id=OuterRef("pk")).order_by()
        grouped = questions.values("conversation_id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                first_question=Subquery(questions.order_by("id").values("text")[:1]),
                question_count=Subquery(grouped.annotate(n=Count("id")).values("n")),
                failed_count=Subquery(
                    grouped.annotate(n=Count("id", filter=Q(state=Question.FAILED))).values("n")
                ),
                cost=Subquery(grouped.annotate(n=Sum("cost_nanousd")).values("n")),
            )
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page with its transcript."""
        frames = Frame.objects.filter(conversation_id=_number(object_id)).order_by("-seq")
        newest = list(frames[: MAX_FRAMES + 1])
        turns = turns_of(reversed(newest[:MAX_FRAMES]))
        context = {
            "turns": turns,
            "shortened": len(newest) > MAX_FRAMES,
            "all_frames": list_url("chatbot_frame", conversation__id__exact=object_id),
        }
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    @column(_("began"), order="started_at")
    def began(self, row: Conversation) -> SafeString | str:
        """When it began."""
        return moment(row.started_at)

    @column(_("last words"), order="last_at")
    def ended(self, row: Conversation) -> SafeString | str:
        """When something was said last."""
        return moment(row.last_at)

    @column(_("first question"))
    def first_text(self, row: Any) -> SafeString:
        """What it began with."""
        return wide(shortened(row.first_question or "–"))

    @column(_("questions"), order="question_count")
    def questions(self, row: Any) -> SafeString:
        """How many; leads to them."""
        return link(
            row.question_count or 0, list_url("chatbot_question", conversation__id__exact=row.pk)
        )

    @column(_("failed"), order="failed_count")
    def failed(self, row: Any) -> SafeString | str:
        """How many ended in an error; leads to them."""
        if not row.failed_count:
            return "–"
        url = list_url(
            "chatbot_question", conversation__id__exact=row.pk, state__exact=Question.FAILED
        )
        return link(row.failed_count, url)

    @column(_("cost"), order="cost")
    def cost(self, row: Any) -> str:
        """What its answers cost."""
        return usd(row.cost or 0)


@admin.register(Frame)
class FrameAdmin(ReadOnly, ManyRows, ModelAdmin[Frame]):
    """Durable frames exactly as they were sent."""

    list_display = ("at", "seq", "kind", "text", "conversation_link", "question_link")
    list_filter = ("at",)
    search_fields = ("conversation__public_id",)
    search_help_text = _("A conversation's id")
    ordering = ("-id",)
    fields = (("conversation_link", "question_link"), ("seq", "at"), "body")
    readonly_fields = fields[0] + fields[1] + (fields[2],)

    @column(_("type"))
    def kind(self, row: Frame) -> str:
        """The frame's type."""
        return word(row.body.get("type", ""))

    @column(_("text"))
    def text(self, row: Frame) -> str:
        """The beginning of what was said."""
        return shortened(str(row.body.get("text") or row.body.get("message") or "–"))

    @column(_("conversation"), order="conversation_id")
    def conversation_link(self, row: Frame) -> SafeString:
        """The conversation."""
        return row_link("chatbot_conversation", row.conversation_id, f"#{row.conversation_id}")

    @column(_("question"), order="question_id")
    def question_link(self, row: Frame) -> SafeString | str:
        """The question, where the frame belongs to one."""
        if row.question_id is None:
            return "–"
        return row_link("chatbot_question", row.question_id, f"#{row.question_id}")


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, Rows, ModelAdmin[Feedback]):
    """Thumbs on answers."""

    list_display = ("at", "thumb", "reason", "question_text", "origin", "tier")
    list_filter = ("value", "question__simulated", "at")
    list_select_related = ("question",)
    search_fields = ("reason", "question__text")
    ordering = ("-at", "-id")
    fields = (("thumb", "at"), "reason", "question_text")
    readonly_fields = ("thumb", "at", "reason", "question_text")

    @column(_("thumb"), order="value", label={"up": "success", "down": "danger"})
    def thumb(self, row: Feedback) -> str:
        """Up or down."""
        return row.value

    @column(_("question"))
    def question_text(self, row: Feedback) -> SafeString:
        """The question; leads to how it was decided."""
        return row_link("chatbot_question", row.question_id, shortened(row.question.text))

    @column(_("origin"), order="question__origin")
    def origin(self, row: Feedback) -> str:
        """Where the answer came from."""
        return word(row.question.origin or "–")

    @column(_("tier"), order="question__tier")
    def tier(self, row: Feedback) -> str:
        """The question's tier."""
        return row.question.tier or "–"


def _number(object_id: str) -> int:
    return int(object_id) if object_id.isdecimal() else 0
