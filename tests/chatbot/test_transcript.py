"""Rows of the conversation: accepted once, ended once, numbered without gaps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from chatbot import leases, transcript
from chatbot.models import Conversation, Feedback, Frame, Question, Site
from chatbot.transcript import PAGE_FRAMES, Accepted, Opened

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def opened(transactional_db: None) -> Opened:
    """A new shopper's conversation."""
    Site.objects.create(key="default")
    return open_again(None)


def open_again(public_id: str | None, *, now: datetime = NOW, simulated: bool = False) -> Opened:
    """What a socket does when it connects."""
    return transcript.open_conversation(
        site_key="default", shopper_public_id=public_id, locale="en", now=now, simulated=simulated
    )


def ask(opened: Opened, client_id: str = "q1", text: str = "When?", **more: Any) -> Accepted:
    """Accept a question, as the writer does."""
    values = {"locale": "en", "language": "en", "now": NOW, "deadline_s": 30.0} | more
    with transaction.atomic():
        return transcript.accept(opened.conversation_id, client_id=client_id, text=text, **values)


def end(question_id: int, state: str = Question.ANSWERED, text: str = "Soon.") -> Any:
    """End a question, as the writer does."""
    body = {"type": "answer", "id": "x", "text": text}
    with transaction.atomic():
        return transcript.finish(question_id, state=state, now=NOW, body=body, fields={})


