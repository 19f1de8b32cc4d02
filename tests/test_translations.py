"""The whole desk in Chinese: the catalogue has every text, and no page shows an untranslated one."""

from __future__ import annotations

import gettext
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from base.words import WORDS
from cache.models import Recall
from chatbot.admin_language import COOKIE
from chatbot.models import Outbox
from chatbot.phrases import say
from routing.admin_rule_parts import PARAMETER_NAMES
from routing.errors import Kind
from tests.catalogue import HOW, MO, compiled, read, wanted
from tests.chatbot.role_matrix import PAGES
from tests.chatbot.role_stage import Stage, cases, set_stage

PLACES = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%%")
WORD = re.compile(r"[A-Za-z]{3,}")
# Words that are the same in Chinese: names, units, codes that staff type or read elsewhere.
NAMES = frozenset(
    WORD.findall(
        "breakwater english utc asia shanghai csv json url uuid api http https faq regular complex high "
        "markdown manage demo add gemini deepseek anthropic openai holysheep control mac command ldap esc lost"
    )
)
# Time zones, addresses, calls of an interface.
ADDRESS = re.compile(r"[A-Z]\w+/\w+|https?://\S+|GET /\S+")


def test_the_catalogue_has_every_text_and_nothing_else() -> None:
    """Each text of code, templates, models and library has a translation; no entry is left over."""
    texts, entries = set(wanted()), read()

    assert sorted(texts - set(entries)) == [], HOW
    assert sorted(text for text, translation in entries.items() if not translation) == [], HOW
    assert sorted(set(entries) - texts) == [], HOW


def test_translations_keep_their_placeholders() -> None:
    """What is filled in at run time stands in the translation as in the original or its plural."""
    plurals = wanted()
    wrong = [
        text
        for text, translation in read().items()
        if sorted(PLACES.findall(translation)) != sorted(PLACES.findall(plurals.get(text) or text))
    ]

    assert wrong == []


def test_the_compiled_catalogue_is_that_of_the_texts() -> None:
    """The file that Django reads was made from the catalogue as it stands, and gettext reads it so."""
    entries, plurals = read(), wanted()
    loaded = gettext.GNUTranslations(BytesIO(MO.read_bytes()))

    assert MO.read_bytes() == compiled(entries, plurals), HOW
    assert all(
        (loaded.gettext(text) if plurals.get(text) is None else loaded.ngettext(text, "", 2))
        for text in entries
    )
    assert loaded.gettext("Rule sets") == entries["Rule sets"]


