"""A form's field for texts that exist once per language."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from base.admin import LinesField, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget
from base.admin_texts import LongText

LOCALES: tuple[tuple[str, str], ...] = tuple(settings.LANGUAGES)


class PerLocaleWidget(forms.MultiWidget):
    """One input per locale, each with its language's name."""

    def __init__(self, *, lines: bool, rows: int) -> None:
        self._lines = lines
        kind = UnfoldAdminTextareaWidget if rows > 1 else UnfoldAdminTextInputWidget
        attrs = {"rows": rows} if rows > 1 else {}
        super().__init__({locale: kind(attrs=attrs) for locale, _ in LOCALES})

    def decompress(self, value: Any) -> list[str]:
        """The object's texts in the order of LOCALES; a list as lines."""
        texts = [(value or {}).get(locale, "") for locale, _ in LOCALES]
        return ["\n".join(text) if isinstance(text, list) else str(text) for text in texts]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The inputs one below the other."""
        values = value if isinstance(value, list) else self.decompress(value)
        suffixes = [f"_{locale}" for locale, _ in LOCALES]
        parts = zip(LOCALES, suffixes, self.widgets, values, strict=True)
        inputs = (
            (
                language,
                widget.render(
                    f"{name}{suffix}",
                    text,
                    {"aria-label": f"{gettext(name)}, {language}"},
                    renderer,
                ),
            )
            for (_, language), suffix, widget, text in parts
        )
        return format_html(
            '<div class="bw-locales">{}</div>',
            format_html_join("", '<div><span class="bw-muted">{}</span>{}</div>', inputs),
        )


class PerLocaleField(forms.MultiValueField):
    """An object of locale -> text, or of locale -> list with one entry per line."""

    def __init__(self, *, lines: bool = False, rows: int = 1, **kwargs: Any) -> None:
        self._lines = lines
        one = LinesField if lines else LongText
        super().__init__(
            fields=[one(required=False) for _ in LOCALES],
            require_all_fields=False,
            widget=PerLocaleWidget(lines=lines, rows=max(rows, 3) if lines else rows),
            **{"required": False, **kwargs},
        )

    def compress(self, data_list: list[Any]) -> dict[str, Any]:
        """Only the locales that hold something."""
        pairs = zip(LOCALES, data_list or [], strict=False)
        return {locale: value for (locale, _), value in pairs if value}
