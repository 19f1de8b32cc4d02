"""A change of the embedding model: built beside the old one, compared, and taken over in one step."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from supervised import COURIER, asked, ended
from tiny_models import tiny_model

from cache.embedding import Embedder
from cache.embedding_onnx import RUNS_ON
from cache.embedding_switch import active_model, switch
from cache.models import Answer, Change, Lookup, ModelSwitch, Wording, WordingVector
from cache.vector_rows import ids_lacking, vectors_of
from chatbot.asked import Asked, Receipt
from chatbot.explaining import explain
from chatbot.models import Question
from chatbot.reembedding import build_vectors
from chatbot.runtime import Runtime
from chatbot.vectorising import embed

UNKNOWN = "用什么快递"


async def played(runtime: Runtime, question: Asked) -> Question:
    """The question's row once it is answered."""
    runtime.supervisor.start(question)
    return await ended(runtime, question)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Another model: small, of another dimension, exportable."""
    return str(tiny_model(tmp_path_factory.mktemp("models") / "tiny", pooling="mean"))


@pytest.fixture
def other(tiny: str, runtime: Runtime, settings: Any) -> Iterator[Embedder]:
    """Its embedder, running."""
    embedder = Embedder(tiny, folder=settings.DATA_DIR)
    embedder.start()
    yield embedder
    embedder.stop()


async def switched(runtime: Runtime, model: str) -> None:
    """Commit a switch and let this process take it over."""
    await runtime._engines.look()
    now = runtime.clock.now()
    await runtime.writer.run(lambda: switch(model, configured="", now=now))
    await runtime._engines.look()
    assert runtime._engines._switching is not None
    await runtime._engines._switching


async def test_everything_is_of_the_new_engine(
    runtime: Runtime, other: Embedder, tiny: str
) -> None:
    """After the step, store, configuration and desk are of one engine, and old answers are found by it."""
    await played(runtime, await asked(runtime, COURIER))
    before = runtime.embedder.engine_id
    built = await runtime.reader.run(lambda: build_vectors(other, active=False))
    await switched(runtime, tiny)
    ids = {
        runtime.embedder.engine_id,
        runtime.configuration.engine_id,
        runtime.desk.embedder.engine_id,
    }
    assert ids == {other.engine_id} != {before}
    assert (built.written, built.unknown, runtime.embedder.runs_on) == (1, 0, RUNS_ON)
    found = await played(runtime, await asked(runtime, COURIER + "."))
    assert found.cache in ("exact", "semantic")
    steps = dict(await explain("Which couriers do you use then", runtime=runtime))
    assert COURIER in steps.get("near", steps["lookup"])


async def test_question_between_two_engines_has_no_vector(
    runtime: Runtime, other: Embedder, tiny: str
) -> None:
    """A question of the old configuration at the new desk is answered, without comparing vectors."""
    between = await asked(runtime, COURIER)
    await switched(runtime, tiny)
    receipt = Receipt()
    assert await embed(between, desk=runtime.desk, receipt=receipt) is None
    assert receipt.guards == ["coverage: the embedding model is being changed"]
    assert (await played(runtime, between)).origin == "model"


async def test_model_that_cannot_be_loaded_changes_nothing(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """The old engine goes on, the log says what to do, and it is not tried again every second."""
    before = runtime.embedder
    await switched(runtime, "/no/such/folder")
    await runtime._engines.look()
    assert runtime.embedder is before
    assert caplog.text.count("the old one goes on") == 1


async def test_going_back_finds_what_was_stored_before(
    runtime: Runtime, other: Embedder, tiny: str
) -> None:
    """A switch can be undone: the first engine's vectors are still there."""
    await played(runtime, await asked(runtime, COURIER))
    await switched(runtime, tiny)
    await switched(runtime, "")
    assert runtime.configuration.engine_id == runtime.embedder.engine_id != other.engine_id
    steps = dict(await explain("Which courier do you use", runtime=runtime))
    assert COURIER in steps.get("near", steps["lookup"])


@pytest.mark.usefixtures("transactional_db")
def test_setting_has_the_last_word() -> None:
    """A switch holds for the setting that it replaced; another setting wins over it."""
    from django.utils import timezone

    switch("b", configured="a", now=timezone.now())
    assert [active_model(name) for name in ("a", "", "c")] == ["b", "", "c"]
    switch("", configured="a", now=timezone.now())
    assert active_model("a") == ""


async def test_vectors_are_built_once_and_only_for_known_words(
    runtime: Runtime, other: Embedder
) -> None:
    """Missing vectors are built, unknown texts left out, changed words not mistaken; a repeat does nothing."""
    await played(runtime, await asked(runtime, COURIER))

    def add_unknown() -> None:
        answer = Answer.objects.get()
        Wording.objects.create(
            answer=answer,
            partition=answer.partition,
            text=UNKNOWN,
            key="k",
            created_at=answer.created_at,
        )

    def build(active: bool) -> tuple[int, int, int, int]:
        before = Change.objects.count()
        built = build_vectors(other, active=active)
        told = Change.objects.count() - before
        return built.written, built.unknown, told, WordingVector.objects.count()

    await runtime.writer.run(add_unknown)
    assert await runtime.reader.run(lambda: build(False)) == (1, 1, 0, 1)
    assert await runtime.reader.run(lambda: build(False)) == (0, 1, 0, 1)
    await runtime.writer.run(lambda: WordingVector.objects.all().delete())
    assert await runtime.reader.run(lambda: build(True)) == (1, 1, 1, 1)

    def of_courier() -> tuple[int, int]:
        wording = Wording.objects.get(text=COURIER)
        found = vectors_of([wording.id], engine_id=other.engine_id)
        return len(found[wording.id]), len(ids_lacking(engine_id=other.engine_id))

    assert await runtime.reader.run(of_courier) == (other.dimension, 1)


async def test_command_compares_and_switches(runtime: Runtime, tiny: str) -> None:
    """`cache_reembed` builds, tells gained, lost and changed hits of real questions, and switches at the end."""
    for text in (COURIER, "Which courier do you use today?", "How do I return a lamp?"):
        await played(runtime, await asked(runtime, text))
    assert await runtime.reader.run(Lookup.objects.count) == 3

    def run(**options: Any) -> str:
        told = io.StringIO()
        call_command("cache_reembed", model=tiny, stdout=told, **options)
        return told.getvalue()

    looked = await runtime.reader.run(lambda: run())
    counts = await runtime.reader.run(
        lambda: (ModelSwitch.objects.count(), Question.objects.count())
    )
    assert counts == (0, 3)
    for words in ("of the last 3 questions", "gained: ", "lost: ", "changed: "):
        assert words in looked
    done = await runtime.reader.run(lambda: run(switch=True, questions=0))
    assert "switched" in done
    assert "this model is active" in await runtime.reader.run(lambda: run())


@pytest.mark.usefixtures("transactional_db")
def test_command_names_a_model_that_is_not_there(settings: Any, tmp_path: Path) -> None:
    """A model that cannot be loaded ends the command with its name, and switches nothing."""
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="/no/such/folder"):
        call_command("cache_reembed", model="/no/such/folder", switch=True)
    assert not ModelSwitch.objects.exists()
