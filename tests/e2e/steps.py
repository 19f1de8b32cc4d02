"""What the tests of the chat page do again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page

if TYPE_CHECKING:
    from tests.e2e.fake_peer import Frame, Talk
    from tests.e2e.fake_site import FakeSite

READY = '[data-chat][data-state="ready"]'
BOX = "textarea"


def opened(site: FakeSite, page: Page, name: str, **options: str) -> Talk:
    """The page of a conversation, connected and caught up."""
    page.goto(site.url(name, **options))
    page.wait_for_selector(READY)
    return site.talk(name)


def ask(page: Page, talk: Talk, text: str, count: int = 1) -> Frame:
    """Types a question, presses Enter and returns the `count`-th `ask` frame."""
    page.fill(BOX, text)
    page.press(BOX, "Enter")
    return talk.heard("ask", count)


def asked(page: Page, talk: Talk, text: str, count: int = 1) -> Frame:
    """The same, and the peer accepts it."""
    frame = ask(page, talk, text, count)
    talk.accept(frame)
    return frame


def turn(page: Page, frame: Frame) -> Locator:
    """What the page shows for one question."""
    return page.locator(f'.turn[data-id="{frame["id"]}"]')


def told(talk: Talk, count: int) -> None:
    """Fills a conversation with answered questions q1, q2, ..."""
    for number in range(1, count + 1):
        frame = {"id": f"old-{number}", "text": f"q{number}"}
        talk.accept(frame, send=False)
        talk.answer(frame, f"a{number}\n\n" + "text " * 200)
