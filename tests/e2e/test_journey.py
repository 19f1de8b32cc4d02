"""The real site in a real browser: asked once, answered for the next shopper, and never across shoppers."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from benchmarks.dry_run import fill
from benchmarks.site import Site, borrow, running_simulator, running_site
from tests.e2e.fake_site import browser  # noqa: F401  a fixture
from tests.e2e.rule_steps import dry_run, start_draft, with_note
from tests.e2e.staff import cut_off_px, known_password, log_in, press, yesterdays_dearest
from tests.e2e.steps import BOX, READY
from tests.e2e.yesterday import move_to_yesterday

pytestmark = pytest.mark.e2e
NEAR_DELIVERY = "What is the usual delivery time?"
# The suite's few questions walk the same pages as the 5,000 that staff usually take, which need a minute.
PAST_QUESTIONS = int(os.environ.get("JOURNEY_QUESTIONS", "200"))
PINNED = "SELECT COUNT(*) FROM cache_answer WHERE status = 'pinned'"
PUBLISHED = "SELECT version, note FROM routing_ruleset WHERE state = 'published' ORDER BY version"
VECTORS = Path(__file__).resolve().parents[2] / "data" / "test"


def _prepared(connection: sqlite3.Connection) -> None:
    known_password(connection)
    fill(connection, PAST_QUESTIONS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site as `make run` starts it, with the simulator as every vendor."""
    folder = tmp_path_factory.mktemp("site")
    borrow(VECTORS, folder)
    with (
        running_simulator("--first-ms", "150", "--chunk-ms", "30") as address,
        running_site(folder, simulator_url=address, before_start=_prepared) as running,
    ):
        yield running


class Profile:
    """One shopper's browser: a page and every frame its socket received."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.frames: list[dict[str, Any]] = []
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._note))
        self.page.goto(url)
        self.page.wait_for_selector(READY)

    def _note(self, payload: str | bytes) -> None:
        self.frames.append(json.loads(payload))

    def ask(self, text: str) -> dict[str, Any]:
        """Type a question and wait for its end; returns the terminal frame."""
        seen = len(self.ended())
        self.page.fill(BOX, text)
        self.page.press(BOX, "Enter")
        expect(self.page.locator(".turn .origin, .turn .problem")).to_have_count(
            seen + 1, timeout=30_000
        )
        return self.ended()[-1]

    def ended(self) -> list[dict[str, Any]]:
        """Terminal frames so far, in order."""
        return [frame for frame in self.frames if frame["type"] in ("answer", "error")]


@pytest.fixture
def profiles(browser: Browser, site: Site) -> Iterator[list[Profile]]:  # noqa: F811
    """Two shoppers who know nothing of each other."""
    contexts = [browser.new_context(locale="en-GB") for _ in range(2)]
    yield [Profile(context, site.url) for context in contexts]
    for context in contexts:
        context.close()


def test_paraphrase_of_second_shopper_comes_from_the_cache(profiles: list[Profile]) -> None:
    """The first answer streams in; the same question in other words is served semantically."""
    first, second = profiles
    answer = first.ask("Which courier do you use?")
    deltas = [frame for frame in first.frames if frame["type"] == "delta"]
    served = second.ask("What courier do you use?")

    assert (answer["cache"], len(deltas) > 1) == ("miss", True)
    assert (served["cache"], served["text"]) == ("semantic", answer["text"])


def test_reload_shows_the_history(profiles: list[Profile]) -> None:
    """After a reload the page shows the question and its answer again."""
    shopper = profiles[0]
    answer = shopper.ask("How do I return something?")
    shopper.page.reload()
    shopper.page.wait_for_selector(READY)

    expect(shopper.page.locator(".turn")).to_have_count(1)
    expect(shopper.page.locator("[data-part=list]")).to_contain_text("How do I return something?")
    assert answer["origin"] == "model"


def test_personal_question_never_reaches_another(profiles: list[Profile]) -> None:
    """A personal question is answered with how to look it up, and is not stored for anyone."""
    first, second = profiles
    mine = first.ask("Why was my order cancelled?")
    theirs = second.ask("Why was my order cancelled?")

    assert [mine["cache"], theirs["cache"]] == ["bypass", "bypass"]
    assert mine["text"].startswith("I cannot see orders or personal data yet")


def test_follow_up_reaches_another_only_in_words_of_its_own(profiles: list[Profile]) -> None:
    """Who asks the whole question gets the follow-up's answer; who asks its bare words does not."""
    first, second = profiles
    first.ask("What does shipping cost?")
    follow_up = first.ask("and for remote regions?")
    bare = second.ask("and for remote regions?")
    whole = second.ask("What does shipping cost for remote regions?")

    assert [follow_up["cache"], bare["cache"]] == ["miss", "bypass"]
    assert whole["cache"] == "exact"


