"""The stored answers in the admin. Edits go through `save()`, so every process's replica learns of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from base.admin import (
    ManyRows,
    ModelAdmin,
    ReadOnly,
    SimulatedMark,
    TabularInline,
    UnfoldAdminSelectWidget,
    column,
    link,
    list_url,
    shortened,
    value_filter,
)
from base.money import usd
from cache.models import Answer, Lookup, Source, Wording
