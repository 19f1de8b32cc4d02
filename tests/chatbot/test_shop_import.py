"""Importing articles and products: every line is judged, the same file twice changes nothing."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from cache.models import Source
from chatbot.cache_rows import BadFile
from chatbot.models import Article, Outbox, Product, ShopFile
from chatbot.shop_files import MOST_LINES, article_lines
from chatbot.shop_import import CHANGED, NEW, PROBLEM, SAME, Planned, plan, store
from tests.chatbot.admin_rows import a_site, an_answer

pytestmark = pytest.mark.django_db
OWN_SHOP = Path(__file__).resolve().parent.parent / "data" / "own_shop"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEAD = "key,locale,topic,title,text,asked_as\n"
HOURS = (
    'hours,en,contact,Opening hours,"Open from 10 to 17,\nclosed on Sundays.",when are you open\n'
)


def planned(text: str, *, kind: str = ShopFile.ARTICLES) -> list[Planned]:
    """The plan of a CSV for the default site."""
    return plan(kind, [("shop.csv", text.encode())], site=a_site(), now=NOW)


def imported(text: str, *, kind: str = ShopFile.ARTICLES) -> list[str]:
    """Plan and store a CSV; returns the outcomes."""
    found = planned(text, kind=kind)
    store(found, by=None, source="shop.csv")
    return [item.outcome for item in found]


def problems(text: str, *, kind: str = ShopFile.ARTICLES) -> dict[str, str]:
    """Place -> what is wrong there."""
    found = planned(text, kind=kind)
    return {item.place: " ".join(item.details) for item in found if item.outcome == PROBLEM}


def test_same_file_twice_changes_nothing() -> None:
    """The second import finds every article as it is and saves no row."""
    assert imported(HEAD + HOURS) == [NEW]
    before = Article.objects.values().get()
    assert imported(HEAD + HOURS) == [SAME]
    assert Article.objects.values().get() == before


def test_changed_text_is_a_new_version_and_stale_answers_are_said() -> None:
    """A changed article gets a version and its answers are seen to, as after a save in the admin."""
    imported(HEAD + HOURS)
    answer = an_answer(1)
    Source.objects.filter(answer=answer).update(article_key="hours", article_version=1)
    changed = HEAD + HOURS.replace("17", "18")
    found = planned(changed)[0]

    assert (found.outcome, found.details[1:]) == (
        CHANGED,
        ("version 2", "stored answers that go out of use: 1"),
    )
    assert Article.objects.get().version == 1  # a plan changes nothing
    imported(changed)
    article = Article.objects.get()
    assert (article.version, "10 to 18" in article.text) == (2, True)
    assert [row.version for row in article.versions.all()] == [2, 1]
    assert Outbox.objects.get(kind="article_changed").payload == {"key": "hours", "locale": "en"}


def test_column_that_is_missing_is_left_alone() -> None:
    """A file without asked_as keeps the wordings that are there; an empty cell clears them."""
    imported(HEAD + HOURS)
    imported("key,locale,title,text\nhours,en,Hours,Open.\n")
    assert Article.objects.get().asked_as == ["when are you open"]
    imported("key,locale,title,text,asked_as\nhours,en,Hours,Open.,\n")
    assert Article.objects.get().asked_as == []


def test_every_problem_names_its_line() -> None:
    """Wrong lines say where and why; the good line among them is still stored."""
    text = (
        HEAD
        + HOURS
        + "".join(
            (
                ",en,x,No key,Text,\n",
                "french,fr,x,Title,Texte,\n",
                "empty,en,x,Title,,\n",
                "hours,en,x,Again,Text,\n",
                "many,en,x,Title,Text,a,b,c\n",
                f"long,en,x,{'t' * 201},Text,\n",
            )
        )
    )
    found = problems(text)

    assert list(found) == [
        f"line {number}" for number in range(4, 10)
    ]  # a cell of line 2 has two lines
    assert "“fr” is not one of: en, zh-hans" in found["line 5"]
    assert "Line 2 has the same key and language" in found["line 7"]
    assert "8 cells for 6 columns" in found["line 8"]
    imported(text)
    assert Article.objects.values_list("key", flat=True).get() == "hours"


def test_address_that_would_run_a_script_is_refused() -> None:
    """Only web addresses and paths are stored: they become links on shoppers' pages."""
    found = problems("key,locale,title,text,url\na,en,T,Text,javascript:alert(1)\n")
    assert "https://" in found["line 2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("key,locale,title,text\nzhe,zh-hans,营业时间,每天\n".encode("gb18030"), "GB18030"),
        ("key,locale,title,text\n".encode("utf-16"), "UTF-16"),
        (b"key,locale,title,text\n\xff\xff\xff", "not UTF-8"),
        (b"key,title\na,b\n", "lacks: locale, text"),
        (b'key,locale,title,text\na,en,"T,x\n', "quotation mark"),
        (b"key,locale,title,text\n", "nothing but its first line"),
        (b"key,locale,title,text\n" + b"a,en,t,x\n" * (MOST_LINES + 1), "more than 2000 lines"),
    ],
)
def test_file_that_cannot_be_read_says_why(content: bytes, words: str) -> None:
    """Encoding, missing columns, broken quoting, too many lines: each in words."""
    with pytest.raises(BadFile, match=words):
        article_lines([("shop.csv", content)])


