"""Products from a file: what would happen is shown first, then asked."""

from __future__ import annotations

from chatbot.management.importing import ImportCommand
from chatbot.models import ShopFile


class Command(ImportCommand):
    help = "Import products from a CSV file with the columns name, aliases, url."
    kind = ShopFile.PRODUCTS
