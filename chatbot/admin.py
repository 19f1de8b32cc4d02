"""The admin's pages, each group in its module; the first page and the menu are in `admin_ui`."""

from __future__ import annotations

from cache.admin_wordings import WordingAdmin
from chatbot.admin_audit import AuditAdmin
from chatbot.admin_board import HoldAdmin
from chatbot.admin_conversations import ConversationAdmin, FeedbackAdmin, FrameAdmin
from chatbot.admin_dry_run import DryRunAdmin
from chatbot.admin_questions import QuestionAdmin
from chatbot.admin_recalls import RecallableAnswerAdmin, RecallAdmin
from chatbot.admin_receipts import LookupAdmin
from chatbot.admin_shop import ArticleAdmin, ProductAdmin, SiteAdmin
from chatbot.admin_system import GroupAdmin, OutboxAdmin, TallyAdmin, UserAdmin

__all__ = [
    "ArticleAdmin",
    "AuditAdmin",
    "ConversationAdmin",
    "DryRunAdmin",
    "FeedbackAdmin",
    "FrameAdmin",
    "GroupAdmin",
    "HoldAdmin",
    "LookupAdmin",
    "OutboxAdmin",
    "ProductAdmin",
    "QuestionAdmin",
    "RecallAdmin",
    "RecallableAnswerAdmin",
    "SiteAdmin",
    "TallyAdmin",
    "UserAdmin",
    "WordingAdmin",
]
