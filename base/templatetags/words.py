"""`{{ row.state|word }}`: a code as staff read it; `{{ row.reason|sentence }}`: what the product wrote down;
`{{ row.at|written:"j M H:i" }}`: a moment in the reader's language."""

from __future__ import annotations

from django import template

from base.moments import written
from base.sentences import sentence
from base.words import word

register = template.Library()
register.filter("word", word)
register.filter("sentence", sentence)
register.filter("written", written, expects_localtime=True)
