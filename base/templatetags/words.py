"""`{{ row.state|word }}`: a code as staff read it."""

from __future__ import annotations

from django import template

from base.words import word

register = template.Library()
register.filter("word", word)
