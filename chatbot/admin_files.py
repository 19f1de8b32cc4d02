"""Stored answers as a file in the admin: download them, or upload what staff have edited."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.audit import note
from base.words import word
from cache.models import Answer
from chatbot.cache_checks import Checks
from chatbot.cache_export import stored_rows
from chatbot.cache_import import CHANGED, NEW, REFUSED, SAME, Importer, Result, embed_with
from chatbot.cache_rows import CSV, BadFile, kind_of, read, written
from chatbot.process import Process

MOST_BYTES = 5_000_000
MOST_LINES = 1_000


class UploadForm(forms.Form):
    """A file of answers; checked only, unless staff say otherwise."""

    file = forms.FileField(help_text=_("CSV or JSON Lines, as the download gives it."))
    store = forms.BooleanField(required=False, label=_("Store what passes (else check only)"))


def download(request: HttpRequest) -> HttpResponse:
    """Every served answer as CSV."""
    text = "".join(written(stored_rows(), kind=CSV))
    headers = {"Content-Disposition": 'attachment; filename="answers.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def upload_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, and after a POST what became of each line."""
    form = UploadForm(request.POST or None, request.FILES or None)
    results: list[Result] = []
    if request.method == "POST" and form.is_valid():
        try:
            results = _import(form.cleaned_data["file"], store=form.cleaned_data["store"])
            if form.cleaned_data["store"]:
                _note(results, request)
        except BadFile as error:
            form.add_error("file", str(error))
    counts = Counter(result.outcome for result in results)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": gettext("Import answers"),
        "form": form,
        "done": bool(results),
        "stored": bool(results) and form.cleaned_data["store"],
        "counts": [(word(name), counts[name]) for name in (NEW, CHANGED, SAME, REFUSED)],
        "refused": [result for result in results if result.outcome == REFUSED],
    }
    return TemplateResponse(request, "admin/chatbot/upload.html", context)


def _note(results: list[Result], request: HttpRequest) -> None:
    """Write who stored which answers."""
    ids = [result.answer_id for result in results if result.answer_id is not None]
    said = gettext("Imported from a file.")
    note(Answer.objects.filter(id__in=ids), said, user=request.user)


def _import(file: Any, *, store: bool) -> list[Result]:
    """Raises BadFile for what cannot be read here."""
    runtime = Process.current().running
    if runtime is None:
        message = gettext("the site does not run in this process: use `manage.py cache_import`")
        raise BadFile(message)
    kind = kind_of(file.name)
    if file.size > MOST_BYTES:
        message = gettext("more than %(most)s bytes: use `manage.py cache_import`")
        raise BadFile(message % {"most": f"{MOST_BYTES:,}"})
    try:
        text = file.read().decode("utf-8")
    except UnicodeDecodeError as error:
        message = gettext("it is not UTF-8")
        raise BadFile(message) from error
    lines = list(read(text.replace("\r\n", "\n"), kind=kind))
    if len(lines) > MOST_LINES:
        message = gettext("more than %(most)s answers: use `manage.py cache_import`")
        raise BadFile(message % {"most": f"{MOST_LINES:,}"})
    importer = Importer(
        checks=Checks.load(),
        embed=embed_with(runtime.embedder),
        engine_id=runtime.embedder.engine_id,
        now=timezone.now(),
        dry_run=not store,
    )
    return importer.run(lines)
