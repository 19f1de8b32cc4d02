"""Claims about checking the configured models: each by one call, booked, with what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command

from base import env
from chatbot.seeding import seed
from routing.checking import Check, Checker, Status
from routing.client import Client, Timeouts
from routing.errors import Kind
from routing.ledger import Ledger
from routing.models import Call, Chain
from routing.specs import ModelSpec, RoutingSnapshot, Tier
from simulator.running import RunningSimulator
from tests.routing.helpers import KEY
from tests.routing.world import World, calls, outcomes
from tests.servers import free_port

# The vendor that hangs is given up after this; one that answers has as long as a busy machine may take.
FIRST_CONTENT_SOON = Timeouts(first_content_s=3.0)


async def check(world: World, *models: ModelSpec, allow_loopback: bool = True) -> list[Check]:
    """All models in the chain FAQ, the first one in COMPLEX too."""
    snapshot = RoutingSnapshot(chains={Tier.FAQ: models, Tier.COMPLEX: models[:1]})
    client = Client(timeouts=FIRST_CONTENT_SOON, allow_loopback=allow_loopback)
    checker = Checker(
        client=client,
        ledger=Ledger(writer=world.writer, routing=lambda: world.snapshot, clock=world.clock),
        keys=world.access_of,
        clock=world.clock,
        allowed_hosts=frozenset({"api.openai.com"}),
        allow_loopback=allow_loopback,
    )
    try:
        return await checker.check_all(snapshot)
    finally:
        await client.close()


async def test_each_model_is_called_once_and_booked(world: World) -> None:
    """A model of two chains gets one call, and each call is a row like any other attempt's."""
    checks = await check(world, world.model("openai"), world.model("gemini"))
    rows = await calls()
    assert [(c.status, c.tiers) for c in checks] == [
        (Status.OK, ("FAQ", "COMPLEX")),
        (Status.OK, ("FAQ",)),
    ]
    assert all(c.first_content_ms is not None for c in checks)
    assert {row.outcome for row in rows} == {Call.COMPLETED}
    assert len(rows) == len(world.requests()) == 2
    assert all(row.cost_nanousd > 0 and row.question_id is None for row in rows)


@pytest.mark.parametrize(
    ("fault", "kind", "to_do"),
    [
        ("401", Kind.AUTH, "Put a valid key into OPENAI_API_KEY."),
        ("404", Kind.MODEL_GONE, "Correct the id gpt-4.1 in the admin, or disable the model."),
        ("402", Kind.PAYMENT, "Top up the account"),
        ("hang", Kind.TIMEOUT, "Try again"),
        ("503", Kind.SERVER, "Try again later"),
        ("bad_json", Kind.BAD_BODY, "Check the endpoint's kind and address"),
    ],
)
async def test_a_failure_says_what_to_do(world: World, fault: str, kind: Kind, to_do: str) -> None:
    """Each kind of failure is named, has its own advice, and does not fail the others."""
    world.vendor.fault(fault, vendor="openai")
    failed, fine = await check(world, world.model("openai"), world.model("gemini"))
    assert (failed.status, fine.status) == (Status.FAILED, Status.OK)
    assert failed.problem.startswith(kind.value)
    assert failed.to_do.startswith(to_do)
    assert (failed.first_content_ms, len(world.requests())) == (None, 2)
    assert KEY not in failed.line()


async def test_nobody_listening_is_told_with_the_host(world: World) -> None:
    """A closed port is a failed connection and names where it was tried."""
    base_url = f"http://127.0.0.1:{free_port()}/v1"
    model = world.model("openai")
    refused = ModelSpec(1, "m-1", replace(model.endpoint, base_url=base_url))
    (checked,) = await check(world, refused)
    assert checked.problem.startswith("connect")
    assert "127.0.0.1" in checked.to_do
    assert outcomes(await calls()) == [("m-1", Call.FAILED, "connect")]


async def test_a_host_that_is_not_allowed_is_never_called(world: World) -> None:
    """The key stays here; the line says which setting to change."""
    (checked,) = await check(world, world.model("openai"), allow_loopback=False)
    assert checked.status is Status.FAILED
    assert "https://" in checked.problem
    assert (world.requests(), await calls()) == ([], [])


async def test_without_a_key_a_model_is_skipped(world: World) -> None:
    """A missing key is named and is no failure."""
    world.keys["openai"] = ""
    skipped, fine = await check(world, world.model("openai"), world.model("gemini"))
    assert (skipped.status, fine.status) == (Status.SKIPPED, Status.OK)
    assert "OPENAI_API_KEY is not set" in skipped.problem
    assert len(world.requests()) == 1


@pytest.fixture
def shop(
    transactional_db: None, vendors_at_simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> RunningSimulator:
    """The demo shop's models, only OpenAI and Gemini with keys, both at the simulator."""
    seed()
    for name in env.KEY_NAMES:
        if name not in ("OPENAI_API_KEY", "GEMINI_API_KEY"):
            monkeypatch.delenv(name)
    return vendors_at_simulator


def _run(*options: str) -> tuple[int, str]:
    out, status = StringIO(), 0
    try:
        call_command("check_upstreams", *options, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    return status, out.getvalue()


def test_the_command_lists_every_model(shop: RunningSimulator) -> None:
    """One line per model of the chains; with every keyed model well the command succeeds."""
    status, told = _run()
    models = {place.model.name for place in Chain.objects.select_related("model")}
    assert status == 0
    assert len(told.splitlines()) == Chain.objects.values("model").distinct().count()
    assert all(any(f" {name} (" in line for line in told.splitlines()) for name in models)
    assert {line.split()[0] for line in told.splitlines()} == {"ok", "skipped"}
    assert Call.objects.filter(outcome=Call.COMPLETED).count() == told.count("ok  ")


def test_the_command_fails_when_a_model_with_a_key_does(shop: RunningSimulator) -> None:
    """Exit status 1, the reason in JSON, and the models without a key listed as skipped."""
    shop.fault("401", vendor="openai")
    status, told = _run("--json")
    checks = json.loads(told)
    failed = [item for item in checks if item["status"] == "failed"]
    assert status == 1
    assert {item["endpoint"] for item in failed} == {"OpenAI"}
    assert all(item["to_do"] == "Put a valid key into OPENAI_API_KEY." for item in failed)
    assert {item["status"] for item in checks} == {"ok", "failed", "skipped"}


def test_without_any_key_the_command_says_how_to_begin(
    shop: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key is no failure: the site runs as a demo."""
    for name in env.KEY_NAMES:
        monkeypatch.delenv(name, raising=False)
    status, told = _run()
    assert status == 0
    assert told.splitlines()[-1].startswith("no model can be called: set one vendor's key")
