"""The chat page in a real browser against a played peer: each frame, and lines that break."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import BOX, READY, ask, asked, opened, told, turn

if TYPE_CHECKING:
    from tests.e2e.fake_site import FakeSite

pytest_plugins = ("tests.e2e.fake_site",)
pytestmark = pytest.mark.e2e


def test_question_streams_and_ends(site: FakeSite, page: Page) -> None:
    """A question shows at once, its pieces as they come, and its answer with where it comes
    from."""
    talk = opened(site, page, "stream")
    frame = asked(page, talk, "How long do I have?")
    expect(turn(page, frame).locator(".dots")).to_be_visible()
    talk.push("delta", id=frame["id"], text="You have **7")
    talk.push("delta", id=frame["id"], text=" days**")
    expect(turn(page, frame).locator("strong")).to_have_text("7 days")
    talk.answer(frame, "You have **7 days**.")
    expect(turn(page, frame).locator(".words")).to_have_text("You have 7 days.")
    expect(turn(page, frame).locator(".origin")).to_have_text("Answered by deepseek-chat")


def test_restart_forgets_the_partial_text(site: FakeSite, page: Page) -> None:
    """After `restart` only the other model's words are shown."""
    talk = opened(site, page, "restart")
    frame = asked(page, talk, "Hello?")
    talk.push("delta", id=frame["id"], text="first try")
    talk.push("restart", id=frame["id"])
    talk.push("delta", id=frame["id"], text="second")
    expect(turn(page, frame).locator(".words")).to_have_text("second")


ORIGINS: dict[str, tuple[dict[str, Any], str, str]] = {
    "semantic": (
        {
            "origin": "cache",
            "cache": "semantic",
            "cosine": 0.934,
            "checked_at": "2026-11-03T02:00:00Z",
        },
        r"Answered before · checked on Nov 3(, 2026)? · match 0\.93",
        r"已有解答 · 核对于 (2026年)?11月3日 · 匹配度 0\.93",
    ),
    "exact": ({"origin": "cache", "cache": "exact"}, "Answered before", "已有解答"),
    "stale": (
        {"origin": "cache", "cache": "stale"},
        "Answered before, not checked again yet",
        "已有解答，尚未重新核对",
    ),
    "article": (
        {"origin": "article", "sources": [{"title": "Sizes", "url": "/help/sizes/"}]},
        "From the shop's article Sizes",
        "来自店铺文章 Sizes",
    ),
    "hostile source": (
        {"origin": "article", "sources": [{"title": "Sizes", "url": "javascript:alert(1)"}]},
        "From the shop's article Sizes",
        "来自店铺文章 Sizes",
    ),
    "template": ({"origin": "template"}, "Standard answer of the shop", "店铺标准答复"),
    "person": ({"origin": "person"}, "Answered by a person", "由人工客服回答"),
}


@pytest.mark.parametrize(("fields", "english", "chinese"), ORIGINS.values(), ids=ORIGINS.keys())
def test_origin_is_told(
    site: FakeSite, page: Page, fields: dict[str, Any], english: str, chinese: str, request: Any
) -> None:
    """Every answer says in both languages where it comes from, and only an http(s) source is a
    link."""
    talk = site.talk(request.node.name)
    frame = {"id": "one", "text": "q"}
    talk.accept(frame)
    talk.answer(frame, "a", **fields)
    for locale, words in {"en": english, "zh-hans": chinese}.items():
        opened(site, page, talk.name, locale=locale)
        expect(page.locator(".origin")).to_have_text(re.compile(f"^{words}$"))
    assert page.locator('.origin a[href^="http"]').count() == page.locator(".origin a").count()


