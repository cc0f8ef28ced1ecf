"""What the fleet asks for by itself: looks at clouds, and what was left undone. Pure but for `read`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import installation, reconcile
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.launch import Launch, LaunchAttempt, LaunchState

SOON_S = 4.0
"""How often a cloud is looked at while something there is on its way."""
CALM_S = 60.0
"""The same while all is as it should be."""
EVERYWHERE_S = 6 * 3600.0
"""How often all regions of an account are looked at, beside once for each engine."""
AGAIN_S = 300.0
"""After so long what failed to end is tried again, and a launch that nobody works on is taken up."""
CHANGES = ("instance.launch", "instance.terminate", "instance.stop", "instance.start")
_CHANGING = frozenset({"pending", "stopping", "terminating"})
_RESTING = frozenset({"stopped"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is read for it."""

    now: float
    engine: int
    """The session of this engine."""
    era: int = 0
    """Another one after our clock was set: stretches of time that come again are other ones."""
    instances: Sequence[Instance] = ()
    launches: Sequence[Launch] = ()
    """Those that are not over."""
    unanswered: Sequence[LaunchAttempt] = ()
    providers: Sequence[str] = ()
    """Those that something was ever asked of."""
    busy: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Kind and target of operations that are not finished."""
    is_copy: bool = False
    """This home is a copy: it looks, and takes nothing up by itself."""


Wanted = tuple[str, str, str, dict[str, object]]
"""Kind, target, key and arguments of an operation."""


def read(catalog: Catalog, clock: Clock) -> Facts:
    """The facts of now."""
    providers = catalog.launches.providers()
    if not providers:
        return Facts(clock.now(), 0)
    sessions = catalog.engine_sessions.recent(1)
    open_ = catalog.operations.open_of(("fleet.reconcile", *CHANGES))
    return Facts(
        now=clock.now(),
        engine=sessions[0].id if sessions else 0,
        era=clock.era(),
        instances=catalog.instances.rented(),
        launches=catalog.launches.open(),
        unanswered=catalog.launches.may_live(),
        providers=providers,
        busy=frozenset((one.kind, one.target) for one in open_),
        is_copy=installation.is_copy(catalog, catalog.paths),
    )


def due(facts: Facts) -> Iterator[Wanted]:
    """Operations that should exist now; each key is that of a stretch of time."""
    for provider in facts.providers:
        if ("fleet.reconcile", provider) not in facts.busy:
            yield from _look(facts, provider)
    if not facts.is_copy:
        yield from _again(facts)
    yield from _first_looks(facts)


def _look(facts: Facts, provider: str) -> Iterator[Wanted]:
    stretch = f"{facts.era}:{int(facts.now // EVERYWHERE_S)}"
    key = f"fleet.reconcile:{provider}:all:{facts.engine}:{stretch}"
    yield "fleet.reconcile", provider, key, {"everywhere": True}
    every = _every(facts, provider)
    if every:
        key = f"fleet.reconcile:{provider}:{int(every)}:{facts.era}:{int(facts.now // every)}"
        yield "fleet.reconcile", provider, key, {}


def _every(facts: Facts, provider: str) -> float:
    """How often a cloud is to be looked at now; 0: not at all."""
    theirs = [one for one in facts.instances if one.provider == provider]
    opened = {one.id for one in facts.launches if one.provider == provider}
    if any(_is_on_its_way(one, facts.busy) for one in theirs) or opened & {
        one.id for one in facts.launches if one.state is LaunchState.ADOPTED
    }:
        return SOON_S
    unanswered = any(one.launch_id in opened for one in facts.unanswered)
    living = any(
        lives(one) or reconcile.may_return(one, facts.now) or reconcile.is_unexplained(one, facts.now)
        for one in theirs
    )
    return CALM_S if living or unanswered else 0.0


def _is_on_its_way(instance: Instance, busy: frozenset[tuple[str, str]]) -> bool:
    """Its state is about to change: the cloud says so, or something is being done about it."""
    if not instance.cloud_id or instance.is_gone:
        return False
    asked = any((kind, instance.id) in busy for kind in CHANGES)
    return instance.cloud_state in _CHANGING or instance.wanted == "terminated" or asked


def _again(facts: Facts) -> Iterable[Wanted]:
    """An end that failed stays wanted; an open launch that nobody works on must come to an end."""
    stretch = f"{facts.era}:{int(facts.now // AGAIN_S)}"
    for one in facts.instances:
        wants_end = one.wanted == "terminated" and one.cloud_id and not one.is_gone
        if wants_end and ("instance.terminate", one.id) not in facts.busy:
            yield "instance.terminate", one.id, f"instance.terminate:{one.id}:{stretch}", {}
    for launch in facts.launches:
        if ("instance.launch", launch.instance_id) not in facts.busy:
            key = f"instance.launch:{launch.id}:{stretch}"
            yield "instance.launch", launch.instance_id, key, {"launch": launch.id}


def _first_looks(facts: Facts) -> Iterable[Wanted]:
    """What a machine has (GPUs, pythons, disk) is asked once, when it first answers."""
    for one in facts.instances:
        if one.link_state is LinkState.UP and one.wanted == "running":
            yield "instance.probe", one.id, f"instance.probe:{one.id}:first", {}


def lives(instance: Instance) -> bool:
    """It runs, or may, and so it costs what it costs: somebody has to watch it."""
    return bool(instance.cloud_id) and not instance.is_gone and instance.cloud_state not in _RESTING


def keeps_engine(catalog: Catalog, now: float | None = None) -> bool:
    """Whether something rented lives, may come back or is unresolved, so that the engine must not end.

    What a copied home believes to live is another home's to watch.
    """
    moment = time.time() if now is None else now
    lives_on = (
        catalog.instances.any_alive()
        or catalog.launches.open()
        or catalog.launches.may_live()
        or any(reconcile.may_return(one, moment) for one in catalog.instances.rented())
    )
    return bool(lives_on) and not installation.is_copy(catalog, catalog.paths)