def together(work: list[Callable[[], Any]]) -> list[Any]:
    """Do all at once, each in a thread with a connection of its own."""
    results: list[Any] = [None] * len(work)
    start = threading.Barrier(len(work))

    def run(number: int) -> None:
        try:
            start.wait()
            results[number] = work[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_accepted_question_has_its_first_frame(opened: Opened) -> None:
    """The frame carries the text as stored and the conversation's first number."""
    accepted = ask(opened)
    assert (accepted.created, accepted.conflict, accepted.state) == (True, False, "accepted")
    assert accepted.frame["seq"] == 1
    assert (accepted.frame["type"], accepted.frame["text"]) == ("accepted", "When?")
    assert Question.objects.get().deadline_at == NOW + timedelta(seconds=30)


def test_same_id_again_is_the_same_question(opened: Opened) -> None:
    """Sent three times it is one row with one frame, and each gets the first frame."""
    frames = [ask(opened).frame for _ in range(3)]
    assert frames[0] == frames[1] == frames[2]
    assert (Question.objects.count(), Frame.objects.count()) == (1, 1)


def test_same_id_with_other_words_is_a_conflict(opened: Opened) -> None:
    """Nothing is written, and the first text stays."""
    ask(opened)
    second = ask(opened, text="Where?")
    assert (second.created, second.conflict) == (False, True)
    assert Question.objects.get().text == "When?"


def test_same_id_in_two_conversations_is_two_questions(opened: Opened) -> None:
    """Ids belong to their conversation."""
    other = open_again(None)
    assert ask(opened).question_id != ask(other).question_id


def test_concurrent_accepts_of_one_id_make_one_question(opened: Opened) -> None:
    """Two tabs that send the same id at once: one creates, all get the same frame."""
    made = together([lambda: ask(opened)] * 6)
    assert [accepted.created for accepted in made].count(True) == 1
    assert len({accepted.frame["seq"] for accepted in made}) == 1


def test_retry_takes_the_original_text(opened: Opened) -> None:
    """The new question has the old words and points to the old row."""
    first = ask(opened)
    again = ask(opened, "q2", "", retry_of="q1")
    assert again.frame["text"] == "When?"
    assert Question.objects.get(client_id="q2").retry_of_id == first.question_id


def test_retry_of_an_unknown_question_is_refused(opened: Opened) -> None:
    """Also when the id exists, but in somebody else's conversation."""
    ask(open_again(None), "theirs")
    with pytest.raises(Question.DoesNotExist):
        ask(opened, "q2", "", retry_of="theirs")
    assert Frame.objects.count() == 1


@pytest.mark.parametrize("state", Question.TERMINAL)
def test_only_the_first_end_counts(opened: Opened, state: str) -> None:
    """Who comes second gets None and writes nothing."""
    question_id = ask(opened).question_id
    first, second = end(question_id, state), end(question_id, Question.FAILED, "late")
    assert (first["seq"], second) == (2, None)
    assert Question.objects.get().state == state
    assert [frame.body["type"] for frame in Frame.objects.all()] == ["accepted", "answer"]


def test_concurrent_ends_have_exactly_one_winner(opened: Opened) -> None:
    """An answer, an error and a stop at once: one terminal state, one frame."""
    question_id = ask(opened).question_id
    states = (Question.ANSWERED, Question.FAILED, Question.STOPPED) * 3
    ended = together([lambda state=state: end(question_id, state, state) for state in states])
    (winner,) = [frame for frame in ended if frame is not None]
    assert Question.objects.get().state == winner["text"]
    assert list(Frame.objects.values_list("seq", flat=True)) == [1, 2]


def test_numbers_have_no_gap_whoever_writes(opened: Opened) -> None:
    """Forty frames from eight threads are numbered 1 to 40, each as its body says."""

    def write(thread: int) -> None:
        for number in range(5):
            ask(opened, f"q{thread}-{number}")

    together([lambda thread=thread: write(thread) for thread in range(8)])
    rows = list(Frame.objects.values_list("seq", "body__seq"))
    assert rows == [(seq, seq) for seq in range(1, 41)]
    assert Conversation.objects.get().last_seq == 40


def test_lease_only_on_open_questions(opened: Opened) -> None:
    """An ended question is nobody's work; its lease is gone."""
    question_id = ask(opened).question_id
    taken = leases.take(question_id, owner="me", now=NOW)
    end(question_id)
    assert (taken, leases.take(question_id, owner="me", now=NOW)) == (True, False)
    question = Question.objects.get()
    assert (question.lease_owner, question.lease_until) == ("me", None)


def test_pages_are_complete_and_in_order(opened: Opened) -> None:
    """Forwards and backwards, 50 at a time, every frame comes exactly once."""
    for number in range(PAGE_FRAMES * 2 + 20):
        ask(opened, f"q{number}")
    forwards, after, more = [], 0, True
    while more:
        page, more = transcript.frames_after(opened.conversation_id, after=after)
        forwards += [frame["seq"] for frame in page]
        after = forwards[-1]
    backwards, before, more = [], 10_000, True
    while more:
        page, more = transcript.frames_before(opened.conversation_id, before=before)
        backwards = [frame["seq"] for frame in page] + backwards
        before = backwards[0]
    assert forwards == backwards == list(range(1, 121))


@pytest.mark.parametrize(("count", "more"), [(0, False), (50, False), (51, True)])
def test_page_border(opened: Opened, count: int, *, more: bool) -> None:
    """`more` is true exactly when something is left."""
    for number in range(count):
        ask(opened, f"q{number}")
    page, left = transcript.frames_after(opened.conversation_id, after=0)
    assert (len(page), left) == (min(count, 50), more)


def test_turns_are_the_answered_ones_before(opened: Opened) -> None:
    """Failed and open questions are no turns; the newest come last."""
    for number, state in enumerate([Question.ANSWERED, Question.FAILED, Question.ANSWERED]):
        end(ask(opened, f"q{number}", f"question {number}").question_id, state, f"a{number}")
    ask(opened, "open")
    current = ask(opened, "now").question_id
    turns = transcript.last_turns(opened.conversation_id, before_question_id=current, count=3)
    assert [(turn.question, turn.answer) for turn in turns] == [
        ("question 0", "a0"),
        ("question 2", "a2"),
    ]


def test_newest_thumb_counts(opened: Opened) -> None:
    """A second thumb replaces the first; a foreign question gets none."""
    ask(opened)
    for value in ("up", "down"):
        assert transcript.record_feedback(
            opened.conversation_id, client_id="q1", value=value, reason=""
        )
    assert Feedback.objects.get().value == "down"
    assert not transcript.record_feedback(
        open_again(None).conversation_id, client_id="q1", value="up", reason=""
    )