def test_reload_shows_the_history(site: FakeSite, page: Page) -> None:
    """A reload shows the whole conversation in order and without doubles, however many pages it
    takes."""
    talk = site.talk("reload")
    talk.page_size = 3
    told(talk, 4)
    opened(site, page, "reload")
    page.reload()
    page.wait_for_selector(READY)
    expect(page.locator(".bubble")).to_have_text(["q1", "q2", "q3", "q4"])
    expect(page.locator(".foot")).to_have_count(4)


def test_scrolling_up_brings_older_frames(site: FakeSite, page: Page) -> None:
    """At the top of the log the older questions come, above the others, and the reader stays where
    he was."""
    talk = site.talk("older")
    talk.page_size, talk.latest_first = 4, True
    told(talk, 4)
    opened(site, page, "older")
    expect(page.locator(".bubble")).to_have_text(["q3", "q4"])
    page.locator("[data-part=log]").hover()
    page.mouse.wheel(0, -20_000)
    expect(page.locator(".bubble")).to_have_text(["q1", "q2", "q3", "q4"])
    assert page.evaluate("document.querySelector('[data-part=log]').scrollTop") > 200


def test_reconnect_sends_an_unaccepted_question_once(site: FakeSite, page: Page) -> None:
    """A question cut off before it was accepted goes out again once, with the same id, and shows
    once."""
    talk = opened(site, page, "resend")
    first = ask(page, talk, "Are you there?")
    talk.drop(1012)
    again = talk.heard("ask", 2)
    talk.accept(again)
    talk.answer(again, "Yes.")
    expect(page.locator(".foot")).to_have_count(1)
    talk.drop(1012)
    talk.heard("resume", 3)
    page.wait_for_selector(READY)
    assert again == first
    assert len(talk.sent("ask")) == 2
    expect(page.locator(".bubble")).to_have_text(["Are you there?"])


def test_lost_accepted_is_found_by_resuming(site: FakeSite, page: Page) -> None:
    """A question that was accepted, though the word of it got lost, is not sent again."""
    talk = opened(site, page, "lost-accepted")
    frame = ask(page, talk, "Are you there?")
    talk.accept(frame, send=False)
    talk.drop(1012)
    talk.heard("resume", 2)
    page.wait_for_selector(READY)
    talk.answer(frame, "Yes.")
    expect(page.locator(".foot")).to_have_count(1)
    assert len(talk.sent("ask")) == 1


def test_question_asked_offline_waits(site: FakeSite, page: Page) -> None:
    """Without a connection the question is kept, says so, survives a reload, and goes out when the
    line is back."""
    talk = opened(site, page, "offline")
    talk.closed_door = True
    talk.drop(1011)
    page.wait_for_selector('[data-chat][data-state="lost"]')
    expect(page.locator("[data-part=lost]")).to_have_text("Reconnecting…")
    page.fill(BOX, "Hello?")
    page.press(BOX, "Enter")
    expect(page.locator(".meta")).to_have_text("Waits for the connection")
    talk.closed_door = False
    page.reload()
    assert talk.heard("ask")["text"] == "Hello?"
    expect(page.locator(".bubble")).to_have_text(["Hello?"])


def test_doubled_and_missing_frames_are_repaired(site: FakeSite, page: Page) -> None:
    """A frame that comes twice shows once; a frame that got lost is fetched before the next one
    shows."""
    talk = opened(site, page, "gaps")
    frame = asked(page, talk, "Hello?")
    talk.answer(frame, "Yes.")
    talk.push("answer", **{key: value for key, value in talk.frames[-1].items() if key != "type"})
    talk.record("message", send=False, text="first")
    talk.record("message", text="second")
    expect(page.locator(".person .words")).to_have_text(["first", "second"])
    expect(page.locator(".foot")).to_have_count(1)


