"""Articles and products as they stand in files: CSV, Markdown, or a zip or folder of Markdown.

Everything becomes lines of cells by column, each with the place it came from; what is wrong with one
line is said at that line, what is wrong with the file as a whole is raised as BadFile. Nothing is unpacked
to the disk, and sizes are those that were really read, never those that a file claims.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from base.text import han_count
from chatbot.cache_rows import BadFile

MOST_BYTES = 5_000_000
MOST_UNPACKED_BYTES = 20_000_000
MOST_LINES = 2_000
LIST_SEPARATOR = "|"
ARTICLE_COLUMNS = ("key", "locale", "topic", "title", "text", "asked_as", "url")
MARKDOWN = (".md", ".markdown")
_DELIMITERS = ",;\t"
_FENCE = "---"

Document = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """One record: where it stands, its cells by column (absent columns are absent), or its problem."""

    place: str
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def decoded(content: bytes, *, name: str) -> str:
    """The text of a UTF-8 file, with or without a byte order mark. Raises BadFile for other encodings."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        pass
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message = _("%(name)s is UTF-16. Save it as UTF-8 and upload it again.")
    elif _is_gb18030(content):
        message = _(
            "%(name)s is not UTF-8. It looks like GB18030 (GBK), as Excel saves it on Chinese Windows. "
            "Save it as “CSV UTF-8” and upload it again."
        )
    else:
        message = _("%(name)s is not UTF-8. Save it as UTF-8 and upload it again.")
    raise BadFile(message % {"name": name})


def _is_gb18030(content: bytes) -> bool:
    try:
        return han_count(content.decode("gb18030")) > 0
    except UnicodeDecodeError:
        return False


