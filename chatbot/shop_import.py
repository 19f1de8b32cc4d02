"""What importing a file of articles or products would do, line by line, and doing it.

A plan changes nothing. Storing saves each row as the admin does, so a changed text is a new version and
answers that rest on the old one go out of use. A row is known by its key (an article by key and language):
the same file twice changes nothing. Columns that a file lacks are left as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from base.text import fold, han_count
from chatbot.models import Article, Product, ShopFile, Site
from chatbot.shop_files import LIST_SEPARATOR, Document, Line, article_lines, product_lines
from chatbot.staleness import dependents

NEW, CHANGED, SAME, PROBLEM = "new", "changed", "unchanged", "problem"
OUTCOMES = (NEW, CHANGED, SAME, PROBLEM)
MOST_TEXT_CHARACTERS = 20_000
DEFAULT_TOPIC = "general"
LOCALE_NAMES = {
    **dict.fromkeys(("en", "en-us", "en-gb", "english"), "en"),
    **dict.fromkeys(("zh-hans", "zh", "zh-cn", "zh-sg", "chinese", "简体中文", "中文"), "zh-hans"),
}
_NAME = "name"


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one line; `row` is the row to save, None unless it is new or changed."""

    place: str
    label: str
    outcome: str
    details: tuple[str, ...] = ()
    row: Article | Product | None = None


class _Refused(Exception):
    """A line cannot become a row; the messages say why."""

    def __init__(self, *messages: str) -> None:
        self.messages = messages
        super().__init__(" ".join(messages))


def plan(kind: str, documents: Sequence[Document], *, site: Site, now: datetime) -> list[Planned]:
    """What storing these files would do. Raises BadFile for what cannot be read at all."""
    if kind == ShopFile.ARTICLES:
        return _planned(article_lines(documents), _Articles(site, now=now).planned)
    return _planned(product_lines(documents), _Products(site).planned)


def counted(planned: Iterable[Planned]) -> list[tuple[str, int]]:
    """How many lines are new, changed, unchanged and wrong, in this order."""
    counts = Counter(item.outcome for item in planned)
    return [(outcome, counts[outcome]) for outcome in OUTCOMES]


@transaction.atomic
def store(planned: Sequence[Planned], *, by: User | None, source: str) -> int:
    """Save what is new or changed; returns how many rows. With `by`, the admin's history says who."""
    rows = [(item.row, item.outcome) for item in planned if item.row is not None]
    for row, outcome in rows:
        row.save()
        if by is not None:
            LogEntry.objects.log_actions(
                user_id=by.pk,
                queryset=[row],
                action_flag=ADDITION if outcome == NEW else CHANGE,
                change_message=_("Imported from %(file)s.") % {"file": source},
                single_object=True,
            )
    return len(rows)


def _planned(lines: Iterable[Line], planned: Callable[[Line], Planned]) -> list[Planned]:
    results = []
    for line in lines:
        label = (line.cells.get("key") or line.cells.get(_NAME, ""))[:80]
        if line.problem:
            results.append(Planned(line.place, label, PROBLEM, (line.problem,)))
            continue
        try:
            results.append(planned(line))
        except _Refused as error:
            results.append(Planned(line.place, label, PROBLEM, error.messages))
    return results


class _Articles:
    """Plans articles of one site against its rows."""

    def __init__(self, site: Site, *, now: datetime) -> None:
        self._site, self._now = site, now
        self._known = {(row.key, row.locale): row for row in site.articles.all()}
        self._places: dict[tuple[str, str], str] = {}

    def planned(self, line: Line) -> Planned:
        key, locale = line.cells.get("key", ""), self._locale(line.cells.get("locale", ""))
        if (key, locale) in self._places:
            message = _("%(place)s has the same key and language.")
            raise _Refused(message % {"place": self._places[key, locale].capitalize()})
        known = self._known.get((key, locale))
        row = copy(known) or Article(site=self._site, key=key, locale=locale, topic=DEFAULT_TOPIC)
        before = _values(row, _ARTICLE_FIELDS)
        for name, value in self._cells(line).items():
            setattr(row, name, value)
        _check(row, exclude=("site",))
        self._places[key, locale] = line.place
        changed = _changed(before, _values(row, _ARTICLE_FIELDS)) if known else ()
        label = f"{key} ({locale})"
        if known is None:
            return Planned(line.place, label, NEW, (row.title,), row)
        if not changed:
            return Planned(line.place, label, SAME)
        return Planned(line.place, label, CHANGED, self._details(row, changed), row)

    def _details(self, row: Article, changed: Sequence[str]) -> tuple[str, ...]:
        words = _("changes: %(names)s") % {"names": ", ".join(changed)}
        if not {"title", "text"} & set(changed):
            return (words,)
        resting = dependents(row, now=self._now).answers
        version = _("version %(number)s") % {"number": row.version + 1}
        if not resting:
            return words, version
        lost = _("stored answers that go out of use: %(count)s") % {"count": resting}
        return words, version, lost

    def _locale(self, written: str) -> str:
        locale = LOCALE_NAMES.get(written.strip().lower().replace("_", "-"), "")
        if locale not in self._site.locales:
            message = _("The language “%(locale)s” is not one of: %(known)s.")
            known = ", ".join(self._site.locales)
            raise _Refused(message % {"locale": written, "known": known})
        return locale

    def _cells(self, line: Line) -> dict[str, Any]:
        cells: dict[str, Any] = {
            name: line.cells[name] for name in ("title", "text", "url") if name in line.cells
        }
        if line.cells.get("topic"):
            cells["topic"] = line.cells["topic"].lower()
        if "asked_as" in line.cells:
            return {**cells, "asked_as": _listed(line.cells["asked_as"])}
        return cells


