"""Filters for what rows hold, as staff read it.

`{{ row.state|word }}`: a code in words; `{{ row.reason|sentence }}`: what the product wrote down, both in the reader's
language; `{{ row.at|written:"j M H:i" }}`: a moment; `{{ answer.text|marked }}`: bold and lists of a stored answer;
`{{ answer.text|plain }}`: its beginning in a line.
"""

from __future__ import annotations

from django import template

from base.marked import marked, plain
from base.moments import written
from base.sentences import sentence
from base.words import word

register = template.Library()
register.filter("word", word)
register.filter("sentence", sentence)
register.filter("marked", marked)
register.filter("plain", plain)
register.filter("written", written, expects_localtime=True)
