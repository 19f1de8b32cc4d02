"""What the live board shows at one moment, gathered from the serving process and from rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from base.sentences import sentence
from chatbot.board_lines import Line, is_held, line_of
from chatbot.process import Process
from chatbot.reaching import in_loop
from chatbot.runtime import Runtime, system_clock
from routing.board import cards, models_of, takes_over
from routing.chains import usable
from routing.permits import LaneView
from routing.pricing import TYPICAL
from routing.snapshot import access_of, load_routing
from routing.specs import EndpointSpec, ModelSpec, Need, RoutingSnapshot, Tier

WITHIN_S = 3.0
_SIZE = Need(TYPICAL.input_tokens, TYPICAL.output_tokens)
# Like the chat's clock it starts at PRETEND_NOW where that is set.
_CLOCK = system_clock()


@dataclass(frozen=True, slots=True)
class Board:
    """All cards; `problem` says why the lanes are not known."""

    lines: tuple[Line, ...]
    now: datetime
    simulated: bool
    problem: str
    chains: dict[Tier, tuple[ModelSpec, ...]]

    def line(self, model_id: int) -> Line | None:
        """One model's card; None for a model that stands in no chain."""
        return next((line for line in self.lines if line.card.model.id == model_id), None)

    def takes_over(self, model_id: int) -> dict[Tier, ModelSpec | None]:
        """Who is asked while this model is not, per tier."""
        held = [line.card.model.id for line in self.lines if is_held(line.card.hold, now=self.now)]
        return takes_over(model_id, chains=self.chains, barred=held)


def board() -> Board:
    """The board now."""
    runtime, now = Process.serving(), _CLOCK.now()
    routing = load_routing() if runtime is None else runtime.routing
    lanes, problem = _lanes(runtime, routing)
    site_id = None if runtime is None else runtime.configuration.site.id
    simulated = any(model.endpoint.simulated for model, _ in models_of(routing).values())
    chains, notes = _chains(routing, now=now)
    found = cards(routing, lanes=lanes, site_id=site_id, simulated=simulated, now=now)
    lines = tuple(
        line_of(card, now=now, notes=tuple(notes.get(card.model.id, ()))) for card in found
    )
    return Board(lines, now, simulated, problem, chains)


def obey_now() -> None:
    """Let this process take over what was just decided; others do within their poll, and so does this one
    where it is too busy."""
    runtime = Process.serving()
    if runtime is not None:
        try:
            in_loop(runtime.catch_up(), runtime=runtime, within_s=WITHIN_S)
        except TimeoutError:
            return


def _lanes(runtime: Runtime | None, routing: RoutingSnapshot) -> tuple[list[LaneView], str]:
    if runtime is None:
        return [], _(
            "The site does not run in this process: breakers and buckets are not known here."
        )
    models = [model for model, _ in models_of(routing).values()]
    look = runtime.gate.look(models, need=_SIZE)
    try:
        return in_loop(look, runtime=runtime, within_s=WITHIN_S), ""
    except TimeoutError:
        return [], _("The process is too busy to say how its breakers stand.")


def _chains(
    routing: RoutingSnapshot, *, now: datetime
) -> tuple[dict[Tier, tuple[ModelSpec, ...]], dict[int, list[str]]]:
    """The models that may be called today per tier, and why others may not."""
    chains: dict[Tier, tuple[ModelSpec, ...]] = {}
    reasons: defaultdict[int, dict[str, list[str]]] = defaultdict(dict)
    for tier, chain in routing.chains.items():
        chains[tier], omissions = usable(
            chain, today=now.date(), has_key=_has_key, tier=tier, routing=routing
        )
        for omission in omissions:
            if omission.code != "retired":  # the card says that by itself
                reasons[omission.model.id].setdefault(omission.reason, []).append(tier.value)
    notes = {
        key: [f"{', '.join(tiers)}: {sentence(reason)}" for reason, tiers in found.items()]
        for key, found in reasons.items()
    }
    return chains, notes


def _has_key(endpoint: EndpointSpec) -> bool:
    try:
        return access_of(endpoint) is not None
    except ImproperlyConfigured:
        return False
