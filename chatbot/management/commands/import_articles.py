"""Articles from a file or a folder: what would happen is shown first, then asked."""

from __future__ import annotations

from chatbot.management.importing import ImportCommand
from chatbot.models import ShopFile


class Command(ImportCommand):
    help = "Import articles from a CSV file, a Markdown file, or a zip or folder of Markdown files."
    kind = ShopFile.ARTICLES
