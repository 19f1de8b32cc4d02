"""Receipts say what was served and on what it rested; a miss names the answer it was stored as."""

from __future__ import annotations

from sockets import close_all, opened

from cache.models import Answer, Lookup, Wording
from chatbot.runtime import Runtime

COURIER = "Which courier do you use?"
PERSONAL = "Where is my order 202611110042?"


async def receipt(runtime: Runtime, question_id: object) -> Lookup:
    """The receipt of a question, with its rows."""
    rows = Lookup.objects.select_related("answer", "stored", "wording")
    return await runtime.reader.run(lambda: rows.get(question_id=int(str(question_id))))


async def test_hit_keeps_what_was_served(runtime: Runtime) -> None:
    """Matched text, article versions, age, model and shopper stand in the receipt of a hit."""
    first, second = await opened(runtime), await opened(runtime)
    miss = (await first.ask(COURIER))[-1]
    hit = (await second.ask(COURIER.upper()))[-1]
    made, served = [await receipt(runtime, frame["receipt"]) for frame in (miss, hit)]

    assert (made.answer_id, made.wording_id, made.answer_age_s) == (None, None, None)
    assert made.stored_id == served.answer_id
    assert made.cost_nanousd > 0
    assert (served.matched_text, served.model) == (COURIER, hit["model"])
    assert served.article_versions == made.article_versions
    assert [len(version) for version in served.article_versions] == [3]
    assert served.answer_age_s is not None and served.answer_age_s < 3_600
    assert (served.cost_nanousd, served.saved_nanousd) == (0, made.cost_nanousd)
    assert served.shopper_id != made.shopper_id
    await close_all(first, second)


async def test_receipt_survives_a_change_of_the_wording(runtime: Runtime) -> None:
    """What matched is kept as text: an edit or another answer changes no receipt."""
    socket = await opened(runtime)
    await socket.ask(COURIER)
    hit = (await socket.ask(COURIER))[-1]
    await runtime.writer.run(lambda: Wording.objects.update(text="something else"))

    assert (await receipt(runtime, hit["receipt"])).matched_text == COURIER
    await close_all(socket)


async def test_own_answer_is_stored_nowhere(runtime: Runtime) -> None:
    """A personal question's receipt names no stored answer, so no recall ever reaches its asker."""
    socket = await opened(runtime)
    frame = (await socket.ask(PERSONAL))[-1]
    row = await receipt(runtime, frame["receipt"])

    assert (row.answer_id, row.stored_id, row.matched_text) == (None, None, "")
    assert await runtime.reader.run(Answer.objects.count) == 0
    await close_all(socket)
