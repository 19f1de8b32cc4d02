"""Leases: of several processes that want a question one gets it, and only when nobody works on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from chatbot import leases, transcript
from chatbot.models import Question

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + leases.LEASE


@pytest.fixture
def conversation_id(seeded: None) -> int:
    """A conversation to ask in."""
    return transcript.open_conversation(
        site_key="default", shopper_public_id=None, locale="en", now=NOW, simulated=True
    ).conversation_id


def ask(conversation_id: int, client_id: str = "q1") -> int:
    """An accepted question without a lease."""
    return transcript.accept(
        conversation_id,
        client_id=client_id,
        text="hello",
        locale="en",
        language="en",
        now=NOW,
        deadline_s=30.0,
    ).question_id


def claimed(*, owner: str, now: datetime, running: tuple[int, ...] = ()) -> list[int]:
    """Ids of what a sweep takes."""
    found = leases.claim(owner=owner, now=now, running=running, at_most=100)
    return [question.id for question in found]


def test_running_lease_belongs_to_its_owner(conversation_id: int) -> None:
    """While a lease runs its owner may take it again and nobody else can, by either way."""
    question_id = ask(conversation_id)
    assert leases.take(question_id, owner="one", now=NOW)
    just_before = LATER - timedelta(milliseconds=1)
    assert not leases.take(question_id, owner="two", now=just_before)
    assert claimed(owner="two", now=just_before) == []
    assert leases.take(question_id, owner="one", now=just_before)


def test_lapsed_lease_is_claimed_once(conversation_id: int) -> None:
    """When a lease ran out the first sweep takes the question and the second finds nothing."""
    question_id = ask(conversation_id)
    leases.take(question_id, owner="dead", now=NOW)
    assert claimed(owner="one", now=LATER) == [question_id]
    assert claimed(owner="two", now=LATER) == []


def test_renewed_lease_is_not_claimed(conversation_id: int) -> None:
    """Renewing moves the end of the lease; it tells which questions are lost."""
    mine, ended, lost = (ask(conversation_id, f"q{number}") for number in range(3))
    for question_id in (mine, ended, lost):
        leases.take(question_id, owner="one", now=NOW)
    transcript.finish(ended, state=Question.ANSWERED, now=NOW, body={"type": "answer"}, fields={})
    Question.objects.filter(id=lost).update(lease_owner="two")
    soon = NOW + timedelta(seconds=5)
    assert leases.renew({mine, ended, lost}, owner="one", now=soon) == {mine}
    assert claimed(owner="three", now=LATER) == [lost]


def test_question_never_leased_is_claimed_after_a_while(conversation_id: int) -> None:
    """A process that dies right after accepting leaves no lease; the one that is about to start is let be."""
    question_id = ask(conversation_id)
    assert claimed(owner="one", now=NOW + timedelta(seconds=1)) == []
    assert claimed(owner="one", now=LATER) == [question_id]


def test_question_running_here_is_not_claimed(conversation_id: int) -> None:
    """A process never takes up what it is working on, even when its lease ran out meanwhile."""
    question_id = ask(conversation_id)
    leases.take(question_id, owner="one", now=NOW)
    assert claimed(owner="one", now=LATER, running=(question_id,)) == []


def test_handed_back_is_free_at_once(conversation_id: int) -> None:
    """An orderly end frees its own open questions, with or without a lease, nobody else's and no ended one."""
    mine, other, ended, new = (ask(conversation_id, f"q{number}") for number in range(4))
    leases.take(mine, owner="one", now=NOW)
    leases.take(other, owner="two", now=NOW)
    leases.take(ended, owner="one", now=NOW)
    transcript.finish(ended, state=Question.STOPPED, now=NOW, body={"type": "answer"}, fields={})
    assert leases.hand_back({mine, other, ended, new}, owner="one", now=NOW) == 2
    assert claimed(owner="three", now=NOW) == [mine, new]


def test_sweeps_of_many_processes_share_the_questions(conversation_id: int) -> None:
    """Eight sweeps at the same moment: every question is taken, and by one of them."""
    ids = [ask(conversation_id, f"q{number}") for number in range(40)]
    found: list[int] = []
    together(
        [lambda owner=f"p{n}": found.extend(claimed(owner=owner, now=LATER)) for n in range(8)]
    )
    assert sorted(found) == ids


def together(jobs: list[Callable[[], None]]) -> None:
    """Run the jobs in threads that start at the same moment, each with its own connection."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        start.wait()
        try:
            job()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connection.vendor in ("sqlite", "postgresql")
