"""The story of the product: one shopper asks and a model answers, the next is answered from the cache."""

from __future__ import annotations

import json
from typing import Any

from channels.testing import WebsocketCommunicator

from chatbot.consumers import ChatConsumer
from chatbot.models import Question
from chatbot.runtime import Runtime
from routing.models import Call
from simulator.running import RunningSimulator

ORIGIN = [(b"origin", b"http://testserver"), (b"host", b"testserver")]


async def ask(runtime: Runtime, text: str, *, frame_id: str = "q1") -> dict[str, Any]:
    """A new shopper asks one question; returns the terminal frame."""
    socket = WebsocketCommunicator(
        ChatConsumer.as_asgi(runtime=runtime), "/ws/chat/", headers=ORIGIN
    )
    connected, _ = await socket.connect()
    assert connected
    await socket.send_to(text_data=json.dumps({"type": "ask", "id": frame_id, "text": text}))
    while True:
        frame: dict[str, Any] = json.loads(await socket.receive_from(timeout=30))
        if frame["type"] in ("answer", "error") and frame["id"] == frame_id:
            await socket.disconnect()
            return frame


async def test_second_shopper_is_answered_from_the_cache(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Cold: a model answers. The same words again: exact. Other words: semantic. One call in all."""
    cold = await ask(runtime, "Which courier do you use?")
    again = await ask(runtime, "which courier do you use")
    other = await ask(runtime, "What courier do you use?")

    assert [cold["cache"], again["cache"], other["cache"]] == ["miss", "exact", "semantic"]
    assert cold["text"] == again["text"] == other["text"]
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1


async def test_an_answer_beside_the_question_is_not_shared(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """What the shop hardly answers is told to its asker; the next one gets the article, without a call."""
    text = "How do I cancel my gym contract?"
    first = await ask(runtime, text)
    second = await ask(runtime, text)

    assert [first["origin"], second["origin"]] == ["model", "article"]
    assert len(runtime.store) == 0
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1


async def test_personal_question_is_never_shared(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Two shoppers ask why their order was cancelled: two calls, nothing stored, no cache hit."""
    first = await ask(runtime, "Why was my order cancelled?")
    second = await ask(runtime, "Why was my order cancelled?")

    assert [first["cache"], second["cache"]] == ["bypass", "bypass"]
    assert len(runtime.store) == 0
    assert vendors_at_simulator.bill()["totals"]["completed"] == 2


async def test_ledger_equals_the_vendors_bill(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Every call is in the ledger with the vendor's own tokens and amount, to the nano-unit."""
    for number, text in enumerate(
        ["用什么快递？", "How do I return something?", "Why was my order cancelled?"]
    ):
        await ask(runtime, text, frame_id=f"q{number}")
    rows = await runtime.reader.run(
        lambda: list(
            Call.objects.values_list("currency", "amount_nano", "input_tokens", "output_tokens")
        )
    )
    billed = vendors_at_simulator.bill(rows=True)["requests"]

    assert sorted((row[1], row[2], row[3]) for row in rows) == sorted(
        (item["cost_nano"], item["input_tokens"], item["output_tokens"]) for item in billed
    )


async def test_all_models_down_gives_the_article(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """When every vendor answers 503, the shop's best article is the answer, and nothing is stored."""
    vendors_at_simulator.fault("503")

    frame = await ask(runtime, "Which courier do you use?")

    assert (frame["type"], frame["origin"]) == ("answer", "article")
    assert "SF Express" in frame["text"]
    assert len(runtime.store) == 0


async def test_invented_figure_is_replaced(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """An answer with a figure that no article holds is not served: the article stands in for it."""
    vendors_at_simulator.fault("invents")

    frame = await ask(runtime, "Which courier do you use?")

    assert frame["origin"] == "article"
    assert len(runtime.store) == 0


async def test_model_that_does_not_know_says_so(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A refusal becomes the shop's own sentence and is never stored."""
    vendors_at_simulator.fault("does_not_know")

    frame = await ask(runtime, "Which courier do you use?")

    assert frame["origin"] == "template"
    assert len(runtime.store) == 0


async def test_truncated_stream_is_never_stored(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """When every stream breaks off, no partial text is kept as an answer for others."""
    vendors_at_simulator.fault("truncate")

    frame = await ask(runtime, "Which courier do you use?")

    assert frame["origin"] == "article"
    assert len(runtime.store) == 0


async def test_receipt_is_written(runtime: Runtime) -> None:
    """The question's row holds its end, its tier with the reason, and the rule set that decided."""
    await ask(runtime, "Which courier do you use?")
    question = await runtime.reader.run(Question.objects.get)

    assert (question.state, question.tier, question.rule_set_version) == ("answered", "FAQ", 1)
    assert question.tier_reason
