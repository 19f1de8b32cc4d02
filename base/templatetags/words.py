"""`{{ row.state|word }}`: a code as staff read it; `{{ row.reason|sentence }}`: what the product wrote down."""

from __future__ import annotations

from django import template

from base.sentences import sentence
from base.words import word

register = template.Library()
register.filter("word", word)
register.filter("sentence", sentence)
