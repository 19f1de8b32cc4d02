"""The review queue and the recall page: what staff see first, and what each decision does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cache.models import Answer, Change, Lookup, Objection, Recall, Review, Wording
from chatbot.models import Question
from chatbot.reviewing import Item, queue
from tests.chatbot.admin_rows import NOON, a_conversation, a_question, an_answer

pytestmark = pytest.mark.django_db
REVIEW = "admin:cache_lookup_review"


def served(of: Answer, number: int, **fields: object) -> Lookup:
    """A shopper got the answer by its one wording; `fields` change the receipt."""
    conversation = a_conversation(number)
    question = a_question(conversation, f"Question {number}?", cache="semantic")
    values: dict[str, object] = {
        "wording": of.wordings.get(),
        "answer": of,
        "outcome": "semantic",
        "cosine": 0.9,
        "shopper_id": conversation.shopper_id,
        **fields,
    }
    return Lookup.objects.create(
        question_id=question.id,
        site_id=1,
        partition=of.partition,
        reason="near",
        at=NOON,
        **values,  # type: ignore[arg-type]
    )


def objected(receipt: Lookup, kind: str = Objection.THUMB) -> Objection:
    """The receipt's shopper says that it was not their answer."""
    return Objection.objects.create(
        wording_id=receipt.wording_id,
        answer_id=receipt.answer_id,
        shopper_id=receipt.shopper_id,
        question_id=receipt.question_id,
        kind=kind,
        at=NOON,
    )


def decided(client: Client, receipt: Lookup, decision: str, **fields: str) -> None:
    """Staff decide on what the receipt served."""
    client.post(
        reverse("admin:cache_lookup_decide", args=[receipt.id]),
        {"decision": decision, "pair": f"{receipt.wording_id}-{receipt.answer_id or 0}", **fields},
    )


def order() -> list[int]:
    """Wordings of the queue, first things first."""
    return [item.wording_id for item in queue(simulated=False, at_most=10)]


def test_many_askers_and_much_doubt_come_first() -> None:
    """Distinct askers times doubt: an objection outweighs a thin margin, a sure hit is not shown."""
    thin, doubted, sure, asked = [an_answer(number) for number in range(4)]
    served(thin, 1, cosine=0.85)
    objected(served(doubted, 2))
    served(sure, 3, outcome="exact", cosine=None)
    for number in range(4, 10):
        served(asked, number, cosine=0.85)

    expected = [asked, doubted, thin]
    assert order() == [answer.wordings.get().id for answer in expected]


def test_one_shopper_asking_often_is_one_asker() -> None:
    """A hundred receipts of one shopper rank like one."""
    often, twice = an_answer(1), an_answer(2)
    for _ in range(5):
        served(often, 100 + Lookup.objects.count(), cosine=0.85, shopper_id=7)
    for number in (1, 2):
        served(twice, number, cosine=0.85)

    assert order() == [twice.wordings.get().id, often.wordings.get().id]


@pytest.mark.parametrize(
    ("item", "doubt"),
    [
        (Item(1, 1, 1, 0, 0, None, None), 0.0),
        (Item(1, 1, 1, 2, 1, None, None), 2.8),
        (Item(1, 1, 1, 0, 0, 0.80, None), 0.5),
        (Item(1, 1, 1, 0, 0, 0.80, 1.0), 0.0),
        (Item(1, 1, 1, 0, 0, 0.99, 0.5), 0.5),
        (Item(1, None, 1, 0, 0, 1.0, None), 0.3),
    ],
    ids=["exact", "said", "low-cosine", "sure", "unsure", "near-miss"],
)
def test_doubt_is_what_was_said_and_how_thin_it_was(item: Item, doubt: float) -> None:
    """A known probability replaces the cosine; a near miss weighs less than a served doubt."""
    assert item.doubt == pytest.approx(doubt)


def test_decided_items_leave_until_someone_objects_anew(admin_client: Client) -> None:
    """What staff called right does not come back, except by a later objection."""
    receipt = served(an_answer(1), 1, cosine=0.85)
    decided(admin_client, receipt, "right")
    assert order() == []
    later = served(Answer.objects.get(), 2)
    Objection.objects.filter(id=objected(later).id).update(
        at=Review.objects.get().at + timedelta(seconds=1)
    )
    assert order() == [receipt.wording_id]


def test_near_miss_is_shown_and_changes_nothing(admin_client: Client) -> None:
    """A stored wording that was near and not served can be judged; only the judgement is kept."""
    answer = an_answer(1)
    receipt = served(
        answer,
        1,
        outcome="miss",
        answer=None,
        wording=None,
        cosine=None,
        nearest=answer.wordings.get(),
        nearest_cosine=0.86,
    )
    page = admin_client.get(reverse(REVIEW)).content.decode()
    assert "Near, but not served" in page
    pair = f"{receipt.nearest_id}-0"
    decided(admin_client, receipt, "pin", pair=pair)
    decided(admin_client, receipt, "right", pair=pair)
    row = Review.objects.get()

    assert (row.decision, row.wording_id, row.answer_id) == ("right", receipt.nearest_id, None)
    assert not Change.objects.exists()
    assert order() == []


def test_wrong_splits_the_wording_off(admin_client: Client) -> None:
    """The wording leaves every replica, the answer stays, shoppers' words are settled."""
    receipt = served(an_answer(1), 1)
    objected(receipt)
    decided(admin_client, receipt, "wrong")
    wording = Wording.objects.get()

    assert wording.suspended_because == "split off by admin"
    assert list(Change.objects.values_list("op", "wording_id")) == [("remove", wording.id)]
    assert Answer.objects.get().status == Answer.LIVE
    assert not Objection.objects.filter(settled_at=None).exists()


