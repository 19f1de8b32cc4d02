"""Claims about budgets, quotas and alerts in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from base.revision import current_number
from routing.models import Alert, Budget, Quota
from routing.snapshot import load_routing
from routing.specs import Period, Tier
from tests.chatbot.admin_rows import a_budget, a_model, an_alert

pytestmark = pytest.mark.django_db


def staff(*permissions: str) -> Client:
    """A browser of somebody with these permissions of routing."""
    user = User.objects.create_user("kim", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_budgets_are_edited_in_dollars_and_take_effect(admin_client: Client) -> None:
    """A save stores exact nano-dollars, bumps the revision, and routing reads it."""
    model, before = a_model(), current_number()
    form = {
        "period": "month",
        "time_zone": "Asia/Shanghai",
        "site_id": "1",
        "tier": "FAQ",
        "model": model.pk,
        "limit_nanousd": "12.34",
    }
    assert admin_client.post(reverse("admin:routing_budget_add"), form).status_code == 302
    row = Budget.objects.get()
    assert row.limit_nanousd == 12_340_000_000
    assert current_number() > before
    spec = load_routing().budgets[0]
    assert (spec.period, spec.zone, spec.site_id, spec.tier, spec.model_id) == (
        Period.MONTH,
        "Asia/Shanghai",
        1,
        Tier.FAQ,
        model.pk,
    )
    page = admin_client.get(reverse("admin:routing_budget_change", args=[row.pk]))
    assert 'value="12.34"' in page.content.decode()


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("budget", {"period": "day", "time_zone": "Mars", "limit_nanousd": "1"}, "time zone"),
        ("budget", {"period": "day", "time_zone": "UTC", "limit_nanousd": "-1"}, "greater than"),
        ("quota", {"period": "day", "reset_zone": "UTC"}, "in tokens, in dollars, or both"),
        ("quota", {"period": "day", "reset_zone": "x", "limit_tokens": "1"}, "time zone"),
    ],
)
def test_what_cannot_be_is_not_saved(
    admin_client: Client, name: str, form: dict[str, str], message: str
) -> None:
    """The form says what to correct."""
    endpoint = a_model().endpoint
    page = admin_client.post(
        reverse(f"admin:routing_{name}_add"), {**form, "endpoint": endpoint.pk}
    )
    assert message in page.content.decode()
    assert not Budget.objects.exists()
    assert not Quota.objects.exists()


def test_lists_say_how_much_is_used(admin_client: Client) -> None:
    """Money or tokens of the period, and whether they run low."""
    a_budget(0, model=a_model())
    budgets = admin_client.get(reverse("admin:routing_budget_changelist")).content.decode()
    quotas = admin_client.get(reverse("admin:routing_quota_changelist")).content.decode()
    statements = admin_client.get(reverse("admin:routing_statement_changelist")).content.decode()
    assert "$0.85 of $1.00" in budgets
    assert "850 of 1,000 tokens" in quotas
    assert "50.0%" in statements


PAGES = ["admin:index", "admin:routing_price_changelist", "admin:chatbot_site_changelist"]


@pytest.mark.parametrize("page", PAGES)
def test_open_alerts_stand_on_every_page(admin_client: Client, page: str) -> None:
    """With their text, the page that puts them right, and a button, until acknowledged."""
    a_model()
    alert = an_alert("budget:1:80")
    shown = admin_client.get(reverse(page)).content.decode()
    assert alert.text in shown
    assert 'href="/admin/routing/price/">Put it right' in shown
    assert f"/admin/routing/alert/{alert.pk}/acknowledge/" in shown
    Alert.objects.update(acknowledged_at=timezone.now())
    assert alert.text not in admin_client.get(reverse(page)).content.decode()


def test_many_alerts_do_not_bury_the_page(admin_client: Client) -> None:
    """Five are shown, and a link to the others."""
    for number in range(8):
        an_alert(f"cause-{number}")
    shown = admin_client.get(reverse("admin:index")).content.decode()
    assert shown.count("/acknowledge/") == 5
    assert "All open alerts" in shown


def test_acknowledging_takes_a_button_a_permission_and_a_token() -> None:
    """Only a POST by somebody who may change alerts, with the form's token."""
    alert = an_alert("x")
    address = reverse("admin:routing_alert_acknowledge", args=[alert.pk])
    looker = staff("view_alert")
    shown = looker.get(reverse("admin:index")).content.decode()
    assert alert.text in shown
    assert "/acknowledge/" not in shown
    assert looker.post(address).status_code == 403
    User.objects.all().delete()
    keeper = staff("view_alert", "change_alert")
    assert keeper.get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    assert strict.post(address).status_code == 403
    assert Client().post(address).status_code == 302
    assert Alert.objects.filter(acknowledged_at__isnull=True).exists()
    assert keeper.post(address, {"next": "/admin/routing/price/"}).url == "/admin/routing/price/"
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at is not None) == ("kim", True)


def test_nobody_is_led_away_from_the_site(admin_client: Client) -> None:
    """The way back stays on this site whatever the form says."""
    address = reverse("admin:routing_alert_acknowledge", args=[an_alert("x").pk])
    answer = admin_client.post(address, {"next": "https://elsewhere.example/"})
    assert answer.url == reverse("admin:routing_alert_changelist")


def test_people_without_the_permission_see_none() -> None:
    """Alerts tell about money and keys: the permission to view them is needed."""
    alert = an_alert("x")
    assert alert.text not in staff().get(reverse("admin:index")).content.decode()