def test_pieces_after_a_hole_are_not_shown(site: FakeSite, page: Page) -> None:
    """After a reload in mid-answer the page waits for the whole text instead of showing one with a
    hole."""
    talk = opened(site, page, "torn")
    frame = asked(page, talk, "Hello?")
    talk.push("delta", id=frame["id"], text="You may ")
    expect(turn(page, frame).locator(".words")).to_have_text("You may")
    page.reload()
    page.wait_for_selector(READY)
    talk.push("delta", id=frame["id"], text="not ")
    talk.push("typing", **{"from": "Mei"})
    expect(page.locator("[data-part=typing]")).to_have_text("Mei is typing…")
    expect(turn(page, frame).locator(".words")).to_be_empty()
    talk.answer(frame, "You may not return it.")
    expect(turn(page, frame).locator(".words")).to_have_text("You may not return it.")


def test_not_my_question_asks_afresh(site: FakeSite, page: Page) -> None:
    """Under a stored answer, \"Not my question\" sends a retry with a new id and shows the question
    again."""
    talk = opened(site, page, "retry")
    frame = asked(page, talk, "price?")
    talk.answer(frame, "15 days.", cache="semantic", origin="cache")
    page.get_by_role("button", name="Not my question").click()
    retry = talk.heard("retry")
    assert retry["of"] == frame["id"]
    assert retry["id"] != frame["id"]
    expect(page.locator(".bubble")).to_have_text(["price?", "price?"])


def test_refused_question_is_sent_again_by_itself(site: FakeSite, page: Page) -> None:
    """A question refused for a while waits the time the server names and goes out again with its
    id."""
    page.clock.install()
    talk = opened(site, page, "refused")
    frame = ask(page, talk, "Hello?")
    talk.push("error", id=frame["id"], code="too_fast", message="slow down", retry_after_s=40)
    expect(page.locator(".notice")).to_contain_text("sent again in")
    page.clock.run_for(42_000)
    assert talk.heard("ask", 2) == frame
    expect(page.locator(".notice")).to_have_count(0)


def test_busy_server_gets_the_question_again(site: FakeSite, page: Page) -> None:
    """When the server is too busy to name the question, the page sends it again later."""
    page.clock.install()
    talk = opened(site, page, "busy")
    frame = ask(page, talk, "Hello?")
    talk.push("error", id=None, code="busy", message="Very busy.", retry_after_s=5)
    expect(page.locator("[data-part=problem]")).to_have_text("Very busy.")
    page.clock.run_for(6_000)
    talk.accept(talk.heard("ask", 2))
    expect(page.locator("[data-part=problem]")).to_be_empty()
    assert talk.sent("ask") == [frame, frame]


def test_without_a_person_the_contact_is_told(site: FakeSite, page: Page) -> None:
    """Where nobody can take over, the wish for a person is answered with the ways to reach one."""
    talk = opened(site, page, "person")
    page.get_by_role("button", name="Talk to a person").click()
    talk.heard("human")
    talk.push("error", id=None, code="not_available", message="Not here.", retry_after_s=None)
    expect(page.locator(".notice.handoff")).to_contain_text("400-820-0123")


def test_failed_question_can_be_asked_again(site: FakeSite, page: Page) -> None:
    """A question that ended in an error says so and is asked again under a new id."""
    talk = opened(site, page, "failed")
    frame = asked(page, talk, "Hello?")
    talk.record("error", id=frame["id"], code="deadline", message="", retry_after_s=None)
    expect(page.locator(".notice")).to_contain_text("The answer took too long")
    page.get_by_role("button", name="Ask again").click()
    assert talk.heard("ask", 2)["id"] != frame["id"]


def test_correction_marks_the_earlier_answer(site: FakeSite, page: Page) -> None:
    """A correction shows at the end and the answer it corrects is marked."""
    talk = opened(site, page, "correct")
    frame = asked(page, talk, "Hello?")
    seq = talk.answer(frame, "30 days.")
    talk.record("correct", of=seq, text="It is **7 days**.")
    expect(page.locator(".correction .words")).to_have_text("It is 7 days.")
    expect(turn(page, frame).locator(".tag.withdrawn")).to_be_visible()
