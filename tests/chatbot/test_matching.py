"""What would match: staff see what the running process would do with a text, and why."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from sockets import close_all, opened

from cache.models import Answer
from chatbot.matching import match
from chatbot.models import Article
from chatbot.process import Process
from chatbot.runtime import Runtime

COURIER = "Which courier do you use?"
URL = "admin:cache_lookup_match"


@pytest.fixture
async def asked(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A process that serves and has one stored answer."""
    monkeypatch.setattr(Process.current(), "_runtime", runtime)
    socket = await opened(runtime)
    await socket.ask(COURIER)
    await close_all(socket)
    return runtime


@pytest.mark.parametrize(
    ("text", "verdict", "cosine"),
    [
        (COURIER.upper(), "exact", 1.0),
        ("What courier do you use?", "semantic", 0.98),
        ("Do you sell lamps?", "miss", 0.0),
        ("Where is my order 202611110042?", "refused", 0.0),
    ],
    ids=["same-words", "near", "far", "personal"],
)
async def test_verdict_is_what_a_shopper_would_get(
    asked: Runtime, text: str, verdict: str, cosine: float
) -> None:
    """Same words, near, far and personal texts are told apart, with the nearest wording."""
    found = await match(text, language="en", runtime=asked)

    assert found.verdict == verdict
    assert [item.entry.wording for item in found.near] == [COURIER]
    assert (found.near[0].cosine or 0.0) > cosine - 0.2
    assert found.near[0].chosen == (verdict in ("exact", "semantic"))


async def test_outdated_answers_are_shown_as_such(asked: Runtime) -> None:
    """A wording whose article changed is listed, and is not what would be served."""

    def edit() -> None:
        row = Article.objects.get(key="shipping-couriers", locale="en")
        row.text += " And more."
        row.save()

    await asked.writer.run(edit)
    await asked.catch_up()
    found = await match(COURIER, language="en", runtime=asked)

    assert (found.verdict, found.near[0].outdated, found.near[0].chosen) == ("miss", True, False)
    assert found.exact is not None and found.exact.outdated


async def test_page_asks_the_running_process(asked: Runtime) -> None:
    """The admin's thread gets the answer of the loop that serves; nothing is stored by looking."""

    def look() -> tuple[str, str]:
        client = Client()
        client.force_login(User.objects.create_superuser("boss"))
        page = client.get(reverse(URL), {"q": "What courier do you use?", "language": "auto"})
        other = client.get(reverse(URL), {"q": "你们发什么快递？", "language": "auto"})
        return page.content.decode(), other.content.decode()

    page, other = await asyncio.to_thread(look)
    assert "Served: a near wording&#x27;s answer" in page and COURIER in page
    assert "Not served" in other
    assert await asked.reader.run(Answer.objects.count) == 1


@pytest.mark.django_db(transaction=True)
def test_page_says_when_nothing_runs(admin_client: Client) -> None:
    """A process that only serves pages has nothing to search in."""
    page = admin_client.get(reverse(URL), {"q": "x", "language": "en"}).content.decode()

    assert "does not run in this process" in page