def test_tap_on_a_near_question_needs_no_model(profiles: list[Profile], site: Site) -> None:
    """A near question is offered; a tap brings its answer without a call, and a reload shows both."""
    first, second = profiles
    answer = first.ask("How long does standard delivery take?")
    calls = site.vendor.bill()["totals"]["requests"]
    second.page.fill(BOX, NEAR_DELIVERY)
    second.page.press(BOX, "Enter")
    second.page.get_by_role("button", name="How long does standard delivery take?").click()
    expect(second.page.locator(".turn .origin")).to_have_count(1, timeout=30_000)
    served = second.ended()[-1]
    second.page.reload()
    second.page.wait_for_selector(READY)

    assert (served["cache"], served["text"]) == ("confirmed", answer["text"])
    assert site.vendor.bill()["totals"]["requests"] == calls
    expect(second.page.locator(".turn")).to_have_count(1)
    expect(second.page.locator(".turn .note.chosen")).to_have_text(
        "You meant: How long does standard delivery take?"
    )
    expect(second.page.locator(".choice")).to_have_count(0)


def test_chinese_shopper_is_answered_in_chinese(browser: Browser, site: Site) -> None:  # noqa: F811
    """A browser that asks for Chinese gets the page and the answer in Chinese."""
    context = browser.new_context(locale="zh-CN")
    shopper = Profile(context, site.url)
    answer = shopper.ask("双11活动有哪些优惠？")

    expect(shopper.page.locator("h1")).to_have_text("港湾里")
    assert answer["sources"][0]["url"] == "/help/promo-double11/"
    context.close()


def test_operator_trips_and_resets_a_breaker(browser: Browser, site: Site) -> None:  # noqa: F811
    """The board shows it without a reload, the next question goes to the next model of the chain, and
    after the reset to the first one again; who did it and why stands on the board."""
    shoppers, staff = browser.new_context(locale="en-GB"), browser.new_context()
    shopper = Profile(shoppers, site.url)
    watching, acting = staff.new_page(), staff.new_page()
    usual = shopper.ask("Can underwear be returned?")
    log_in(watching, site.url)
    watching.get_by_role("link", name="Live board").first.click()
    card = watching.locator(f'[data-model][aria-label="{usual["model"]}"]')
    expect(card.locator(".bw-verdict")).to_have_text("Closed: calls pass")
    model_id = str(card.get_attribute("data-model"))

    press(acting, site.url, model_id, action="trip", reason="they answer rubbish")
    expect(card.locator(".bw-verdict")).to_have_text("Tripped by hand", timeout=15_000)
    expect(card).to_contain_text("by staff: they answer rubbish")
    meanwhile = shopper.ask("What payment methods do you accept?")

    press(acting, site.url, model_id, action="reset", reason="well again")
    expect(card.locator(".bw-verdict")).to_have_text("Closed: calls pass", timeout=15_000)
    expect(acting.locator(".bw-table")).to_contain_text("tripped -> reset. Reason: well again")
    again = shopper.ask("Do you deliver to Japan?")
    for context in (shoppers, staff):
        context.close()

    answers = (usual, meanwhile, again)
    assert [(answer["origin"], answer["tier"]) for answer in answers] == [("model", "FAQ")] * 3
    assert meanwhile["model"] != usual["model"]
    assert again["model"] == usual["model"]


