"""The test console: staff see what the running process would do with a text, and why."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from sockets import close_all, opened

from cache.models import Answer
from chatbot.explaining import explain
from chatbot.matching import match
from chatbot.models import Article
from chatbot.process import Process
from chatbot.runtime import Runtime
from routing.models import Call

RETURNING = "How do I return something?"
COURIER = "Which courier do you use?"
URL = "admin:chatbot_question_console"


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


async def test_console_prints_the_words_of_explain_and_lets_a_model_answer(asked: Runtime) -> None:
    """Every step is on the page in the command's own words. A model's answer is booked under no question and
    stored nowhere, and each of both needs its right."""
    steps = await explain(RETURNING, runtime=asked)
    before = await asked.reader.run(Call.objects.count)

    def look() -> tuple[list[int], str, str, str]:
        client, user = Client(), User.objects.create_user("kim", is_staff=True)
        client.force_login(user)
        codes = [client.get(reverse(URL), {"q": RETURNING}).status_code]
        user.user_permissions.add(Permission.objects.get(codename="test_question"))
        page = client.get(reverse(URL), {"q": RETURNING, "language": "auto"})
        chinese = client.get(
            reverse(URL), {"q": RETURNING, "language": "auto"}, headers={"accept-language": "zh"}
        )
        codes += [page.status_code, client.post(reverse(URL), {"q": RETURNING}).status_code]
        user.user_permissions.add(Permission.objects.get(codename="run_test_question"))
        answer = client.post(reverse(URL), {"q": RETURNING, "language": "auto"})
        return codes, page.content.decode(), chinese.content.decode(), answer.content.decode()

    codes, page, chinese, answer = await asyncio.to_thread(look)
    assert codes == [403, 200, 403]
    words = {step for step, _ in steps}
    assert {"guard", "exact", "embed", "lookup", "classify", "article", "stands", "prompt"} <= words
    for step, said in steps:
        text = said.split("  ", 1)[-1] if step in ("near", "article") else said
        assert escape(text) in page, step
    sentences = {"guard", "exact", "embed", "lookup", "rule set", "classify", "stands", "prompt"}
    assert not [said for step, said in steps if step in sentences and escape(said) in chinese]
    assert "Let a model answer" not in page
    assert "bw-quote" in answer and "What a model says" in answer
    calls = await asked.reader.run(lambda: list(Call.objects.order_by("id")[before:]))
    assert [(call.question_id, call.outcome) for call in calls] == [(None, Call.COMPLETED)]
    assert await asked.reader.run(Answer.objects.count) == 1
    assert await asked.reader.run(LogEntry.objects.count) == 1
