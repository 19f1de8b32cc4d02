"""What staff change in the admin: exact prices, texts per language, answers that every replica learns of."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from base.admin import LinesField
from base.models import Revision
from base.money import usd
from cache.models import Answer, Change
from chatbot.admin_shop import PerLocaleField, SiteForm
from chatbot.models import Article
from routing.admin_models import EndpointForm, address_override
from routing.admin_prices import PerMillionField, shown_per_million
from routing.models import Chain, Endpoint, Price
from tests.chatbot.admin_rows import a_model, an_answer, fill


@pytest.mark.parametrize(
    ("nanousd", "expected"),
    [
        (114_000, "$0.000114"),
        (0, "$0.00"),
        (1, "$0.000000001"),
        (500_000_000, "$0.50"),
        (12_345_678, "$0.0123"),
        (9_999_999, "$0.01"),
        (1_234_567_890_000, "$1,234.57"),
        (-5_000_000, "-$0.005"),
    ],
)
def test_money_has_enough_digits(nanousd: int, expected: str) -> None:
    """Nano-dollars are shown with cents, or with three significant digits below a dollar."""
    assert usd(nanousd) == expected


@pytest.mark.parametrize(
    ("typed", "nano"), [("0.30", 300), ("0.006", 6), ("15", 15_000), ("0", 0), ("2.50", 2_500)]
)
def test_prices_convert_exactly(typed: str, nano: int) -> None:
    """A price per million tokens becomes whole nano-units per token and back."""
    field = PerMillionField()

    assert field.clean(typed) == nano
    assert field.clean(field.prepare_value(nano)) == nano
    assert not field.has_changed(nano, typed)


@pytest.mark.parametrize("typed", ["0.0001", "-1", "abc", ""])
def test_prices_that_cannot_be_stored_are_refused(typed: str) -> None:
    """More than three decimals, a minus, or words are errors, never rounded."""
    with pytest.raises(Exception, match="decimal places|greater than|number|required"):
        PerMillionField().clean(typed)


def test_price_is_shown_per_million() -> None:
    """300 nano-units per token read as 0.30."""
    assert (shown_per_million(300), shown_per_million(6), shown_per_million(15_000)) == (
        "0.30",
        "0.006",
        "15.00",
    )


def test_lines_are_a_list() -> None:
    """One text per line, blanks and empty lines dropped."""
    assert LinesField().clean(" a \n\n b\r\n") == ["a", "b"]


def test_texts_per_language_are_an_object() -> None:
    """Locales without a text are left out."""
    assert PerLocaleField(lines=True).compress([["a", "b"], []]) == {"en": ["a", "b"]}


@pytest.mark.parametrize(
    "origins",
    ["https://shop.example/path", "shop.example", "javascript:alert(1)"],
    ids=["path", "bare", "script"],
)
@pytest.mark.django_db
def test_origin_must_be_an_origin(origins: str) -> None:
    """Only scheme and host may stand in the allowed origins."""
    form = SiteForm(
        {
            "key": "s",
            "name_en": "S",
            "locales": "en",
            "time_zone": "UTC",
            "currency": "USD",
            "allowed_origins": origins,
        }
    )

    assert "allowed_origins" in form.errors


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_env", "DJANGO_SECRET_KEY"),
        ("base_url_env", "DATABASE_URL"),
        ("base_url", "https://elsewhere.example/v1"),
        ("base_url", "http://api.openai.com/v1"),
    ],
)
@pytest.mark.django_db
def test_endpoint_cannot_name_other_secrets_or_hosts(field: str, value: str) -> None:
    """Only keys go out, only addresses are shown, only to allowed hosts."""
    good = {
        "name": "V",
        "key": "v",
        "kind": "chat_completions",
        "currency": "USD",
        "key_env": "V_API_KEY",
        "base_url": "https://api.openai.com/v1",
        "base_url_env": "V_BASE_URL",
    }

    assert EndpointForm(good).is_valid()
    assert list(EndpointForm({**good, field: value}).errors) == [field]


def test_secret_is_never_read_as_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that names another variable, however it came about, shows nothing of it."""
    monkeypatch.setenv("DJANGO_SECRET_KEY", "hidden")

    assert address_override(Endpoint(base_url_env="DJANGO_SECRET_KEY")) == ""


