"""The desk's Chinese: what has to be translated, and the files that hold it.

`python -m tests.catalogue` adds every text that lacks an entry to the catalogue, with an empty translation, drops
entries that nothing uses any more, and compiles what is translated. Fill in the empty ones, run it again, done.
"""

from __future__ import annotations

import ast
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
PO, MO = FOLDER / "django.po", FOLDER / "django.mo"
# Texts of the interface library that staff see and that neither it nor Django translates.
LIBRARY = ROOT / "locale" / "library.txt"
PACKAGES = ("base", "cache", "routing", "chatbot")
ONE = {"_", "gettext", "gettext_lazy"}
MANY = {"ngettext", "ngettext_lazy"}
HEADER = (
    "Project-Id-Version: breakwater\n"
    "Language: zh_Hans\n"
    "MIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=UTF-8\n"
    "Content-Transfer-Encoding: 8bit\n"
    "Plural-Forms: nplurals=1; plural=0;\n"
)

HOW = "Run `python -m tests.catalogue`, fill in the empty entries of django.po, run it again."

# English text -> its plural, or None for a text without one.
Wanted = dict[str, str | None]


def wanted() -> Wanted:
    """Every text that staff may see: from the code, the templates, the models, the interface library."""
    from django.utils.translation import override

    with override("en"):
        found: Wanted = dict.fromkeys(_of_models())
    found |= dict.fromkeys(LIBRARY.read_text(encoding="utf-8").splitlines())
    for pairs in (_of_code(), _of_templates()):
        for text, plural in pairs:
            found[text] = plural or found.get(text)
    return {text: plural for text, plural in found.items() if any(map(str.isalpha, text))}


def _of_models() -> Iterator[str]:
    """Names and help texts of every model that the admin shows, and of its fields."""
    from django.contrib import admin

    admin.autodiscover()
    inlines = (one.model for page in admin.site._registry.values() for one in _inlines(page))
    for model in (*admin.site._registry, *inlines):
        if model._meta.app_label not in PACKAGES:
            continue
        yield from (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
        for field in model._meta.local_fields:
            yield str(field.verbose_name)
            yield str(field.help_text)
            yield from (str(name) for value, name in field.choices or () if name != value)


def _inlines(page: Any) -> tuple[Any, ...]:
    from routing.admin_rule_parts import ExampleInline, RuleInline

    own = (RuleInline, ExampleInline) if page.model._meta.model_name == "ruleset" else ()
    return (*page.inlines, *own)


def _of_code() -> Iterator[tuple[str, str | None]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[tuple[str, str | None]]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    texts = [
        one.value
        for one in node.args
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    if name in ONE and len(texts) == 1:
        yield texts[0], None
    if name in MANY and len(texts) >= 2:
        yield texts[0], texts[1]


def _of_templates() -> Iterator[tuple[str, str | None]]:
    from django.template.loader import get_template
    from django.templatetags.i18n import BlockTranslateNode, TranslateNode

    folder = ROOT / "templates"
    for path in sorted(folder.rglob("*.html")):
        template: Any = get_template(path.relative_to(folder).as_posix())
        nodes = template.template.nodelist
        for node in nodes.get_nodes_by_type(TranslateNode):
            yield str(node.filter_expression.var.literal).replace("%", "%%"), None
        for node in nodes.get_nodes_by_type(BlockTranslateNode):
            plural = node.render_token_list(node.plural)[0] if node.plural else None
            yield node.render_token_list(node.singular)[0], plural


def read() -> dict[str, str]:
    """English text -> Chinese text, as the catalogue has them; empty where it is still to be written."""
    found: dict[str, str] = {}
    key = field = ""
    for line in PO.read_text(encoding="utf-8").splitlines() if PO.is_file() else ():
        name, _, rest = line.partition(" ")
        if name in ("msgid", "msgid_plural", "msgstr", "msgstr[0]"):
            field = "msgstr" if name.startswith("msgstr") else name
            text = ast.literal_eval(rest)
        elif line.startswith('"'):
            text = ast.literal_eval(line)
        else:
            continue
        if field == "msgid":
            key = text if name == "msgid" else key + text
        elif field == "msgstr":
            found[key] = found.get(key, "") + text
    found.pop("", None)
    return found


def write(entries: dict[str, str], plurals: Wanted) -> None:
    """The catalogue in the order of its texts, one line per text, so that branches merge."""
    parts = [_entry("", HEADER, None)]
    parts += [_entry(text, entries[text], plurals.get(text)) for text in sorted(entries)]
    PO.write_text("\n".join(parts), encoding="utf-8")
    MO.write_bytes(compiled(entries, plurals))


def _entry(text: str, translation: str, plural: str | None) -> str:
    if plural is None:
        return f"msgid {_quoted(text)}\nmsgstr {_quoted(translation)}\n"
    return (
        f"msgid {_quoted(text)}\nmsgid_plural {_quoted(plural)}\nmsgstr[0] {_quoted(translation)}\n"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def compiled(entries: dict[str, str], plurals: Wanted) -> bytes:
    """The binary form that gettext reads (GNU gettext manual, "The Format of GNU MO Files"), without a hash table."""
    pairs = {b"": HEADER.encode()}
    for text, translation in entries.items():
        if translation:
            plural = plurals.get(text)
            key = text if plural is None else f"{text}\0{plural}"
            pairs[key.encode()] = translation.encode()
    keys = sorted(pairs)
    at = 28 + 16 * len(keys)
    tables, blob = [], b""
    for texts in (keys, [pairs[key] for key in keys]):
        for text in texts:
            tables += [len(text), at + len(blob)]
            blob += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0)
    return head + struct.pack(f"<{len(tables)}I", *tables) + blob


def update() -> list[str]:
    """Bring both files up to date; returns the texts that still lack a translation."""
    plurals, before = wanted(), read()
    entries = {text: before.get(text, "") for text in plurals}
    write(entries, plurals)
    return sorted(text for text, translation in entries.items() if not translation)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
    django.setup()
    left = update()
    print("\n".join(left) if left else "Every text is translated.")
