"""Pictures of every page of the desk and of the chat: both themes, both languages, wide and narrow.

    python -m benchmarks.screenshots [FOLDER] [--only NAME ...]

Starts the demo shop on a data folder of its own, asks a few questions and writes FOLDER/NAME-LANGUAGE-THEME-WIDTH.jpg
(docs/img by default). Needs the test extras and Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from django.contrib.auth.hashers import make_password
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.site import ROOT, Site, borrow, running_site, vendor_environment
from chatbot.management.commands.serve import VENDOR_PATHS
from chatbot.replaying import play, the_first

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")

PASSWORD = "for-pictures-only"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WIDTHS = {1440: 900, 390: 844}
THEMES = ("light", "dark")
LANGUAGES = {"en": "en-US", "zh-hans": "zh-CN"}
TALLEST_PX, QUALITY_PERCENT = 2_400, 40
COUNTED_WITHIN_S = 600
QUESTIONS = (
    "Which courier do you use?",
    "What courier do you use?",
    "How do I return something?",
    "Do you have gift cards?",
    "用什么快递？",
    "怎么退货？",
)
# What comes after the address; `{...}` is filled from rows of the site.
PAGES = {
    "chat": "/",
    "help": "/help/",
    "desk": "/admin/?range=30&rows=simulated",
    "desk-today": "/admin/?range=1&rows=simulated",
    "capacity": "/admin/chatbot/tally/capacity/",
    "live-board": "/admin/routing/hold/",
    "live-board-trip": "/admin/routing/hold/model/{model}/trip/",
    "price-book": "/admin/routing/price/book/",
    "price-import": "/admin/routing/price/import/",
    "rule-sets": "/admin/routing/ruleset/",
    "rule-set": "/admin/routing/ruleset/{rule_set}/change/",
    "kill-switch": "/admin/routing/killswitch/flip/",
    "models": "/admin/routing/model/",
    "calls": "/admin/routing/call/",
    "questions": "/admin/chatbot/question/",
    "question": "/admin/chatbot/question/{question}/change/",
    "conversations": "/admin/chatbot/conversation/",
    "answers": "/admin/cache/answer/",
    "answer": "/admin/cache/answer/{answer}/change/",
    "revoke": "/admin/cache/answer/{answer}/revoke/",
    "lookups": "/admin/cache/lookup/",
    "review": "/admin/cache/lookup/review/",
    "console": "/admin/chatbot/question/console/?q=Which+courier+do+you+use%3F&language=en",
    "dry-run-start": "/admin/chatbot/dryrun/start/",
    "dry-run": "/admin/chatbot/dryrun/{dry_run}/change/",
    "audit": "/admin/admin/logentry/",
    "users": "/admin/auth/user/",
    "roles": "/admin/auth/group/",
    "articles": "/admin/chatbot/article/",
    "article-import": "/admin/chatbot/article/import/",
    "shop": "/admin/chatbot/site/{site}/change/",
    "demo": "/admin/chatbot/site/demo/",
}
# What staff did before the pictures, for the audit: table, field, a line more in it. No stored answer rests on these.
EDITS = (
    ("chatbot_article", "asked_as", "Who brings my parcel?"),
    ("chatbot_product", "aliases", "the small one"),
)
FILLED_FROM = {
    "model": "SELECT model_id FROM routing_chain WHERE enabled ORDER BY id LIMIT 1",
    "rule_set": "SELECT id FROM routing_ruleset ORDER BY id DESC LIMIT 1",
    "question": "SELECT id FROM chatbot_question ORDER BY id DESC LIMIT 1",
    "answer": "SELECT id FROM cache_answer ORDER BY id LIMIT 1",
    "dry_run": "SELECT id FROM chatbot_dryrun ORDER BY id DESC LIMIT 1",
    "site": "SELECT id FROM chatbot_site LIMIT 1",
}
ZONE = "SELECT time_zone FROM chatbot_site LIMIT 1"
# The chat is shown when it is open, not while it connects.
CONNECTED = """() => {
  const chat = document.querySelector("[data-chat]");
  return !chat || chat.dataset.state === "ready";
}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures; 0 unless the site or the browser could not be started."""
    parser = argparse.ArgumentParser(prog="benchmarks.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "img")
    parser.add_argument("--only", nargs="*", default=list(PAGES), choices=list(PAGES))
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    names = (
        f"{vendor.upper()}_{what}" for vendor in VENDOR_PATHS for what in ("API_KEY", "BASE_URL")
    )
    no_keys = dict.fromkeys(names, "")
    with tempfile.TemporaryDirectory() as folder:
        borrow(ROOT / "data" / "test", Path(folder))
        with running_site(
            Path(folder), simulator_url="", settings=no_keys, before_start=_known_password
        ) as site:
            asyncio.run(play(QUESTIONS, url=site.url, sessions=1, rate_per_s=0.0, choose=the_first))
            _wait_until_counted(site)
            _dry_run(vendor_environment(Path(folder), "http://127.0.0.1:9"))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
                take(browser, site, options.folder, names=options.only)
                browser.close()
    return 0


def _dry_run(environment: dict[str, str]) -> None:
    """A report to show: the set in force over the demo's last questions."""
    command = [
        sys.executable,
        str(ROOT / "manage.py"),
        "dry_run",
        "1",
        "--simulated",
        "--last",
        "400",
    ]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)