@pytest.mark.django_db
def test_endpoint_page_shows_presence_of_a_key_only(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page tells that a key is set and which address is in use, and holds no key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v2")
    page = admin_client.get(
        reverse("admin:routing_endpoint_change", args=[a_model().endpoint_id])
    ).content.decode()

    assert "sk-very-secret" not in page
    assert "https://api.openai.com/v2 (from OPENAI_BASE_URL)" in page
    assert 'name="base_url"' not in page


def _inlines(*prefixes: str) -> dict[str, str]:
    return {
        f"{prefix}-{name}": "0" for prefix in prefixes for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }


def _edit_answer(client: Client, answer: Answer, **fields: str) -> Any:
    data = {
        "text": answer.text,
        "status": answer.status,
        **_inlines("wordings", "sources"),
        **fields,
    }
    return client.post(reverse("admin:cache_answer_change", args=[answer.pk]), data)


@pytest.mark.django_db
def test_edited_answer_is_staffs_and_announced(admin_client: Client) -> None:
    """A new text belongs to staff, and every replica is told to load it."""
    answer = an_answer(1)
    _edit_answer(admin_client, answer, text="By train.")
    answer.refresh_from_db()

    assert (answer.text, answer.origin) == ("By train.", Answer.STAFF)
    assert list(Change.objects.values_list("op", "wording_id")) == [
        ("add", answer.wordings.get().pk)
    ]


@pytest.mark.django_db
def test_a_browsers_line_ends_change_no_text(admin_client: Client) -> None:
    """Saving an answer whose text nobody touched leaves its text and its author alone."""
    answer = an_answer(1)
    Answer.objects.filter(pk=answer.pk).update(text="By post.\n\n- two days")
    _edit_answer(admin_client, answer, text="By post.\r\n\r\n- two days", status=Answer.PINNED)
    answer.refresh_from_db()

    assert (answer.text, answer.status) == ("By post.\n\n- two days", Answer.PINNED)
    assert answer.origin != Answer.STAFF


@pytest.mark.django_db
def test_pinning_reaches_every_replica(admin_client: Client) -> None:
    """The action changes the status and announces each wording."""
    answer = an_answer(1)
    admin_client.post(
        reverse("admin:cache_answer_changelist"),
        {"action": "pin", "_selected_action": [answer.pk]},
    )
    answer.refresh_from_db()

    assert answer.status == Answer.PINNED
    assert list(Change.objects.values_list("op", flat=True)) == [Change.ADD]


@pytest.mark.django_db
def test_one_shoppers_answer_cannot_become_shared(admin_client: Client) -> None:
    """Neither the form nor an action touches the status of an own answer."""
    answer = an_answer(1)
    Answer.objects.filter(pk=answer.pk).update(status=Answer.OWN, owner_shopper_id=7)
    answer.refresh_from_db()
    _edit_answer(admin_client, answer, status=Answer.LIVE)
    admin_client.post(
        reverse("admin:cache_answer_changelist"), {"action": "pin", "_selected_action": [answer.pk]}
    )
    answer.refresh_from_db()

    assert answer.status == Answer.OWN


@pytest.mark.django_db
def test_positions_of_a_chain_are_edited_in_the_list(admin_client: Client) -> None:
    """Saving the list stores the position and bumps the configuration's revision."""
    place = Chain.objects.create(tier="FAQ", position=10, model=a_model())
    before = Revision.objects.get().number
    admin_client.post(
        reverse("admin:routing_chain_changelist"),
        {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "1",
            "form-0-id": place.pk,
            "form-0-position": "5",
            "form-0-enabled": "on",
            "_save": "Save",
        },
    )
    place.refresh_from_db()

    assert place.position == 5
    assert Revision.objects.get().number > before


@pytest.mark.django_db
def test_price_form_stores_nano_units(admin_client: Client) -> None:
    """What is typed per million is stored per token."""
    endpoint = a_model().endpoint
    admin_client.post(
        reverse("admin:routing_price_add"),
        {
            "endpoint": endpoint.pk,
            "model_name": "m-1",
            "valid_from": "2026-01-01",
            "currency": "USD",
            "input_nano_per_token": "0.30",
            "cached_input_nano_per_token": "0.006",
            "output_nano_per_token": "2.5",
        },
    )
    price = Price.objects.get()

    assert (
        price.input_nano_per_token,
        price.cached_input_nano_per_token,
        price.output_nano_per_token,
    ) == (300, 6, 2_500)


@pytest.mark.django_db
def test_new_version_of_an_article_tells_what_it_retires(admin_client: Client) -> None:
    """Staff read how many stored answers a changed text takes out of use."""
    fill(0, 1)
    article = Article.objects.get()
    article.key = "couriers"
    article.save()
    response = admin_client.post(
        reverse("admin:chatbot_article_change", args=[article.pk]),
        {"title": "T", "text": "new", "topic": "t", "enabled": "on", **_inlines("versions")},
        follow=True,
    )

    assert (
        ", served 1 times in the last 7 days, rested on the version before"
        in response.content.decode()
    )
