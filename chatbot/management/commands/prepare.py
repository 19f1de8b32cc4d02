"""What has to be there before the first start: tables, the demo shop, the roles, a staff user."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from chatbot.roles import keep_roles

PASSWORD_BYTES = 12


class Command(BaseCommand):
    help = (
        "Migrate, insert the demo shop's missing rows, keep the staff's roles, and make the first staff user. "
        "Repeatable."
    )
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        call_command("migrate", verbosity=0, skip_checks=True)
        call_command("seed_demo", stdout=self.stdout)
        keep_roles()
        self._first_staff()

    def _first_staff(self) -> None:
        """Make the user `staff` with a random password, printed this once, if there is no superuser."""
        if User.objects.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        User.objects.create_superuser("staff", password=password)
        self.stdout.write(f"admin user: staff   password: {password}   (shown only this once)")
