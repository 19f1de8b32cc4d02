"""The chat page as a page: keyboard, input methods, screen readers, phones, colours, languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import BOX, ask, asked, opened, told, turn

if TYPE_CHECKING:
    from tests.e2e.fake_site import FakeSite

pytest_plugins = ("tests.e2e.fake_site",)
pytestmark = pytest.mark.e2e


def test_enter_in_a_composition_does_not_send(site: FakeSite, page: Page) -> None:
    """While an input method composes, Enter is its own; the next Enter sends the committed text."""
    talk = opened(site, page, "composition", locale="zh-hans")
    keyboard = page.context.new_cdp_session(page)
    page.focus(BOX)
    keyboard.send(
        "Input.imeSetComposition", {"text": "tui huo", "selectionStart": 7, "selectionEnd": 7}
    )
    page.dispatch_event(BOX, "keydown", {"key": "Enter", "isComposing": True})
    page.dispatch_event(BOX, "keydown", {"key": "Enter", "keyCode": 229})
    keyboard.send("Input.insertText", {"text": "退货"})
    expect(page.locator(BOX)).to_have_value("退货")
    page.keyboard.press("Enter")
    assert talk.heard("ask")["text"] == "退货"
    assert len(talk.sent("ask")) == 1


def test_shift_enter_breaks_the_line(site: FakeSite, page: Page) -> None:
    """Shift+Enter makes a new line in the same question."""
    talk = opened(site, page, "lines")
    page.focus(BOX)
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    assert talk.heard("ask")["text"] == "one\ntwo"


def test_keyboard_alone_is_enough(site: FakeSite, page: Page) -> None:
    """Asking, stopping, choosing and judging an answer need no pointer, and the focus stays in the
    box."""
    talk = opened(site, page, "keyboard")
    frame = asked(page, talk, "Hello?")
    talk.push("delta", id=frame["id"], text="Well")
    expect(turn(page, frame).locator(".words")).to_have_text("Well")
    expect(page.locator(BOX)).to_be_focused()
    page.keyboard.press("Escape")
    assert talk.heard("stop")["id"] == frame["id"]
    talk.answer(frame, "Well", stopped=True)
    expect(turn(page, frame).locator(".tag")).to_have_text("Stopped")
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Copy answer")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert talk.heard("feedback")["value"] == "down"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert talk.heard("feedback", 2) == {
        "type": "feedback", "id": frame["id"], "value": "down", "reason": "wrong",
    }  # fmt: skip


def test_length_is_counted_and_limited(site: FakeSite, page: Page) -> None:
    """4,000 characters can be sent, one more cannot and the page says by how much; an emoji is one
    character."""
    talk = opened(site, page, "length")
    page.fill(BOX, "😀" * 4001)
    page.press(BOX, "Enter")
    expect(page.locator("#problem")).to_have_text(re.compile("shorten it by 1\\."))
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    assert ask(page, talk, "😀" * 4000)["text"] == "😀" * 4000


def test_only_finished_text_is_spoken(site: FakeSite, page: Page) -> None:
    """Screen readers hear the finished answer once; the log is silent and busy while it streams."""
    talk = opened(site, page, "spoken")
    log, spoken = page.get_by_role("log"), page.locator("[aria-live=polite]")
    frame = asked(page, talk, "Hello?")
    talk.push("delta", id=frame["id"], text="Half")
    expect(log).to_have_attribute("aria-busy", "true")
    expect(spoken).to_have_text("")
    talk.answer(frame, "Half and half.")
    expect(spoken).to_have_text("Answer: Half and half.")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(log).to_have_attribute("aria-live", "off")


def test_reader_further_up_is_left_there(site: FakeSite, page: Page) -> None:
    """New text does not move who scrolled up; a button tells of it and leads down."""
    talk = site.talk("jump")
    told(talk, 3)
    opened(site, page, "jump")
    frame = asked(page, talk, "Hello?")
    page.locator("[data-part=log]").hover()
    page.mouse.wheel(0, -400)
    expect(page.locator("[data-part=jump]")).to_be_visible()
    talk.answer(frame, "Yes.")
    expect(page.locator("[data-part=jump]")).to_have_text("New answer")
    page.locator("[data-part=jump]").click()
    expect(turn(page, frame).locator(".foot")).to_be_in_viewport()


@pytest.mark.parametrize("locale", ["en", "zh-hans"])
def test_phone(site: FakeSite, page: Page, locale: str) -> None:
    """At 360x640 nothing is wider than the screen and every control is at least 44 px."""
    page.set_viewport_size({"width": 360, "height": 640})
    talk = opened(site, page, f"phone-{locale}", locale=locale, mode="demo")
    expect(page.locator("[data-suggestion]").first).to_be_visible()
    frame = asked(page, talk, "https://a.example/" + "x" * 300)
    talk.answer(
        frame, "y" * 300 + "\n\n| a | b |\n|---|---|\n| " + "z" * 80 + " | c |", cache="exact"
    )
    expect(page.locator(".foot")).to_be_visible()
    sizes = page.eval_on_selector_all(
        "button, .door, textarea",
        "all => all.filter(one => one.offsetParent)"
        ".map(one => [one.className, one.offsetWidth, one.offsetHeight])",
    )
    assert [size for size in sizes if min(size[1:]) < 44] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert (
        page.evaluate("(log => log.scrollWidth - log.clientWidth)(document.querySelector('.log'))")
        == 0
    )


def test_demo_mode_and_notices_are_told(site: FakeSite, page: Page) -> None:
    """The banner tells that answers come from a simulator, and the server's notices."""
    site.talk("demo").mode = "demo"
    opened(site, page, "demo", mode="demo", notice="DeepSeek is left out: no key")
    expect(page.locator("[data-part=mode]")).to_have_text(
        "Demo: answers come from a local simulator"
    )
    expect(page.locator("[data-part=notices]")).to_have_text("DeepSeek is left out: no key")