def test_staff_draft_a_rule_try_it_publish_and_roll_back(browser: Browser, site: Site) -> None:  # noqa: F811
    """A rule that sends simple facts to other models is tried on past questions; the report says how many move and
    what that costs. Published it decides; rolled back the first set's rules decide again, and the run is kept."""
    page = browser.new_context().new_page()
    log_in(page, site.url)
    start_draft(page, site.url)
    page.get_by_text("asks for a fixed fact").first.click()
    page.locator("select[name^=rules-][name$=-tier]:visible").first.select_option("REGULAR")
    page.locator("[name=_continue]").first.click()
    expect(page.locator(".bw-differences")).to_contain_text("REGULAR")
    dry_run(page, questions=PAST_QUESTIONS)
    moved = int(page.locator("[data-figure=moved]").inner_text())
    assert 0 < moved < PAST_QUESTIONS
    assert page.locator("[data-figure=delta]").inner_text().startswith("-$")
    expect(page.locator("[data-tier=FAQ]")).to_contain_text("in force")

    page.get_by_role("link", name="The rule set").click()
    page.get_by_role("link", name="Look at it and publish").click()
    with_note(page, "Facts to the cheaper model")
    published = site.rows(PUBLISHED)
    (first_id,) = site.rows("SELECT id FROM routing_ruleset WHERE version = 1")[0]
    page.goto(f"{site.url}/admin/routing/ruleset/{first_id}/roll-back")
    with_note(page, "Shoppers wait longer")
    page.goto(f"{site.url}/admin/chatbot/dryrun/")
    expect(page.locator("#result_list")).to_contain_text(str(moved))
    page.context.close()

    assert [version for version, _ in published] == [1, 2]
    rolled_back = site.rows(PUBLISHED)[-1]
    assert rolled_back[0] == 3
    assert "Shoppers wait longer" in str(rolled_back[1])


def test_admin_pins_the_answer_of_yesterdays_dearest_question(browser: Browser, site: Site) -> None:  # noqa: F811
    """From the first page to the dearest question whose answer may be shared, and its answer is pinned.

    On the way nothing of the lists of questions and lookups, with a hit by meaning in them, is cut off.
    """
    shopper = Profile(browser.new_context(locale="en-GB"), site.url)
    shopper.ask("What do I do about a damaged parcel?")
    shopper.ask("What should I do about a damaged parcel?")
    shopper.page.context.close()
    move_to_yesterday(site.database)
    page = browser.new_context().new_page()
    log_in(page, site.url)
    dearest = yesterdays_dearest(page, site.url)
    lists = ("chatbot/question", "cache/lookup")
    cut_off = {name: cut_off_px(page, f"{site.url}/admin/{name}/") for name in lists}

    page.goto(site.url + dearest)
    page.get_by_role("button", name="Pin it").click()
    page.wait_for_url(f"{site.url}/admin/")
    page.context.close()

    assert site.rows(PINNED) == [(1,)]
    assert all(cut_px <= 0 for cut_px in cut_off.values()), cut_off


def test_page_says_which_model_was_left_out(
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    """On 2 December 2026 two models have ended: the page names them, and every tier still answers."""
    borrow(VECTORS, tmp_path)
    with (
        running_simulator("--today", "2026-12-02") as address,
        running_site(
            tmp_path, simulator_url=address, settings={"PRETEND_NOW": "2026-12-02T12:00"}
        ) as later,
    ):
        context = browser.new_context(locale="en-GB")
        shopper = Profile(context, later.url)
        tiers = [shopper.ask(text)["model"] for text in QUESTION_OF_EACH_TIER]

        expect(shopper.page.locator("[data-part=notices]")).to_contain_text("claude-sonnet-4-5")
        expect(shopper.page.locator("[data-part=notices]")).to_contain_text("gemini-2.5-flash")
        assert all(tiers)
        context.close()


QUESTION_OF_EACH_TIER = (
    "Which courier do you use?",
    "How do I return something?",
    "Why was my order cancelled?",
)
