"""Answers as a file in the admin: what is downloaded can be uploaded, checked first, by those who may."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from cache.models import Answer
from chatbot.process import Process
from chatbot.runtime import Runtime
from tests.chatbot.admin_rows import an_answer

EXPORT, IMPORT = "admin:cache_answer_export_answers", "admin:cache_answer_import_answers"
FILE = "site,language,wordings,answer\r\ndefault,en,Which courier do you use?,By SF.\r\ndefault,en,hello,Hi.\r\n"


def upload(client: Client, text: str = FILE, *, name: str = "a.csv", **fields: str) -> str:
    """Send a file; returns the page."""
    file = SimpleUploadedFile(name, text.encode())
    return client.post(reverse(IMPORT), {"file": file, **fields}).content.decode()


async def test_upload_checks_first_and_stores_when_told(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the tick nothing is stored; with it good lines are, written down; refusals name their line."""
    monkeypatch.setattr(Process.current(), "_runtime", runtime)

    def work() -> tuple[str, int, str, int, str, set[str]]:
        client = Client()
        client.force_login(User.objects.create_superuser("boss"))
        checked, before = upload(client), Answer.objects.count()
        stored, after = upload(client, store="on"), Answer.objects.count()
        noted = {row.object_id for row in LogEntry.objects.all() if row.object_id}
        return checked, before, stored, after, upload(client, name="a.xlsx"), noted

    checked, before, stored, after, other, noted = await asyncio.to_thread(work)
    assert "nothing was stored" in checked and "it is small talk" in checked
    assert "1 new" in stored and "1 refused" in stored
    assert (before, after, len(noted)) == (0, 1, 1)
    assert "the name must end with" in other


@pytest.mark.django_db(transaction=True)
def test_who_may_only_look_may_download_only(client: Client) -> None:
    """The download needs the permission to view answers, the upload the one to change them."""
    an_answer(1)
    user = User.objects.create_user("looker", is_staff=True)
    client.force_login(user)
    assert client.get(reverse(EXPORT)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_answer"))
    file = client.get(reverse(EXPORT))
    assert (file.status_code, "By ship 1." in file.content.decode()) == (200, True)
    assert client.get(reverse(IMPORT)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_answer"))
    assert client.get(reverse(IMPORT)).status_code == 200
    assert "does not run in this process" in upload(client)