CONTRAST = """pairs => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const light = (name) => {
    canvas.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  return pairs.map(([text, ground]) => [text, ground, ratio(light(text), light(ground))]);
}"""
PAIRS = [
    *[[text, ground] for text in ("text", "muted", "brand") for ground in ("canvas", "surface")],
    *[[text, "sunken"] for text in ("text", "muted")],
    *[["brand", "brand-soft"], ["text", "brand-soft"], ["on-fill", "fill"], ["on-fill", "rail"]],
    *[["on-fill-soft", "rail"], ["on-fill-soft", "rail-deep"], ["on-fill", "fill-strong"]],
    *[["warn-text", "warn-bg"], ["bad-text", "bad-bg"], ["info-text", "info-bg"]],
    *[["warn-text", "canvas"], ["bad-text", "canvas"]],
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(site: FakeSite, page: Page, scheme: Any) -> None:
    """Every text colour has at least 4.5:1 on the grounds it is used on (WCAG 2.1 AA), in both
    schemes."""
    page.emulate_media(color_scheme=scheme)
    opened(site, page, f"contrast-{scheme}")
    assert [pair for pair in page.evaluate(CONTRAST, PAIRS) if pair[2] < 4.5] == []


def test_languages_say_the_same_things(site: FakeSite, page: Page) -> None:
    """English and Chinese have exactly the same texts, in the lists of reasons, states and errors
    too."""
    opened(site, page, "languages")
    keys = page.evaluate("""async () => {
      const { stringsFor } = await import("/static/chatbot/strings.js");
      const names = (object, before) => Object.entries(object).flatMap(([name, value]) =>
        typeof value === "object" ? names(value, before + name) : before + name + typeof value);
      return ["en", "zh-hans"].map((locale) => names(stringsFor(locale), "").sort());
    }""")
    assert keys[0] == keys[1]
    assert len(keys[0]) > 50


def test_article_is_painted(site: FakeSite, page: Page) -> None:
    """The help page shows an article's Markdown as elements and its HTML as text."""
    body = "You+have+**7+days**+<img+src=x+onerror=alert(1)>"
    page.goto(f"{site.base}/help/a/?title=Returns&body={body}")
    expect(page.locator(".words strong")).to_have_text("7 days")
    expect(page.locator(".words img")).to_have_count(0)
