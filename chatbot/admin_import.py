"""Importing articles or products in the admin: upload, see in words what would happen, confirm."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chatbot.cache_rows import BadFile
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import ShopFile, Site
from chatbot.shop_files import MOST_BYTES, Document, zipped
from chatbot.shop_import import CHANGED, NEW, PROBLEM, SAME, Planned, counted, plan, store

KEPT_FOR = timedelta(days=1)
SHOWN_LINES = 500
WORDS = {
    NEW: gettext_lazy("new"),
    CHANGED: gettext_lazy("changed"),
    SAME: gettext_lazy("unchanged"),
    PROBLEM: gettext_lazy("problem"),
}
_TITLES = {
    ShopFile.ARTICLES: gettext_lazy("Import articles"),
    ShopFile.PRODUCTS: gettext_lazy("Import products"),
}


def import_page(admin: Any, request: HttpRequest, *, kind: str) -> HttpResponse:
    """The form; after an upload the preview; after its confirmation what was stored."""
    if not admin.has_import_permission(request):
        raise PermissionDenied
    if request.method != "POST":
        return _page(admin, request, kind=kind)
    now = timezone.now()
    try:
        if "store" in request.POST:
            return _stored(admin, request, kind=kind, now=now)
        file = _uploaded(request, kind=kind, now=now)
        planned = _plan(file, now=now)
    except BadFile as error:
        return _page(admin, request, kind=kind, error=str(error))
    file.save()
    return _page(admin, request, kind=kind, file=file, planned=planned)


def _uploaded(request: HttpRequest, *, kind: str, now: datetime) -> ShopFile:
    """The upload as a row that is not saved yet. Raises BadFile."""
    ShopFile.objects.filter(uploaded_at__lt=now - KEPT_FOR).delete()
    uploads = [*request.FILES.getlist("files"), *request.FILES.getlist("folder")]
    if not uploads:
        raise BadFile(_("Choose a file first."))
    if sum(upload.size or 0 for upload in uploads) > MOST_BYTES:
        raise BadFile(_("That is more than %(most)s MB.") % {"most": MOST_BYTES // 1_000_000})
    documents = [(str(upload.name), upload.read()) for upload in uploads]
    if len(documents) == 1:
        name, content = documents[0]
    else:
        name, content = f"{len(documents)} files.zip", zipped(documents)
    by = request.user.get_username()
    return ShopFile(kind=kind, name=name[-200:], content=content, uploaded_by=by, uploaded_at=now)


def _plan(file: ShopFile, *, now: datetime) -> list[Planned]:
    site = Site.objects.get(key=DEFAULT_SITE_KEY)
    documents: list[Document] = [(file.name, bytes(file.content))]
    return plan(file.kind, documents, site=site, now=now)


def _stored(admin: Any, request: HttpRequest, *, kind: str, now: datetime) -> HttpResponse:
    """Store the file that this person looked at. It is judged anew: rows may have changed meanwhile."""
    by, number = request.user.get_username(), request.POST["store"]
    mine = ShopFile.objects.filter(kind=kind, uploaded_by=by)
    file = mine.filter(pk=int(number) if number.isdecimal() else 0).first()
    if file is None:
        raise BadFile(_("This preview is too old or was stored already. Upload the file again."))
    planned = _plan(file, now=now)
    count = store(planned, by=request.user, source=file.name)  # type: ignore[arg-type]  # staff are users
    file.delete()
    left_out = dict(counted(planned))[PROBLEM]
    text = _("Stored: %(count)s. Left out because of a problem: %(left)s.")
    level = messages.WARNING if left_out else messages.SUCCESS
    admin.message_user(request, text % {"count": count, "left": left_out}, level)
    return HttpResponseRedirect(_list(admin))


def _list(admin: Any) -> str:
    return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")


def _page(
    admin: Any,
    request: HttpRequest,
    *,
    kind: str,
    file: ShopFile | None = None,
    planned: list[Planned] | None = None,
    error: str = "",
) -> HttpResponse:
    lines = planned or []
    order = {PROBLEM: 0, CHANGED: 1, NEW: 2, SAME: 3}
    shown = sorted(lines, key=lambda item: order[item.outcome])[:SHOWN_LINES]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _TITLES[kind],
        "articles": kind == ShopFile.ARTICLES,
        "file": file,
        "counts": [(WORDS[outcome], count) for outcome, count in counted(lines)],
        "lines": [(item, WORDS[item.outcome]) for item in shown],
        "hidden": len(lines) - len(shown),
        "to_store": sum(item.row is not None for item in lines),
        "error": error,
        "list_url": _list(admin),
    }
    return TemplateResponse(request, "admin/chatbot/import.html", context)
