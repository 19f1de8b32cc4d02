"""Pages beside the site's own in the admin: taking the demo shop away, hiding the checklist."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chatbot import demo_shop
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import Site

WORDS = {
    "articles": gettext_lazy("articles"),
    "products": gettext_lazy("products"),
    "examples": gettext_lazy("routing examples that name its goods"),
    "site texts": gettext_lazy("texts of the site"),
    "stored answers": gettext_lazy("stored answers"),
    "simulated conversations": gettext_lazy("simulated conversations"),
    "simulated calls": gettext_lazy("simulated calls"),
}


class FirstSteps:
    """Adds the two pages to the admin of sites."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        """The pages before the library's own."""
        view = self.admin_site.admin_view
        own = [
            path("demo/", view(self.demo_page), name="chatbot_site_demo"),
            path("hide-checklist/", view(self.hide_checklist), name="chatbot_site_hide_checklist"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]  # mixed into an admin

    def demo_page(self, request: HttpRequest) -> HttpResponse:
        """What of the demo shop is there; with a POST it goes."""
        if not request.user.has_perm("chatbot.remove_demo"):
            raise PermissionDenied
        if request.method == "POST":
            removal = demo_shop.remove(now=timezone.now(), by=request.user)  # type: ignore[arg-type]  # staff are users
            text = _("The demo shop is gone: %(count)s rows. Kept: %(kept)s.")
            values = {"count": removal.total, "kept": len(removal.kept)}
            messages.success(request, text % values)
            return HttpResponseRedirect(reverse("admin:index"))
        removal = demo_shop.removal()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The demo shop"),
            "counts": [(WORDS[name], count) for name, count in removal.counts.items() if count],
            "kept": removal.kept,
        }
        return TemplateResponse(request, "admin/chatbot/demo.html", context)

    def hide_checklist(self, request: HttpRequest) -> HttpResponse:
        """Hide the first steps for everyone."""
        if not request.user.has_perm("chatbot.hide_checklist"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        site = Site.objects.get(key=DEFAULT_SITE_KEY)
        # Without a signal: nothing that answers depends on it.
        Site.objects.filter(pk=site.pk).update(checklist_hidden_at=timezone.now())
        self.log_change(request, site, _("Hid the first steps."))  # type: ignore[attr-defined]  # mixed into an admin
        return HttpResponseRedirect(reverse("admin:index"))
