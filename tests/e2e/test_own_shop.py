"""An owner's first ten minutes in a real browser: the demo goes, own articles come, and they answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from base import env
from benchmarks.site import ROOT, Site, borrow, running_simulator, running_site
from chatbot.seeding import delivered_articles, delivered_products, delivered_site
from tests.e2e.fake_site import browser  # noqa: F401  a fixture
from tests.e2e.steps import BOX, READY

pytestmark = pytest.mark.e2e
VECTORS = ROOT / "data" / "test"
OWN_SHOP = ROOT / "tests" / "data" / "own_shop"
QUESTION = "Which pot size do I need when I repot my monstera?"


def manage(folder: Path, *arguments: str) -> str:
    """A command without any vendor's key, as on a fresh machine; returns what it prints."""
    keyless = {name: value for name, value in os.environ.items() if name not in env.KEY_NAMES}
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    environment = {**keyless, "DATA_DIR": str(folder)}
    return subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def emptied(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A site from which the demo shop was taken away before its start, and the password of its staff."""
    borrow(VECTORS, tmp_path)
    prepared = manage(tmp_path, "prepare")
    manage(tmp_path, "demo", "--remove")
    password = re.search(r"password: (\S+)", prepared)
    assert password is not None and "demo history" in prepared
    with (
        running_simulator() as address,
        running_site(tmp_path, simulator_url=address) as site,
    ):
        yield site, password[1]


def test_owner_brings_a_shop_of_their_own(
    browser: Browser,  # noqa: F811
    emptied: tuple[Site, str],
) -> None:
    """Twenty foreign articles are imported and answer; nothing of the demo shop is on any page."""
    site, password = emptied
    owner = browser.new_context(locale="en-GB").new_page()
    import_articles(owner, site, password)
    shopper = browser.new_context(locale="en-GB").new_page()
    shopper.goto(site.url, referer="https://fernfold.example/contact")
    shopper.wait_for_selector(READY)
    shopper.fill(BOX, QUESTION)
    shopper.press(BOX, "Enter")
    expect(shopper.locator(".turn .origin")).to_have_count(1, timeout=30_000)

    expect(shopper.locator("[data-part=list]")).to_contain_text("3 cm wider")
    source = shopper.locator("[data-part=list] a[href='https://fernfold.example/help/repotting']")
    expect(source.first).to_be_visible()
    assert site.rows("select count(*) from chatbot_article") == [(20,)]
    assert site.rows("select count(*) from routing_call where outcome = 'completed'") == [(1,)]
    assert found_of_the_demo(shopper, site) == []
    owner.goto(f"{site.url}/admin/")
    done = owner.locator(".bw-steps .bw-done")
    expect(done.get_by_text("Import your articles")).to_be_visible()
    expect(done.get_by_text("Ask a test question")).to_be_visible()
    expect(done.get_by_text("Link the chat from your shop")).to_be_visible()


def import_articles(page: Page, site: Site, password: str) -> None:
    """Log in, upload the files, look at the preview, confirm."""
    page.goto(f"{site.url}/admin/login/?next=/admin/chatbot/article/import/")
    page.fill("[name=username]", "staff")
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.set_input_files("#files", sorted(OWN_SHOP.glob("*.md")))
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.locator(".bw-marks").first).to_contain_text("new: 20")
    page.get_by_role("button", name="Store 20").click()
    expect(page.get_by_text("Stored: 20.")).to_be_visible()


def found_of_the_demo(page: Page, site: Site) -> list[str]:
    """Names and texts of the demo shop on the shopper's pages, in either language."""
    words = {name for fields in delivered_products().values() for name in fields["names"].values()}
    words |= {fields["title"] for fields in delivered_articles().values()}
    for texts in delivered_site().values():
        if isinstance(texts, dict):
            words |= {
                word
                for text in texts.values()
                for word in ([text] if isinstance(text, str) else text)
            }
    found = []
    for path in (
        "/language/en/",
        "/help/",
        "/language/zh-hans/",
        "/help/",
        "/help/shipping-couriers/",
    ):
        page.goto(f"{site.url}{path}")
        html = page.content()
        found += [f"{path}: {word}" for word in words if word in html]
    return found