def _wait_until_counted(site: Site) -> None:
    """The worker counts the demo's made-up fortnight after the start; the first page is empty before."""
    newest = "SELECT MAX(starts_at) FROM chatbot_aggregate WHERE minutes = 15"
    for _ in range(COUNTED_WITHIN_S):
        an_hour_ago = datetime.now(tz=UTC) - timedelta(hours=1)
        if str(site.rows(newest)[0][0] or "") > f"{an_hour_ago:%Y-%m-%d %H:%M:%S}":
            return
        time.sleep(1)
    message = "the worker has not counted the demo's history in time"
    raise TimeoutError(message)


def take(browser: Browser, site: Site, folder: Path, *, names: Sequence[str]) -> None:
    """One picture per page, language, theme and width."""
    filled = {name: site.rows(query)[0][0] for name, query in FILLED_FROM.items()}
    # Another zone than the shop's would put a warning beside every date.
    zone = str(site.rows(ZONE)[0][0])
    _work_as_staff(browser, site, filled)
    for language, theme, width in product(LANGUAGES, THEMES, WIDTHS):
        context = browser.new_context(
            locale=LANGUAGES[language],
            timezone_id=zone,
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            viewport={"width": width, "height": WIDTHS[width]},
        )
        page = _logged_in(context, site.url)
        for name in names:
            page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            page.goto(site.url + PAGES[name].format(**filled))
            page.wait_for_load_state("load")
            page.wait_for_function(CONNECTED)
            _write(page, folder / f"{name}-{language}-{theme}-{width}.jpg", width=width)
            sys.stdout.write(f"{name} {language} {theme} {width}\n")
        context.close()


def _work_as_staff(browser: Browser, site: Site, filled: Mapping[str, object]) -> None:
    """A few changes through the admin, so that the audit has what it shows."""
    context = browser.new_context(locale=LANGUAGES["en"])
    page = _logged_in(context, site.url)
    for table, field, line in EDITS:
        rows = f"{site.url}/admin/{table.replace('_', '/', 1)}/"
        page.goto(f"{rows}{site.rows(f'SELECT MIN(id) FROM {table}')[0][0]}/change/")
        box = page.locator(f"textarea[name={field}]")
        box.fill(f"{box.input_value()}\n{line}")
        _sent(page, "[name=_save]", lands_on=rows)
    board = f"{site.url}/admin/routing/hold/"
    for action, reason in (
        ("trip", "the vendor reports an outage"),
        ("reset", "the outage is over"),
    ):
        page.goto(f"{board}model/{filled['model']}/{action}/")
        page.fill("input[name=reason]", reason)
        _sent(page, "form.bw-note button[type=submit]", lands_on=board)
    context.close()


def _sent(page: Page, button: str, *, lands_on: str) -> None:
    page.click(button)
    page.wait_for_url(lambda url: url.partition("?")[0] == lands_on)


def _write(page: Page, path: Path, *, width: int) -> None:
    """The window as tall as the page, so that what sticks to its edges stands where people see it."""
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": width, "height": min(height, TALLEST_PX)})
    page.screenshot(path=path, type="jpeg", quality=QUALITY_PERCENT, animations="disabled")


def _logged_in(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(f"{url}/admin/login/?next=/admin/")
    page.fill("input[name=username]", "staff")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{url}/admin/")
    return page


def _known_password(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE auth_user SET password = ? WHERE username = 'staff'", [make_password(PASSWORD)]
    )


if __name__ == "__main__":
    sys.exit(main())
