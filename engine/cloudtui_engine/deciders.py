"""Deciders: pure functions from what the catalog says to operations that should exist.

They run after changes, in the engine only, any number of times: by an operation's idempotency key the second
proposal is the first one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cloudtui_engine import kept
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.fleet import due, enforcing, installation, spot, trust
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.records.instance import LOCAL, LinkState
from cloudtui_engine.records.notice import (
    ABOUT,
    COMMAND,
    IDLE_AFTER,
    IDLE_MINUTES,
    TOLD_BY_DEFAULT,
    WEBHOOK,
    Notice,
)

log = logging.getLogger(__name__)

STALLED_AFTER_S = 300.0
"""A link that is away for less is no news."""
LOOKED_AT_S = 90.0
"""What a look found is true for so long."""
_TOLD = "notify.told"
"""How far the feed of notices was turned into operations."""
_told_of: set[str] = set()
"""Defects that are in the log."""
_LAG = 1000
"""The mark is moved without a notice, too, once so much else was written behind it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An operation that a decider wants."""

    kind: str
    target: str
    key: str
    args: Mapping[str, Any] = field(default_factory=dict)


def pull_what_finished(catalog: Catalog) -> Iterable[Proposal]:
    """What a finished attempt left on its host is brought here."""
    for run_id, attempt in catalog.runs.unpulled():
        yield Proposal("run.pull", run_id, f"run.pull:{run_id}:{attempt}", {"attempt": attempt})


def tell(
    notices: Iterable[Notice], channels: Mapping[str, object], about: Iterable[str]
) -> Iterable[Proposal]:
    """Each notice is told once on each channel that is set up, if it is of a kind that is wanted."""
    wanted = frozenset(about)
    for notice in notices:
        for kind, channel in channels.items():
            if channel and notice.kind in wanted:
                yield Proposal(kind, kind, f"{kind}:{notice.id}", {"notice": notice.as_dict()})


def watch_clouds(catalog: Catalog, clock: Clock) -> Iterable[Proposal]:
    """Clouds are looked at while something there lives, and what was left undone there is taken up again."""
    return (
        Proposal(kind, target, key, args) for kind, target, key, args in due.due(due.read(catalog, clock))
    )


def go_on_elsewhere(catalog: Catalog, now: float) -> Iterable[Proposal]:
    """What spot machines were taken from is kept in time, and goes on on machines in their place."""
    return (
        Proposal(kind, target, key, args) for kind, target, key, args in spot.due(spot.read(catalog, now))
    )


def change_host_keys(catalog: Catalog) -> Iterable[Proposal]:
    """Host keys that went through a cloud are changed once somebody has logged in; not from a copied home."""
    if installation.is_copy(catalog, catalog.paths):
        return
    for instance_id, key in trust.to_change(catalog.instances.list()):
        yield Proposal("instance.rekey", instance_id, key)


DECIDERS: tuple[Callable[[Catalog], Iterable[Proposal]], ...] = (pull_what_finished, change_host_keys)


def decide(catalog: Catalog, clock: Clock | None = None) -> int:
    """Submit what the deciders propose; returns how many operations are new.

    A defect of one keeps no other from its turn: what ends machines has one whatever else fails.

    Raises:
        CatalogError: nothing can be read or written now.
    """
    time_is = clock or Clock()
    steps: tuple[Callable[[], int | None], ...] = (
        *(partial(_proposed, catalog, decider) for decider in DECIDERS),
        lambda: _submit(catalog, watch_clouds(catalog, time_is)),
        lambda: enforcing.enforce(catalog, time_is),
        lambda: _submit(catalog, go_on_elsewhere(catalog, time_is.now())),
        lambda: _note_stalled(catalog),
        lambda: _note_idle(catalog, time.time()),
        lambda: drop_checkpoints(catalog),
        lambda: _tell_what_happened(catalog),
    )
    return sum(_alone(step) for step in steps)


def _alone(step: Callable[[], int | None]) -> int:
    try:
        return step() or 0
    except CatalogError:
        raise
    except Exception as error:  # whatever it is, the engine and the other deciders go on
        text = f"{type(error).__name__}: {error}"
        if text not in _told_of:  # it comes again at each look
            _told_of.add(text)
            log.exception("A defect in what the engine decides")
        return 0


def _proposed(catalog: Catalog, decider: Callable[[Catalog], Iterable[Proposal]]) -> int:
    return _submit(catalog, decider(catalog))


def _submit(catalog: Catalog, proposals: Iterable[Proposal]) -> int:
    fresh = 0
    for proposal in proposals:
        if not catalog.operations.has_key(proposal.key):
            catalog.operations.submit(proposal.kind, proposal.target, dict(proposal.args), proposal.key)
            fresh += 1
    return fresh


def _note_stalled(catalog: Catalog) -> None:
    """What no link has confirmed for a while becomes a notice, each time that it begins.

    While no engine lived nobody asked the hosts: this one has to have tried for as long itself.
    """
    before = time.time() - STALLED_AFTER_S
    stale = catalog.runs.stale(before)
    if not stale or any(session.started_at > before for session in catalog.engine_sessions.recent(1)):
        return
    for run_id, attempt, since in stale:
        if not catalog.notices.has("stalled", run_id, attempt, int(since)):
            at = time.strftime("%H:%M", time.localtime(since))
            text = f"no word from its host since {at}."
            catalog.notices.add("stalled", run_id, attempt, text, onset=int(since))


def _note_idle(catalog: Catalog, now: float) -> None:
    """A machine that does nothing becomes a notice, once for each time that it begins to.

    Only what was just looked at is told of: of a machine without a link nobody knows what it does.
    """
    minutes = catalog.settings.get(IDLE_AFTER, IDLE_MINUTES)
    if not isinstance(minutes, int | float) or minutes <= 0:
        return
    waiting: frozenset[str] | None = None
    for machine in catalog.instances.list():
        since, looked = machine.idle_since, machine.looked_at
        fresh = looked is not None and 0 <= now - looked <= LOOKED_AT_S and machine.link_state is LinkState.UP
        if since is None or not fresh or now - since < minutes * 60 or machine.name == LOCAL:
            continue
        if waiting is None:
            waiting = frozenset(attempt.instance_id for attempt in catalog.runs.open_attempts())
        if machine.id not in waiting:
            text = f"for {int((now - since) // 60)} min. Nothing is queued for it."
            catalog.notices.tell("idle", f"{machine.id}:{int(since)}", machine.name, text)


def drop_checkpoints(catalog: Catalog) -> None:
    """What was kept of a run that has succeeded goes, wherever it went on to its end."""
    held = kept.runs_with(catalog.paths)
    if not held:
        return
    coming = {one.target for one in catalog.operations.open_of(("run.keep",))}
    for run_id in catalog.runs.succeeded(held - coming):
        kept.Kept(catalog.paths, run_id).drop()


def _tell_what_happened(catalog: Catalog) -> int:
    """Notices become operations and the mark moves behind them, both or neither: none is lost or doubled."""
    settings = catalog.settings
    told = int(settings.get(_TOLD, 0))
    place, notices = catalog.notices.since(told)
    if not notices and place - told < _LAG:
        return 0
    channels = {"notify.command": settings.get(COMMAND), "notify.webhook": settings.get(WEBHOOK)}
    with catalog.write("operation"):
        fresh = _submit(catalog, tell(notices, channels, settings.get(ABOUT, TOLD_BY_DEFAULT)))
        settings.set(_TOLD, place)
    return fresh