class _Products:
    """Plans products of one site against its rows; no two may share a name."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known = {row.key: row for row in site.products.all()}
        self._places: dict[str, str] = {}
        self._owner = {
            fold(name): row.key for row in self._known.values() for name in _names_of(row)
        }

    def planned(self, line: Line) -> Planned:
        names = self._names(line)
        key = line.cells.get("key") or self._key(names)
        if key in self._places:
            message = _("%(place)s is the same product.")
            raise _Refused(message % {"place": self._places[key].capitalize()})
        known = self._known.get(key)
        row = copy(known) or Product(site=self._site, key=key)
        before = _values(row, _PRODUCT_FIELDS)
        row.names = {**row.names, **names}
        if "aliases" in line.cells:
            row.aliases = _listed(line.cells["aliases"])
        row.url = line.cells.get("url", row.url)
        _check(row, exclude=("site",))
        self._claim(row)
        self._places[key] = line.place
        changed = _changed(before, _values(row, _PRODUCT_FIELDS)) if known else ()
        if known is None:
            return Planned(line.place, key, NEW, (", ".join(_names_of(row)),), row)
        if not changed:
            return Planned(line.place, key, SAME)
        words = _("changes: %(names)s") % {"names": ", ".join(changed)}
        return Planned(line.place, key, CHANGED, (words,), row)

    def _names(self, line: Line) -> dict[str, str]:
        """`name` is in the language of its script; `name_en`, `name_zh-hans` say theirs."""
        plain = line.cells.get(_NAME, "")
        first = "zh-hans" if han_count(plain) else self._site.locales[0]
        named = {locale: line.cells.get(f"{_NAME}_{locale}", "") for locale in self._site.locales}
        names = {locale: name for locale, name in named.items() if name}
        if plain:
            names = {first: plain} | names
        if not names:
            raise _Refused(_("The name is empty."))
        return names

    def _key(self, names: dict[str, str]) -> str:
        """Of the product that has this name already, else made of the name."""
        for name in names.values():
            if fold(name) in self._owner:
                return self._owner[fold(name)]
        key = next((slug for name in names.values() if (slug := slugify(name)[:80])), "")
        if not key:
            message = _(
                "Give it a key (column “key”), such as walnut-desk: letters, digits and “-”."
            )
            raise _Refused(message)
        return key

    def _claim(self, row: Product) -> None:
        for name in _names_of(row):
            owner = self._owner.setdefault(fold(name), row.key)
            if owner != row.key:
                message = _("“%(name)s” is also a name of the product %(key)s.")
                raise _Refused(message % {"name": name, "key": owner})


_ARTICLE_FIELDS = ("topic", "title", "text", "asked_as", "url")
_PRODUCT_FIELDS = ("names", "aliases", "url")


def _names_of(row: Product) -> list[str]:
    return [*row.names.values(), *row.aliases]


def _listed(cell: str) -> list[str]:
    parts = cell.replace("\n", LIST_SEPARATOR).split(LIST_SEPARATOR)
    return [part.strip() for part in parts if part.strip()]


def _values(row: Article | Product, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in before if before[name] != after[name])


def _check(row: Article | Product, *, exclude: tuple[str, ...]) -> None:
    """Raises _Refused with what the fields themselves refuse, and with what would harm the chat."""
    found = []
    try:
        row.clean_fields(exclude=exclude)
    except ValidationError as error:
        found = [
            f"{name}: {message}"
            for name, messages in error.message_dict.items()
            for message in messages
        ]
    if row.url and not row.url.startswith(("https://", "http://", "/")):
        found.append(_("url: give an address with https://, or a path that begins with /."))
    if isinstance(row, Article) and len(row.text) > MOST_TEXT_CHARACTERS:
        message = _("text: it has more than %(most)s characters. Split the article.")
        found.append(message % {"most": f"{MOST_TEXT_CHARACTERS:,}"})
    if found:
        raise _Refused(*found)