def test_marks_and_separators_of_spreadsheets_are_read() -> None:
    """A byte order mark and semicolons, as spreadsheets write them, are no obstacle."""
    content = "\ufeffkey;locale;title;text\r\na;zh-CN;营业时间;每天\r\n".encode()
    found = plan(ShopFile.ARTICLES, [("shop.csv", content)], site=a_site(), now=NOW)
    assert (found[0].outcome, found[0].label) == (NEW, "a (zh-hans)")


def test_zip_is_read_without_trusting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders name the language, system files are passed over, and what unpacks to too much is refused."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "en/hours.md", "---\ntitle: 'Hours'\nasked_as:\n- when\n- open\n---\nOpen.\n"
        )
        archive.writestr("../../zh-hans/hours.md", "no head")
        archive.writestr("__MACOSX/en/._hours.md", b"\x00\x05")
    lines = article_lines([("shop.zip", buffer.getvalue())])

    assert [bool(line.problem) for line in lines] == [True, False]
    assert lines[1].cells == {
        "key": "hours",
        "locale": "en",
        "title": "Hours",
        "asked_as": "when | open",
        "text": "Open.",
    }
    monkeypatch.setattr("chatbot.shop_files.MOST_UNPACKED_BYTES", 30)
    with pytest.raises(BadFile, match="Unpacked"):
        article_lines([("shop.zip", buffer.getvalue())])
    with pytest.raises(BadFile, match="broken"):
        article_lines([("shop.zip", buffer.getvalue()[:40])])


def test_products_share_no_name() -> None:
    """A product is known by its name or key; a name that another product has is refused."""
    first = "name,aliases,url\nFern Nest,nest fern|bird nest,/p/fern\n"
    assert imported(first, kind=ShopFile.PRODUCTS) == [NEW]
    assert imported(first, kind=ShopFile.PRODUCTS) == [SAME]
    other = "key,name,name_zh-hans,aliases\nolive,Olive tree,橄榄树,Bird Nest\n,橄榄树,,\n"
    found = problems(other, kind=ShopFile.PRODUCTS)

    assert "“Bird Nest” is also a name of the product fern-nest" in found["line 2"]
    assert imported(other.replace("Bird Nest", "olea"), kind=ShopFile.PRODUCTS) == [NEW, PROBLEM]
    assert Product.objects.get(key="olive").names == {"en": "Olive tree", "zh-hans": "橄榄树"}


def test_command_shows_and_stores_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --yes and without a terminal nothing is stored; with it the whole folder is."""
    a_site()
    call_command("import_articles", OWN_SHOP)
    assert "20 new" in capsys.readouterr().out
    assert not Article.objects.exists()
    call_command("import_articles", OWN_SHOP, yes=True)
    assert Article.objects.count() == 20


def test_admin_shows_first_and_stores_what_was_shown(client: Client) -> None:
    """Those who may import see the lines in words; only their own preview can be stored, once."""
    a_site()
    user = User.objects.create_user("owner", is_staff=True)
    client.force_login(user)
    url = reverse("admin:chatbot_article_import_articles")
    assert client.get(url).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="import_article"))
    user.user_permissions.add(Permission.objects.get(codename="view_article"))
    upload = SimpleUploadedFile("shop.csv", (HEAD + HOURS + "bad,fr,x,T,x,\n").encode())
    shown = client.post(url, {"files": upload}).content.decode()

    assert "line 4" in shown and "Store 1" in shown
    assert not Article.objects.exists()
    other = Client()
    other.force_login(User.objects.create_superuser("boss"))
    number = ShopFile.objects.get().pk
    assert "too old" in other.post(url, {"store": number}).content.decode()
    assert client.post(url, {"store": number}).status_code == 302
    assert (Article.objects.get().key, LogEntry.objects.get().user) == ("hours", user)
    assert "too old" in client.post(url, {"store": number}).content.decode()
