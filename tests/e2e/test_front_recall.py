"""Corrections on the chat page: each answer that was taken back says so, whenever it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import asked, opened, told, turn

if TYPE_CHECKING:
    from tests.e2e.fake_site import FakeSite

pytest_plugins = ("tests.e2e.fake_site",)
pytestmark = pytest.mark.e2e


def test_correction_of_several_answers_marks_each(site: FakeSite, page: Page) -> None:
    """A text received twice is corrected once; both answers are marked and lose their thumbs."""
    talk = opened(site, page, "correct-both")
    frames = [asked(page, talk, "Hello?", count) for count in (1, 2)]
    first, second = [talk.answer(frame, "30 days.") for frame in frames]
    talk.record("correct", of=second, also=[first], text="It is 7 days.")
    expect(page.locator(".correction")).to_have_count(1)
    for frame in frames:
        expect(turn(page, frame).locator(".tag.withdrawn")).to_have_count(1)
        expect(turn(page, frame).locator(".tools")).to_have_count(0)
    page.locator(".correction").get_by_role("button", name="Ask again").click()
    assert talk.heard("ask", 3)["text"] == "Hello?"


def test_older_answer_is_marked_when_it_is_loaded(site: FakeSite, page: Page) -> None:
    """The correction is on the page before the answer, which history brings later."""
    talk = site.talk("correct-late")
    talk.page_size, talk.latest_first = 3, True
    frame = {"id": "old", "text": "Hello?"}
    talk.accept(frame, send=False)
    seq = talk.answer(frame, "30 days.", send=False)
    talk.record("correct", of=seq, text="It is 7 days.", send=False)
    told(talk, 1)
    opened(site, page, "correct-late")
    # A short log lies at its top, so the page asks for what is older by itself.
    expect(turn(page, frame).locator(".tag.withdrawn")).to_be_visible()
