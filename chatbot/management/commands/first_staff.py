"""Make the first staff user with a random password, printed once."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

PASSWORD_BYTES = 12


class Command(BaseCommand):
    help = "Make the user `staff` with a random password if there is no superuser yet; prints it once."

    def handle(self, *args: object, **options: object) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        users.create_superuser("staff", password=password)  # type: ignore[attr-defined]  # Django's own manager
        self.stdout.write(f"admin user: staff   password: {password}   (shown only this once)")
