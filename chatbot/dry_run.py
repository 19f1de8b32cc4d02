"""Running a dry run: load what decides, play the questions in slices, store progress and the result. Blocking.

It runs in a process of its own with low priority (`chatbot.dry_launch`), so that shoppers' answers keep the
processor. The only rows it writes are its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from base.clock import Clock
from base.text import Language
from cache.embedding import Embedder
from cache.judgement import Judgement
from cache.spaces import judgement_in
from cache.vectors import KnownVectors
from chatbot.cache_rows import BadFile
from chatbot.configuration import Configuration
from chatbot.dry_cache import ReplayCache
from chatbot.dry_costs import Costs, HasKey
from chatbot.dry_launch import STOPPED
from chatbot.dry_replay import Replay, Side
from chatbot.dry_report import Report
from chatbot.dry_rows import AT_ONCE, Logged, logged, newest, uploaded
from chatbot.dry_vectors import TextVectors, Vector, stored_before
from chatbot.engines import snapshots_of
from chatbot.guard import Guard
from chatbot.guard_model import GuardModel
from chatbot.models import DryRun
from chatbot.vectorising import MAX_UNKNOWN_SHARE
from routing.classifier import Classifier
from routing.models import RuleSet
from routing.rule_sets import BUILT_IN_VERSION, EmbedCached, built_in_classifier, classifier_of
from routing.specs import ModelSpec, RoutingSnapshot, Tier

logger = logging.getLogger(__name__)
Questions = tuple[int, Iterator[Sequence[Logged]]]


class Stopped(Exception):
    """Staff stopped the run."""


class NotRunnable(Exception):
    """A run cannot begin; says in words why."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run works with. Vectors and configuration are of one engine."""

    embedder: Embedder
    configuration: Configuration
    guard: Guard
    clock: Clock
    has_key: HasKey

    @classmethod
    def load(cls, embedder: Embedder, *, clock: Clock, has_key: HasKey) -> Parts:
        """From rows, as committed now."""
        snapshots = snapshots_of(embedder, clock=clock)
        snapshots.refresh()
        guard = Guard(GuardModel.load())
        return cls(embedder, snapshots.current, guard, clock, has_key)

    def anew(self) -> Parts:
        """The same with the configuration as committed now."""
        return Parts.load(self.embedder, clock=self.clock, has_key=self.has_key)


def run(row: DryRun, parts: Parts) -> None:
    """Play one run to its end. A row that another process has taken is left alone."""
    now = parts.clock.now()
    taken = DryRun.objects.filter(pk=row.pk, state=DryRun.WAITING).update(
        state=DryRun.RUNNING, started_at=now, seen_at=now
    )
    if not taken:
        return
    row.refresh_from_db()
    try:
        result = _played(row, parts)
    except (Stopped, NotRunnable, BadFile) as error:
        state = DryRun.STOPPED if isinstance(error, Stopped) else DryRun.FAILED
        _end(row, parts, state=state, problem=str(error))
    except Exception as error:  # a boundary: whatever fails, the row says so
        logger.exception("dry run %s failed", row.pk)
        _end(row, parts, state=DryRun.FAILED, problem=f"{type(error).__name__}: {error}")
    else:
        _end(row, parts, state=DryRun.DONE, result=result)


def _end(row: DryRun, parts: Parts, *, state: str, problem: str = "", result: Any = None) -> None:
    now = parts.clock.now()
    fields = {"state": state, "problem": problem[:300], "result": result or {}, "upload": None}
    DryRun.objects.filter(pk=row.pk, state=DryRun.RUNNING).update(
        ended_at=now, seen_at=now, **fields
    )


def _played(row: DryRun, parts: Parts) -> dict[str, Any]:
    started_s = parts.clock.monotonic_s()
    total, slices = _questions(row, parts)
    if not total:
        message = "There are no questions to play: ask some, or upload a file."
        raise NotRunnable(message)
    DryRun.objects.filter(pk=row.pk).update(total=total)
    replay, base, report = None, None, Report()
    done = 0
    with closing(TextVectors(parts.embedder)) as vectors:
        for questions, known in _with_vectors(slices, vectors):
            if replay is None or base is None:
                replay, base = _replay(row, parts, vectors, first=questions[0].at)
            for question in questions:
                report.add(replay.play(question, known), cache=base.cache)
            done += len(questions)
            _progress(row, done=done, now=parts.clock.now())
    costs = Costs(
        parts.configuration.routing, today=parts.clock.now().date(), has_key=parts.has_key
    )
    return report.result(costs, seconds=parts.clock.monotonic_s() - started_s)


