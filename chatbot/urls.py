"""Addresses of the site."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from chatbot import admin_language, views

urlpatterns = [
    path("", views.chat_page, name="chat"),
    path("language/<str:locale>/", views.switch_language, name="language"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_article, name="article"),
    path("favicon.ico", RedirectView.as_view(url=static("chatbot/mark.svg"))),
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/language/", admin_language.switch, name="admin_language"),
    path("admin/", admin.site.urls),
]
