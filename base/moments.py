"""Days and moments as the reader's language writes them: `26 Nov 10:19`, 11月26日 10:19."""

from __future__ import annotations

from datetime import date, datetime

from django.template.defaultfilters import date as formatted
from django.utils.translation import get_language

# How English writes it (Django's letters) -> how Chinese does.
_CHINESE = {
    "j M H:i": "n月j日 H:i",
    "j M, H:i": "n月j日 H:i",
    "j M H:i:s": "n月j日 H:i:s",
    "d M H:i:s": "n月j日 H:i:s",
    "j M Y": "Y年n月j日",
    "j F Y": "Y年n月j日",
    "l, j F Y": "Y年n月j日 l",
    "j M Y H:i": "Y年n月j日 H:i",
    "j M Y, H:i:s": "Y年n月j日 H:i:s",
}


def written(at: date | datetime | None, form: str) -> str:
    """`at` in one of the forms above; a form that is not listed is the same in every language."""
    chinese = (get_language() or "").startswith("zh")
    return str(formatted(at, _CHINESE.get(form, form) if chinese else form))