def test_right_restores_what_shoppers_suspended(admin_client: Client) -> None:
    """Staff overrule two shoppers: the wording is served again."""
    receipt = served(an_answer(1), 1)
    Wording.objects.update(suspended_at=NOON, suspended_because="2 shoppers")
    objected(receipt)
    decided(admin_client, receipt, "right")

    assert Wording.objects.get().suspended_at is None
    assert list(Change.objects.values_list("op", flat=True)) == ["add"]


def test_edit_is_staffs_and_pinned(admin_client: Client) -> None:
    """The new text belongs to staff and is pinned; a personal one is refused with the reason."""
    receipt = served(an_answer(1), 1)
    decided(admin_client, receipt, "edit", text="Ask Li at 13812345678.")
    assert (Answer.objects.get().text, Review.objects.count()) == ("By ship 1.", 0)
    decided(admin_client, receipt, "edit", text="  By train.  ")
    answer = Answer.objects.get()

    assert (answer.text, answer.origin, answer.status) == ("By train.", "staff", "pinned")
    assert Review.objects.get().decision == "edit"


@pytest.mark.parametrize("pair", ["", "x-y", "999-1", "1-999"])
def test_foreign_pairs_are_not_found(admin_client: Client, pair: str) -> None:
    """A receipt decides on nothing but what it served or was near to."""
    receipt = served(an_answer(1), 1)
    url = reverse("admin:cache_lookup_decide", args=[receipt.id])

    assert admin_client.post(url, {"decision": "wrong", "pair": pair}).status_code == 404
    assert not Review.objects.exists()


def test_who_may_look_may_not_decide(client: Client) -> None:
    """Viewing needs the receipts' permission, deciding and revoking the answers'; GET changes nothing."""
    receipt = served(an_answer(1), 1)
    url = reverse("admin:cache_lookup_decide", args=[receipt.id])
    data = {"decision": "wrong", "pair": f"{receipt.wording_id}-{receipt.answer_id}"}
    user = User.objects.create_user("looker", is_staff=True)
    client.force_login(user)
    assert client.get(reverse(REVIEW)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_lookup"))
    page = client.get(reverse(REVIEW))
    assert page.status_code == 200
    assert "data-decide" not in page.content.decode().partition("<script")[0]
    assert client.post(url, data).status_code == 403
    assert client.get(reverse("admin:cache_answer_recall") + "?ids=1").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_answer"))
    assert client.get(url, data).status_code == 302
    assert not Review.objects.exists()
    assert client.post(url, data).status_code == 302
    assert Review.objects.get().by == "looker"


def test_a_decision_needs_the_csrf_token() -> None:
    """A page of somebody else's cannot decide for staff."""
    receipt = served(an_answer(1), 1)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("boss"))
    url = reverse("admin:cache_lookup_decide", args=[receipt.id])

    assert strict.post(url, {"decision": "wrong"}).status_code == 403


def _queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_queue_costs_no_more_queries_for_more_rows(admin_client: Client) -> None:
    """Ten doubtful answers cost as many queries as two."""
    for number in range(2):
        objected(served(an_answer(number), number))
    before = _queries(admin_client, reverse(REVIEW))
    for number in range(2, 10):
        objected(served(an_answer(number), number))

    assert _queries(admin_client, reverse(REVIEW)) == before


def test_markup_of_shoppers_is_text(admin_client: Client) -> None:
    """What a shopper wrote is shown, never run."""
    objected(served(an_answer(1), 1))
    Question.objects.update(text="<script>alert(1)</script>")

    assert "<script>alert(1)" not in admin_client.get(reverse(REVIEW)).content.decode()


def test_skipped_item_waits_and_the_next_is_shown(admin_client: Client) -> None:
    """Later shows the next item and keeps this one in the queue."""
    first, second = an_answer(1), an_answer(2)
    objected(served(first, 1))
    objected(served(second, 2))
    page = admin_client.get(reverse(REVIEW))
    top = page.context["current"].wording.id
    following = admin_client.get(page.context["skip_url"]).context["current"].wording.id

    assert {top, following} == {answer.wordings.get().id for answer in (first, second)}
    assert len(order()) == 2


def test_recall_page_shows_who_received_it_before_it_does_anything(admin_client: Client) -> None:
    """A GET lists the receipts and changes nothing; the POST revokes and keeps who, when and why."""
    answer = an_answer(1)
    served(answer, 1)
    served(answer, 2)
    served(an_answer(2), 3)
    action = admin_client.post(
        reverse("admin:cache_answer_changelist"),
        {"action": "revoke", "_selected_action": [answer.pk]},
    )
    page = admin_client.get(action["Location"])
    shown = [receipt.text for receipt in page.context["candidates"][0].receipts]
    assert (sorted(shown), page.context["recipients"]) == (["Question 1?", "Question 2?"], 2)
    answer.refresh_from_db()
    assert answer.status == Answer.LIVE

    admin_client.post(action["Location"], {"reason": "old price", "text": ""})
    answer.refresh_from_db()
    recall = Recall.objects.get()
    assert (answer.status, recall.by, recall.reason) == (Answer.REVOKED, "admin", "old price")


def test_recall_leads_back_inside_the_admin_only(admin_client: Client) -> None:
    """The address to go back to is a page of the admin, whatever the link says."""
    answer = an_answer(1)
    url = reverse("admin:cache_answer_recall") + f"?ids={answer.pk}&next="
    backs = [
        admin_client.get(url + target).context["back"]
        for target in ("https://evil.example/", "//evil.example/admin/", reverse(REVIEW))
    ]

    page = reverse("admin:cache_answer_change", args=[answer.pk])
    assert backs == [page, page, reverse(REVIEW)]