def article_lines(documents: Sequence[Document]) -> list[Line]:
    """The articles of one CSV, one zip, or any number of Markdown files. Raises BadFile."""
    if sum(len(content) for _name, content in documents) > MOST_BYTES:
        raise BadFile(_("That is more than %(most)s MB.") % {"most": MOST_BYTES // 1_000_000})
    endings = {PurePosixPath(name).suffix.lower() for name, _content in documents}
    if len(documents) == 1 and endings == {".csv"}:
        name, content = documents[0]
        return csv_lines(decoded(content, name=name), needed=("key", "locale", "title", "text"))
    if len(documents) == 1 and endings == {".zip"}:
        documents = unzipped(documents[0][1])
    texts = [item for item in documents if PurePosixPath(item[0]).suffix.lower() in MARKDOWN]
    if not texts:
        message = _("Give one .csv, one .zip with Markdown files in it, or Markdown files (.md).")
        raise BadFile(message)
    return _bounded(_markdown_line(name, content) for name, content in sorted(texts))


def product_lines(documents: Sequence[Document]) -> list[Line]:
    """The products of one CSV. Raises BadFile."""
    if len(documents) != 1 or not documents[0][0].lower().endswith(".csv"):
        raise BadFile(_("Give one .csv file."))
    name, content = documents[0]
    if len(content) > MOST_BYTES:
        raise BadFile(_("That is more than %(most)s MB.") % {"most": MOST_BYTES // 1_000_000})
    return csv_lines(decoded(content, name=name), needed=("name",))


def documents_at(path: Path) -> list[Document]:
    """One file, or all Markdown files of a folder with their paths in it. Raises BadFile and OSError."""
    if not path.is_dir():
        return [(path.name, path.read_bytes())]
    files = [item for item in sorted(path.rglob("*")) if item.suffix.lower() in MARKDOWN]
    if len(files) > MOST_LINES:
        raise BadFile(_("There are more than %(most)s files.") % {"most": MOST_LINES})
    return [(item.relative_to(path).as_posix(), item.read_bytes()) for item in files]


def unzipped(content: bytes) -> list[Document]:
    """The Markdown files of a zip. Raises BadFile for one that is broken, locked or too large."""
    found: list[Document] = []
    left = MOST_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in _markdown_entries(archive):
                with archive.open(entry) as file:
                    text = file.read(left + 1)
                left -= len(text)
                if left < 0:
                    message = _("Unpacked, the zip is more than %(most)s MB.")
                    raise BadFile(message % {"most": MOST_UNPACKED_BYTES // 1_000_000})
                found.append((entry.filename, text))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadFile(_("The zip cannot be read: it is broken or has a password.")) from error
    return found


def _markdown_entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Its Markdown files without those that operating systems add."""
    entries = [
        entry
        for entry in archive.infolist()
        if PurePosixPath(entry.filename).suffix.lower() in MARKDOWN
        and not _is_of_the_system(entry.filename)
    ]
    if len(entries) > MOST_LINES:
        raise BadFile(_("There are more than %(most)s files.") % {"most": MOST_LINES})
    return entries


def _is_of_the_system(name: str) -> bool:
    return any(part.startswith((".", "__")) and part != ".." for part in PurePosixPath(name).parts)


def zipped(documents: Iterable[Document]) -> bytes:
    """Several files as one zip, to be kept until they are confirmed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in documents:
            archive.writestr(name, content)
    return buffer.getvalue()


def csv_lines(text: str, *, needed: Sequence[str]) -> list[Line]:
    """One line per record, by the names of the first line. Raises BadFile."""
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in needed if name not in names]
        if missing:
            message = _("The first line must name the columns; it lacks: %(names)s.")
            raise BadFile(message % {"names": ", ".join(missing)})
        return _bounded(_records(reader, names))
    except csv.Error as error:
        message = _("Line %(line)s cannot be read (%(why)s). Is a quotation mark missing?")
        raise BadFile(message % {"line": reader.line_num, "why": error}) from error


def _records(reader: Iterable[list[str]], names: list[str]) -> Iterable[Line]:
    number = 2
    for cells in reader:
        place = _("line %(line)s") % {"line": number}
        number = reader.line_num + 1  # type: ignore[attr-defined]  # the reader's own counter
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names):
            message = _(
                "It has %(count)s cells for %(names)s columns. Put quotation marks around text."
            )
            yield Line(place, problem=message % {"count": len(cells), "names": len(names)})
            continue
        yield Line(place, dict(zip(names, (cell.strip() for cell in cells), strict=False)))


def _bounded(lines: Iterable[Line]) -> list[Line]:
    found: list[Line] = []
    for line in lines:
        if len(found) == MOST_LINES:
            raise BadFile(_("There are more than %(most)s lines.") % {"most": MOST_LINES})
        found.append(line)
    if not found:
        raise BadFile(_("The file holds nothing but its first line."))
    return found


def _markdown_line(name: str, content: bytes) -> Line:
    """A Markdown file: `name: value` lines between two lines of ---, then the text.

    Key and language are taken from the file's and its folder's name where the head lacks them.
    """
    path = PurePosixPath(name)
    try:
        text = decoded(content, name=name)
    except BadFile as error:
        return Line(name, problem=str(error))
    head, body = _split_head(text)
    if head is None:
        message = _("It must begin with ---, lines such as “title: ...”, and --- again.")
        return Line(name, problem=message)
    cells = {"key": path.stem, "locale": path.parent.name, **_head_cells(head), "text": body}
    return Line(name, cells)


def _split_head(text: str) -> tuple[list[str] | None, str]:
    lines = text.lstrip("\n").split("\n")
    fences = [number for number, line in enumerate(lines) if line.strip() == _FENCE]
    if len(fences) < 2 or fences[0] != 0:
        return None, ""
    return lines[1 : fences[1]], "\n".join(lines[fences[1] + 1 :]).strip()


def _head_cells(head: Iterable[str]) -> dict[str, str]:
    """`name: value`, or `name:` followed by `- value` lines, which become one cell."""
    cells: dict[str, str] = {}
    last = ""
    for line in head:
        name, colon, value = line.partition(":")
        if line.strip().startswith("- ") and last:
            item = _unquoted(line.strip()[2:])
            cells[last] = f"{cells[last]} {LIST_SEPARATOR} {item}".strip(f" {LIST_SEPARATOR}")
        elif colon:
            last = name.strip().lower()
            cells[last] = _unquoted(value)
    return {name: value for name, value in cells.items() if name in ARTICLE_COLUMNS}


def _unquoted(value: str) -> str:
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