class Visible(HTMLParser):
    """What a reader sees of a page, and what a screen reader says."""

    SILENT = ("script", "style", "template", "svg", "code", "pre", "time")
    SAID = ("title", "aria-label", "placeholder", "alt")
    VOID = ("br", "hr", "img", "input", "link", "meta", "path", "source", "wbr", "col")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Icons are words that are drawn; what is typed by people is data."""
        values = {name: value or "" for name, value in attrs}
        hidden = tag in self.SILENT or "material-symbols" in values.get("class", "")
        if not self._hidden:
            self.texts += [values[name] for name in self.SAID if name in values]
        if tag not in self.VOID:
            self._open.append((tag, hidden or tag == "textarea"))

    def handle_endtag(self, tag: str) -> None:
        """Closes the innermost such element."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """A text node."""
        if not self._hidden and data.strip():
            self.texts.append(data)

    @property
    def _hidden(self) -> bool:
        return any(hidden for _, hidden in self._open)


def _data() -> tuple[set[str], list[str]]:
    """Words of the rows, without codes that have words of their own; and whole values that are no codes."""
    words: set[str] = set()
    values: set[str] = set()
    for model in apps.get_models():
        for row in model.objects.all()[:300]:
            found = {str(getattr(row, field.attname)) for field in model._meta.local_fields}
            words |= {word.lower() for value in found for word in WORD.findall(value)}
            values |= {value for value in found if re.search(r"\W", value)}
    values |= {say("withdrawn", locale="en"), *User.objects.values_list("username", flat=True)}
    values |= {
        *Outbox.objects.values_list("kind", flat=True),
        *Recall.objects.values_list("by", flat=True),
    }
    codes = {word for code in WORDS for word in WORD.findall(code)}
    return words - codes, sorted(values, key=len, reverse=True)


def _translated() -> re.Pattern[str]:
    """Chinese texts that hold Latin words: names of columns, examples of addresses."""
    mixed = [text for text in read().values() if WORD.search(PLACES.sub("", text))]
    shapes = (".*".join(map(re.escape, PLACES.split(text))) for text in mixed)
    return re.compile("|".join(sorted(shapes, key=len, reverse=True)), re.DOTALL)


def _english(page: str, *, words: set[str], values: list[str], done: re.Pattern[str]) -> list[str]:
    """Visible texts with a word that is neither a name nor data."""
    reader = Visible()
    reader.feed(page)
    left = []
    for text in (" ".join(one.split()) for one in reader.texts):
        if not _strange(text, words) or " | Can " in text or "relationship" in text:
            continue
        rest = done.sub(" ", text)
        for value in values:
            rest = rest.replace(value, " ")
        if _strange(ADDRESS.sub(" ", rest), words):
            left.append(text)
    return left


def _strange(text: str, words: set[str]) -> bool:
    return any(word.lower() not in words for word in WORD.findall(text))


@pytest.fixture
def stage(db: None) -> Stage:
    """Rows of every kind and a user per role."""
    return set_stage()


def test_no_page_shows_an_english_text(stage: Stage) -> None:
    """Every page of the admin, read by a superuser in Chinese, holds no English beside names and data."""
    client = Client()
    client.force_login(stage.users["S"])
    client.cookies[COOKIE] = "zh-hans"
    words, values = _data()
    known = words | NAMES | {word for kind in Kind for word in WORD.findall(kind.value)}
    known |= {word for name in PARAMETER_NAMES for word in WORD.findall(name)}
    shown = {what: url for what, url, *_ in cases(stage) if "history" not in what}
    # A form for a new row has the fields of a row's page, and one page asks before it deletes as the others do.
    left_out = {f"{kind} add" for kind in PAGES} | {f"{kind} delete" for kind in PAGES}
    urls = {
        what: url
        for what, url in shown.items()
        if what not in left_out or what in ("auth_user add", "routing_ruleset delete")
    }
    urls |= {"first page": reverse("admin:index")}
    found: dict[str, list[str]] = {}
    done = _translated()
    for what, url in urls.items():
        response = client.get(url)
        if response.headers["Content-Type"].startswith("text/html") and response.status_code == 200:
            page = response.content.decode()
            for text in _english(page, words=known, values=values, done=done):
                found.setdefault(text, []).append(what)

    assert {text: pages[:3] for text, pages in found.items()} == {}


def test_the_admin_speaks_as_the_browser_asks_or_the_switch_says(admin_client: Client) -> None:
    """Accept-Language decides until the switch is used; the chat keeps its own choice throughout."""
    url = reverse("admin:index")
    first = admin_client.get(url, headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})
    plain = admin_client.get(url)
    admin_client.cookies["locale"] = "en"
    switched = admin_client.post(reverse("admin_language"), {"language": "zh-hans", "next": url})
    after = admin_client.get(url, headers={"accept-language": "en"})
    odd = admin_client.post(reverse("admin_language"), {"language": "xx", "next": "//evil.example"})

    assert [page.headers["Content-Language"] for page in (first, plain, after)] == [
        "zh-hans",
        "en",
        "zh-hans",
    ]
    assert (switched.url, odd.url) == (url, url)  # type: ignore[attr-defined]  # both redirect
    assert admin_client.cookies["locale"].value == "en"
    assert admin_client.cookies[COOKIE]["path"] == "/admin/"