def _with_vectors(
    slices: Iterator[Sequence[Logged]], vectors: TextVectors
) -> Iterator[tuple[Sequence[Logged], dict[str, Vector | None]]]:
    """Each slice with its vectors, which are made while the slice before it is played."""
    waiting: tuple[Sequence[Logged], Callable[[], dict[str, Vector | None]]] | None = None
    for questions in slices:
        texts = (text for one in questions for text in (one.text, one.state.get("text", one.text)))
        begun = vectors.begin(texts)
        if waiting is not None:
            yield waiting[0], waiting[1]()
        waiting = questions, begun
    if waiting is not None:
        yield waiting[0], waiting[1]()


def _progress(row: DryRun, *, done: int, now: datetime) -> None:
    """Say how far it is. Raises Stopped when staff asked for it."""
    mine = DryRun.objects.filter(pk=row.pk, state=DryRun.RUNNING, stop_asked=False)
    if not mine.update(done=done, seen_at=now):
        raise Stopped(STOPPED)


def _questions(row: DryRun, parts: Parts) -> Questions:
    """How many questions there are, and the questions in slices."""
    if row.upload is not None:
        zone = ZoneInfo(parts.configuration.site.time_zone)
        lines = uploaded(bytes(row.upload), now=parts.clock.now(), zone=zone)
        starts = range(0, len(lines), AT_ONCE)
        return len(lines), (lines[start : start + AT_ONCE] for start in starts)
    ids = newest(int(row.parameters["count"]), simulated=bool(row.parameters["simulated"]))
    return len(ids), logged(ids)


def _replay(
    row: DryRun, parts: Parts, vectors: TextVectors, *, first: datetime
) -> tuple[Replay, Side]:
    """Both sides as they stand before the first question; the set in force is the first of the two."""
    configuration, now = parts.configuration, parts.clock.now()
    draft_row = row.rule_set
    if draft_row is None:
        message = "The rule set is not there any more."
        raise NotRunnable(message)
    # Examples are mostly those of the set in force: their vectors are kept on disk.
    embed = KnownVectors(
        parts.embedder, folder=settings.DATA_DIR, max_unknown_share=MAX_UNKNOWN_SHARE
    ).get
    costs = Costs(configuration.routing, today=now.date(), has_key=parts.has_key)
    cache = _cache(row, parts, vectors, first=first)
    in_force = configuration.rules.at(now)
    draft = Side(classifier_of(draft_row, embed), _with_variant(costs, row.parameters), cache)
    base = Side(in_force, costs, cache)
    known: dict[int, Classifier | None] = {in_force.rule_set_version: in_force}
    replay = Replay(
        configuration=configuration,
        guard=parts.guard,
        base=base,
        draft=draft,
        classifier_of=partial(_version, known, embed),
    )
    return replay, base


def _cache(row: DryRun, parts: Parts, vectors: TextVectors, *, first: datetime) -> ReplayCache:
    configuration = parts.configuration
    cache = ReplayCache(
        products=configuration.products,
        judges=partial(_judge, configuration),
        max_wrong_share=configuration.site.max_wrong_share,
        dimension=parts.embedder.dimension,
    )
    stored = stored_before(
        first,
        configuration=configuration,
        simulated=bool(row.parameters.get("simulated")),
        engine_id=parts.embedder.engine_id,
    )
    vectors.learn(stored)
    for kept in stored:
        cache.keep(kept)
    return cache


def _judge(configuration: Configuration, space: str, language: Language) -> Judgement:
    return judgement_in(
        space,
        engine_id=configuration.engine_id,
        language=language,
        recalibrations=configuration.recalibrations,
    )


def _version(
    known: dict[int, Classifier | None], embed: EmbedCached, version: int
) -> Classifier | None:
    """The set of a version, built once; None when it is not there any more."""
    if version not in known:
        row = RuleSet.objects.filter(version=version, state=RuleSet.PUBLISHED).first()
        if version == BUILT_IN_VERSION:
            known[version] = built_in_classifier(embed)
        else:
            known[version] = None if row is None else classifier_of(row, embed)
    return known[version]


def _with_variant(costs: Costs, parameters: dict[str, Any]) -> Costs:
    """The chains with the variant that staff chose: a tier asks another tier's models, or one model."""
    tier, instead = parameters.get("tier", ""), parameters.get("instead", "")
    if not tier or not instead:
        return costs
    return costs.with_chains({Tier(tier): variant_chain(costs.routing, instead)})


def variant_chain(routing: RoutingSnapshot, instead: str) -> tuple[ModelSpec, ...]:
    """The models that `instead` names: `tier:REGULAR` or `model:7`. Raises NotRunnable for none."""
    kind, _, name = instead.partition(":")
    if kind == "tier":
        return routing.chains[Tier(name)]
    models = {str(model.id): model for chain in routing.chains.values() for model in chain}
    if name not in models:
        message = "The model of the variant stands in no chain any more."
        raise NotRunnable(message)
    return (models[name],)
