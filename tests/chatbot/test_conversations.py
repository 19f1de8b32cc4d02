"""Which conversation a socket looks at, and how long it lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from chatbot import transcript
from chatbot.models import Conversation, Shopper, Site
from chatbot.transcript import CONVERSATION_IDLE, Opened

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def open_at(now: datetime, public_id: str | None, *, simulated: bool = False) -> Opened:
    """A socket connects at this time."""
    with time_machine.travel(now, tick=False):
        return transcript.open_conversation(
            site_key="default",
            shopper_public_id=public_id,
            locale="en",
            now=now,
            simulated=simulated,
        )


def ask_at(now: datetime, opened: Opened, client_id: str) -> None:
    """A question at this time."""
    with time_machine.travel(now, tick=False), transaction.atomic():
        transcript.accept(
            opened.conversation_id,
            client_id=client_id,
            text="When?",
            locale="en",
            language="en",
            now=now,
            deadline_s=30.0,
        )


@pytest.fixture
def shopper(transactional_db: None) -> str:
    """A shopper of the default site."""
    Site.objects.create(key="default")
    return transcript.new_shopper("default")


def test_known_shopper_comes_back_to_the_conversation(shopper: str) -> None:
    """The same cookie finds the same conversation with its newest number."""
    first = open_at(NOW, shopper)
    ask_at(NOW, first, "q1")
    second = open_at(NOW + timedelta(days=1), shopper)
    assert second.conversation_id == first.conversation_id
    assert second.last_seq == 1


@pytest.mark.parametrize("public_id", [None, "", "unknown"])
def test_unknown_shopper_is_made(shopper: str, public_id: str | None) -> None:
    """Whoever has no cookie of ours gets an identity and a conversation of their own."""
    opened = open_at(NOW, public_id)
    assert Shopper.objects.get(pk=opened.shopper_id).public_id not in ("", "unknown", shopper)
    assert Shopper.objects.count() == 2


def test_shopper_of_another_site_is_unknown_here(shopper: str) -> None:
    """One site's cookie opens nothing at another."""
    other = Shopper.objects.create(site=Site.objects.create(key="other"), public_id="other-shopper")
    assert open_at(NOW, "other-shopper").shopper_id != other.pk


def test_simulated_and_live_conversations_are_apart(shopper: str) -> None:
    """After the first key is set the shopper starts anew."""
    demo, live = open_at(NOW, shopper, simulated=True), open_at(NOW, shopper)
    assert demo.conversation_id != live.conversation_id


def test_idle_conversation_is_left_behind(shopper: str) -> None:
    """A month after the last word a new conversation begins."""
    first = open_at(NOW, shopper)
    ask_at(NOW, first, "q1")
    later = open_at(NOW + CONVERSATION_IDLE + timedelta(days=1), shopper)
    assert later.conversation_id != first.conversation_id


def test_conversation_in_use_does_not_age(shopper: str) -> None:
    """Idle time counts from the last word, not from the first."""
    first = open_at(NOW, shopper)
    last_word = NOW + CONVERSATION_IDLE - timedelta(days=1)
    ask_at(last_word, first, "q1")
    assert Conversation.objects.get().last_at == last_word
    again = open_at(last_word + timedelta(days=20), shopper)
    assert again.conversation_id == first.conversation_id
