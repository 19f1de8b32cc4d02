"""A form's field for texts of several lines."""

from __future__ import annotations

from typing import Any

from django import forms


class LongText(forms.CharField):
    """Lines end as they are stored. A browser sends every end as CR LF (HTML standard, "multipart/form-data"); without
    this, saving a form would change each long text that nobody touched, and an article's version with it.
    """

    def to_python(self, value: Any) -> str:
        """The text with plain line feeds."""
        return str(super().to_python(value)).replace("\r\n", "\n")
