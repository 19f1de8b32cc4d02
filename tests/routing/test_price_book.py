"""The price book: dated prices, what may not change any more, import, and warnings before models end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from routing import alerts, notices
from routing.errors import Kind
from routing.models import Alert, Call, Chain, Endpoint, ExchangeRate, Model, Price
from routing.price_book import dated, is_booked
from routing.price_import import CHANGED, NEW, REFUSED, SAME, BadFile, run
from routing.retirement import retirements
from routing.snapshot import load_routing
from routing.tasks import watch_retirements
from routing.vendors.classify import VERDICTS

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 26)
HEAD = "endpoint,model,valid_from,currency,input,cached_input,output,source\n"


@pytest.fixture
def endpoint() -> Endpoint:
    """One vendor."""
    return Endpoint.objects.create(key="vendor", name="Vendor", kind="chat_completions")


def a_price(endpoint: Endpoint, day: date, nano: int = 300, **fields: Any) -> Price:
    """A price from a day on."""
    values: dict[str, Any] = {
        "model_name": "m-1",
        "cached_input_nano_per_token": nano,
        "output_nano_per_token": nano,
        **fields,
    }
    return Price.objects.create(
        endpoint=endpoint, valid_from=day, input_nano_per_token=nano, **values
    )


def a_call(day: date, **fields: Any) -> Call:
    """A call that was booked on a day."""
    at = datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
    values = {"endpoint_key": "vendor", "model_asked": "m-1", "input_tokens": 9, **fields}
    return Call.objects.create(attempt_id=f"{at}-{Call.objects.count()}", started_at=at, **values)


def test_prices_hold_from_their_day_to_the_next(endpoint: Endpoint) -> None:
    """Exactly one is current; those before are past, those to come future."""
    days = [TODAY - timedelta(days=60), TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=9)]
    rows = [a_price(endpoint, day) for day in days]
    found = dated(rows, today=TODAY)
    assert [(one.row.valid_from, one.state, one.until) for one in found] == [
        (days[3], "future", None),
        (days[2], "current", days[3]),
        (days[1], "past", days[2]),
        (days[0], "past", days[1]),
    ]


def test_a_price_that_calls_were_booked_with_stays(
    endpoint: Endpoint, admin_client: Client
) -> None:
    """Its figures, its day and itself stay, its source may be corrected; a new one is added from today on."""
    today = timezone.now().date()
    old = a_price(endpoint, today - timedelta(days=60))
    new = a_price(endpoint, today - timedelta(days=10))
    a_call(today - timedelta(days=20))
    assert (is_booked(old), is_booked(new)) == (True, False)

    def save(row: Price | None, day: date, price: str, **fields: str) -> str:
        name, args = ("change", [row.pk]) if row else ("add", [])
        form = {
            "endpoint": endpoint.pk,
            "model_name": "m-1",
            "valid_from": day.isoformat(),
            "currency": "USD",
            "input_nano_per_token": price,
            "cached_input_nano_per_token": price,
            "output_nano_per_token": price,
            **fields,
        }
        answer = admin_client.post(reverse(f"admin:routing_price_{name}", args=args), form)
        return "saved" if answer.status_code == 302 else answer.content.decode()

    assert "so it cannot change" in save(old, old.valid_from, "0.40")
    assert "so it cannot change" in save(old, old.valid_from - timedelta(days=1), "0.30")
    assert save(old, old.valid_from, "0.30", source="their page") == "saved"
    assert save(new, new.valid_from, "0.40") == "saved"
    assert "were booked at the price from" in save(None, today - timedelta(days=25), "0.40")
    assert save(None, today, "0.50") == "saved"
    assert (
        admin_client.post(
            reverse("admin:routing_price_delete", args=[old.pk]), {"post": "yes"}
        ).status_code
        == 403
    )
    page = admin_client.get(reverse("admin:routing_price_price_book")).content.decode()
    assert [page.count(f'data-state="{state}"') for state in ("past", "current", "future")] == [
        2,
        1,
        0,
    ]


def test_a_rate_that_calls_were_booked_with_stays(admin_client: Client) -> None:
    """The dollars of those calls could not be told any more."""
    rate = ExchangeRate.objects.create(currency="CNY", valid_from=TODAY, usd_per_unit="0.14")
    a_call(TODAY, currency="CNY")
    form = {"currency": "CNY", "valid_from": TODAY.isoformat(), "usd_per_unit": "0.15"}
    address = reverse("admin:routing_exchangerate_change", args=[rate.pk])
    assert "so it cannot change" in admin_client.post(address, form).content.decode()


def test_import_twice_is_import_once(endpoint: Endpoint) -> None:
    """New, changed and same lines are told apart, bad ones say why, and a second run changes nothing."""
    a_price(endpoint, TODAY + timedelta(days=1), 300, source="x")
    a_price(endpoint, date(2026, 1, 1), 300)
    a_call(date(2026, 2, 1))
    text = HEAD + "".join(
        f"{line}\n"
        for line in (
            "vendor,m-1,2026-11-27,USD,0.30,0.30,0.30,x",
            "vendor,m-2,2026-12-01,CNY,2,,8.5,contract",
            "vendor,m-2,2026-12-01,CNY,3,,8.5,contract",
            "vendor,m-1,2026-01-01,USD,0.4,0.4,0.4,",
            "nobody,m-1,2026-12-01,USD,1,1,1,",
            "vendor,m-1,tomorrow,USD,1,1,1,",
            "vendor,m-1,2026-12-01,USD,0.0001,1,1,",
            "vendor,m-1,2026-12-02,USD,NaN,1,1,",
            "vendor,m-1,2026-12-03,usd,1,1,1,",
        )
    )
    checked = run(text, today=TODAY, store=False)
    assert [result.outcome for result in checked] == [SAME, NEW] + [REFUSED] * 7
    assert all(result.reason for result in checked[2:])
    assert Price.objects.count() == 2
    assert [result.outcome for result in run(text, today=TODAY, store=True)][:2] == [SAME, NEW]
    row = Price.objects.get(model_name="m-2")
    assert (row.input_nano_per_token, row.cached_input_nano_per_token) == (2_000, 2_000)
    assert (row.output_nano_per_token, row.currency) == (8_500, "CNY")
    before = list(Price.objects.values())
    assert run(text, today=TODAY, store=True)[1].outcome == SAME
    assert list(Price.objects.values()) == before
    other = text.replace("8.5", "9")
    assert run(other, today=TODAY, store=True)[1].outcome == CHANGED
    with pytest.raises(BadFile, match="output"):
        run("endpoint,model,valid_from,currency,input\n", today=TODAY, store=False)


def test_command_and_page_import_the_same_file(endpoint: Endpoint, tmp_path: Path) -> None:
    """The command counts and exits with 1 for refusals; the page shows a preview first, for those who may."""
    text = HEAD + "vendor,m-1,2030-01-01,USD,1,,2,\nnobody,m-1,2030-01-01,USD,1,,2,\n"
    path, out = tmp_path / "prices.csv", StringIO()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        call_command("import_prices", str(path), "--dry-run", stdout=out)
    assert "line 3: There is no endpoint nobody; known: vendor." in out.getvalue()
    assert "1 new, 0 changed, 0 same, 1 refused (dry run" in out.getvalue()

    user, client = User.objects.create_user("kim", is_staff=True), Client()
    client.force_login(user)
    address = reverse("admin:routing_price_import_prices")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_price", "add_price"]))
    assert client.get(address).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="import_price"))
    file = SimpleUploadedFile("prices.csv", text.encode())
    preview = client.post(address, {"file": file}).content.decode()
    assert "nothing is stored yet" in preview
    assert not Price.objects.exists()
    assert client.post(address, {"text": text, "confirmed": "yes"}).status_code == 302
    assert Price.objects.get().output_nano_per_token == 2_000
    assert LogEntry.objects.get().user == user


def test_models_that_end_are_told_in_time(endpoint: Endpoint, admin_client: Client) -> None:
    """30 days ahead, on its last day, after it, and when its vendor does not know it any more: on the
    board, in the price book and as an alert; an answer since then takes the last one back."""
    now = timezone.now()
    days = {"far": 31, "soon": 30, "last": 0, "over": -1}
    for place, (name, left) in enumerate(days.items()):
        row = Model.objects.create(
            endpoint=endpoint, name=name, valid_until=now.date() + timedelta(days=left)
        )
        Chain.objects.create(tier="FAQ", position=place, model=row)
    lost = Model.objects.create(endpoint=endpoint, name="lost")
    Chain.objects.create(tier="FAQ", position=9, model=lost)
    a_price(endpoint, TODAY, model_name="soon")
    spec = next(m for m in load_routing().chains["FAQ"] if m.name == "lost")  # type: ignore[index]
    gone = notices.parked(spec, VERDICTS[Kind.MODEL_GONE], reason="no such model", now=now)
    alerts.record(gone, now=now - timedelta(hours=1))

    def kinds() -> dict[str, str]:
        models = load_routing().chains["FAQ"]  # type: ignore[index]
        return {one.model.name: one.kind for one in retirements(models, now=now).values()}

    assert kinds() == {"soon": "ends", "last": "ends", "over": "ended", "lost": "gone"}
    assert watch_retirements() == 2
    assert Alert.objects.filter(cause__startswith="ends:vendor:soon:").count() == 1
    assert watch_retirements() == 2
    assert Alert.objects.count() == 3
    board = admin_client.get(reverse("admin:routing_hold_changelist")).content.decode()
    book = admin_client.get(reverse("admin:routing_price_price_book")).content.decode()
    assert "It ends in 30 days" in board
    assert "Its vendor did not know it on" in board
    assert "It ends in 30 days" in book
    a_call(now.date(), model_asked="lost", outcome=Call.COMPLETED)
    Call.objects.update(started_at=now)
    assert "lost" not in kinds()
