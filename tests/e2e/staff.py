"""Staff in a browser: a password that the test knows, logging in, and the live board's buttons."""

from __future__ import annotations

import sqlite3

from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page

PASSWORD = "kept-for-one-site"


def known_password(connection: sqlite3.Connection) -> None:
    """Give the first staff user this password; for `before_start` of a site."""
    connection.execute(
        "UPDATE auth_user SET password = ? WHERE username = 'staff'", [make_password(PASSWORD)]
    )


def log_in(page: Page, url: str) -> None:
    """To the admin's first page."""
    page.goto(f"{url}/admin/login/?next=/admin/")
    page.fill("input[name=username]", "staff")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.get_by_role("link", name="Live board").first.wait_for()


def press(page: Page, url: str, model_id: str, *, action: str, reason: str) -> None:
    """Press a model's button on the live board, give the reason and confirm."""
    page.goto(f"{url}/admin/routing/hold/")
    page.click(f'[data-model="{model_id}"] [data-action={action}]')
    page.fill("input[name=reason]", reason)
    page.click("form.bw-note button[type=submit]")
    page.wait_for_selector("[data-model]")


def yesterdays_dearest(page: Page, url: str) -> str:
    """The address that pins the answer of yesterday's dearest question that has one for all.

    The worker counts what was asked within half a minute; until then the page is loaded again.
    """
    pins = page.locator('a[href*="/pin/"]')
    for _ in range(120):
        page.goto(f"{url}/admin/?range=yesterday")
        if pins.count():
            break
        page.wait_for_timeout(1_000)
    for address in [str(pin.get_attribute("href")) for pin in pins.all()]:
        page.goto(url + address)
        if page.get_by_role("button", name="Pin it").count():
            return address
    message = "none of yesterday's dearest questions has an answer to pin"
    raise AssertionError(message)


def cut_off_px(page: Page, url: str) -> int:
    """How much of a list does not fit beside the open sidebar of a window of 1440 px; it has rows."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(url)
    return int(
        page.eval_on_selector(
            "#result_list", "table => table.scrollWidth - table.parentElement.clientWidth"
        )
    )
