"""The chat page's "did you mean" in a real browser against a played peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import READY, asked, opened, turn

if TYPE_CHECKING:
    from tests.e2e.fake_peer import Frame, Talk
    from tests.e2e.fake_site import FakeSite

pytest_plugins = ("tests.e2e.fake_site",)
pytestmark = pytest.mark.e2e


def offered(talk: Talk, frame: Frame, *questions: str) -> None:
    """The peer asks which of these was meant."""
    options = [{"option": number, "question": text} for number, text in enumerate(questions, 4)]
    talk.record("confirm", id=frame["id"], options=options)


def test_choice_is_sent_and_shown(site: FakeSite, page: Page) -> None:
    """A tap on a meaning sends its number once; the answer then stands under the chosen meaning, also
    after a reload."""
    talk = opened(site, page, "choice")
    frame = asked(page, talk, "price?")
    offered(talk, frame, "Price protection?")
    page.get_by_role("group", name="Did you mean this?").get_by_role("button").first.click()
    assert talk.heard("choose") == {"type": "choose", "id": frame["id"], "option": 4}
    expect(page.locator(".choice:enabled:not([aria-disabled])")).to_have_count(0)
    talk.record("chosen", id=frame["id"], option=4, question="Price protection?", by="tap")
    talk.answer(frame, "15 days.", cache="confirmed")
    for _ in range(2):
        expect(turn(page, frame).locator(".extra")).to_have_text("You meant: Price protection?")
        expect(turn(page, frame).locator(".words")).to_have_text("15 days.")
        page.reload()
        page.wait_for_selector(READY)


def test_none_of_these_is_sent_as_null(site: FakeSite, page: Page) -> None:
    """\"None of these\" answers the choice with null; once that is decided the buttons are gone."""
    talk = opened(site, page, "none")
    frame = asked(page, talk, "price?")
    offered(talk, frame, "Price protection?", "Price match?")
    page.get_by_role("button", name="None of these").click()
    assert talk.heard("choose")["option"] is None
    talk.record("chosen", id=frame["id"], option=None, question=None, by="tap")
    expect(page.locator(".choice")).to_have_count(0)
    expect(turn(page, frame).locator(".dots")).to_be_visible()


def test_choice_stands_open_after_a_reload(site: FakeSite, page: Page) -> None:
    """A reload in front of the buttons brings them back; what streams after the tap is shown."""
    talk = opened(site, page, "open")
    frame = asked(page, talk, "price?")
    offered(talk, frame, "Price protection?", "Price match?")
    page.reload()
    page.wait_for_selector(READY)
    page.get_by_role("button", name="Price match?").focus()
    page.keyboard.press("Enter")
    assert talk.heard("choose")["option"] == 5
    talk.record("chosen", id=frame["id"], option=5, question="Price match?", by="tap")
    expect(turn(page, frame).locator(".note.chosen")).to_be_focused()
    talk.push("delta", id=frame["id"], text="We match")
    expect(turn(page, frame).locator(".words")).to_have_text("We match")


def test_choice_that_was_decided_elsewhere_is_taken_away(site: FakeSite, page: Page) -> None:
    """When the time is over, or another tab chose, the buttons go by themselves."""
    talk = opened(site, page, "elsewhere")
    frame = asked(page, talk, "price?")
    offered(talk, frame, "Price protection?")
    expect(page.locator(".choice")).to_have_count(2)
    expect(page.locator("[data-part=spoken]")).to_contain_text("Did you mean this?")
    talk.record("chosen", id=frame["id"], option=None, question=None, by="time")
    expect(page.locator(".choice, .note.chosen")).to_have_count(0)
