"""Staff tuning the rules in a browser: a draft, its dry run, publishing, rolling back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

LIST = "/admin/routing/ruleset/"


def start_draft(page: Page, url: str) -> None:
    """To the page of a new draft."""
    page.goto(f"{url}{LIST}start-draft")
    page.click(".bw-page form button[type=submit]")
    page.wait_for_selector("[name=rules-0-tier]", state="attached")


def dry_run(page: Page, *, questions: int) -> None:
    """From the draft's page to the report."""
    page.get_by_role("link", name="Dry run on past questions").click()
    page.fill("[name=count]", str(questions))
    page.get_by_role("button", name="Start the dry run").click()
    expect(page.locator("[data-figure=moved]")).to_be_visible(timeout=120_000)


def with_note(page: Page, note: str) -> None:
    """Give the note and confirm."""
    page.fill("[name=note]", note)
    page.locator(".bw-page form button[type=submit]").click()
    page.wait_for_url(f"**{LIST}")
