"""An operator stops a model on the live board and lets it go on, while shoppers are answered all along."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Browser, Page, expect

from benchmarks.site import Site, borrow, running_simulator, running_site
from tests.e2e.fake_site import browser  # noqa: F401  a fixture
from tests.e2e.test_journey import VECTORS, Profile

pytestmark = pytest.mark.e2e
PASSWORD = "kept-for-one-test"
FIXED_FACTS = (
    "Which courier do you use?",
    "How long does standard delivery take?",
    "What does shipping cost?",
)


def _known_password(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE auth_user SET password = ? WHERE username = 'staff'", [make_password(PASSWORD)]
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo shop, whose staff user has a password that the test knows."""
    folder = tmp_path_factory.mktemp("board")
    borrow(VECTORS, folder)
    with (
        running_simulator() as address,
        running_site(folder, simulator_url=address, before_start=_known_password) as running,
    ):
        yield running


def _board(page: Page, site: Site) -> None:
    """Log in and open the live board from the menu."""
    page.goto(f"{site.url}/admin/login/?next=/admin/")
    page.fill("input[name=username]", "staff")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.get_by_role("link", name="Live board").first.click()
    page.wait_for_selector("[data-model]")


def _press(page: Page, site: Site, model_id: str, *, action: str, reason: str) -> None:
    """Press a model's button, give the reason and confirm."""
    page.goto(f"{site.url}/admin/routing/hold/")
    page.click(f'[data-model="{model_id}"] [data-action={action}]')
    page.fill("input[name=reason]", reason)
    page.click("form.bw-note button[type=submit]")
    page.wait_for_selector("[data-model]")


def test_operator_trips_and_resets_a_breaker(browser: Browser, site: Site) -> None:  # noqa: F811
    """The board shows it without a reload, the next question goes to the next model of the chain, and
    after the reset to the first one again; who did it and why stands on the board."""
    shopper_context, staff_context = browser.new_context(locale="en-GB"), browser.new_context()
    shopper = Profile(shopper_context, site.url)
    watching, acting = staff_context.new_page(), staff_context.new_page()
    first = shopper.ask(FIXED_FACTS[0])
    _board(watching, site)
    card = watching.locator(f'[data-model][aria-label="{first["model"]}"]')
    model_id = str(card.get_attribute("data-model"))
    pill = watching.locator(f'[data-model="{model_id}"] .bw-verdict')
    expect(pill).to_have_text("Closed: calls pass")

    _press(acting, site, model_id, action="trip", reason="they answer rubbish")
    expect(pill).to_have_text("Tripped by hand", timeout=15_000)
    expect(watching.locator(f'[data-model="{model_id}"]')).to_contain_text(
        "by staff: they answer rubbish"
    )
    meanwhile = shopper.ask(FIXED_FACTS[1])
    called = site.rows("SELECT endpoint_key, model_asked FROM routing_call ORDER BY id")

    _press(acting, site, model_id, action="reset", reason="well again")
    expect(pill).to_have_text("Closed: calls pass", timeout=15_000)
    expect(acting.locator(".bw-table")).to_contain_text("tripped -> reset. Reason: well again")
    again = shopper.ask(FIXED_FACTS[2])
    called_again = site.rows("SELECT endpoint_key, model_asked FROM routing_call ORDER BY id")
    for context in (shopper_context, staff_context):
        context.close()

    assert [answer["origin"] for answer in (first, meanwhile, again)] == ["model"] * 3
    assert {answer["tier"] for answer in (first, meanwhile, again)} == {first["tier"]}
    assert called[0] != called[-1]
    assert called_again[-1] == called[0]
