"""Spot machines that their cloud took back: which are replaced, and which runs go on on the replacement.

Pure but for what reads. A machine is replaced by itself where work was cut off on it, and within the time and
the budget that its own launch had: nobody is there to say yes to more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import installation
from cloudtui_engine.fleet.due import Wanted
from cloudtui_engine.fleet.enforcing import can_be_stopped
from cloudtui_engine.fleet.losing import TAKEN
from cloudtui_engine.records.event import PREEMPTION
from cloudtui_engine.records.instance import NOTICED, PREEMPTED, Instance, LinkState
from cloudtui_engine.records.run import Attempt, RunState

LEAST_S = 900.0
"""With less of its time left a machine is not replaced: by the time that it works it has to end."""
NOT_RESUMED = frozenset({"prepare"})
"""Kinds of jobs that can go on nowhere else: what they read lies on their machine."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """A run whose newest attempt ended with its machine."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is read for it."""

    now: float
    taken: Sequence[tuple[Instance, Sequence[CutOff]]] = ()
    """Machines that their clouds took back, with what was cut off there."""
    fresh: Sequence[tuple[Instance, Sequence[CutOff]]] = ()
    """Machines in the place of others, with what was cut off on those."""
    watched: Sequence[Attempt] = ()
    """Attempts that live on machines whose disk goes with them."""
    busy: frozenset[str] = field(default_factory=frozenset)
    """Runs that are on their way to go on."""


def is_taken(instance: Instance) -> bool:
    """Its cloud took it back, by the cloud's own word, or it had given notice and is not there any more."""
    return (
        instance.is_gone
        and instance.wanted == "running"
        and bool(instance.launch_id)
        and instance.cloud_reason in {PREEMPTED, NOTICED}
    )


def replacements(facts: Facts) -> Iterator[Wanted]:
    """Each machine that was taken from its work is asked for again, once; the launch waits for it."""
    for machine, cut_off in facts.taken:
        has_time = machine.deadline_at is None or machine.deadline_at - facts.now >= LEAST_S
        if cut_off and has_time and is_taken(machine):
            yield "instance.replace", machine.id, f"instance.replace:{machine.id}", {}


def resumptions(facts: Facts) -> Iterator[Wanted]:
    """What was cut off goes on once its machine's replacement answers."""
    for machine, cut_off in facts.fresh:
        if machine.link_state is not LinkState.UP or machine.wanted != "running" or machine.is_gone:
            continue
        for one in cut_off:
            if one.run_id not in facts.busy:
                key = f"run.resume:{one.run_id}:{one.attempt}:{machine.id}"
                yield "run.resume", one.run_id, key, {"attempt": one.attempt, "instance": machine.id}


def keepings(facts: Facts) -> Iterator[Wanted]:
    """The checkpoints of what runs where the disk goes with the machine are brought here as they are made.

    A spot machine may be taken back at any time; one that cannot be stopped is terminated at its deadline.
    """
    for one in facts.watched:
        yield "run.keep", one.run_id, f"run.keep:{one.run_id}:{one.number}", {"attempt": one.number}


def due(facts: Facts) -> Iterator[Wanted]:
    """Operations that should exist now."""
    yield from keepings(facts)
    yield from replacements(facts)
    yield from resumptions(facts)


def read(catalog: Catalog, now: float) -> Facts:
    """The facts of now; what a copied home believes is another's to act on."""
    machines = {one.id: one for one in catalog.instances.spot()}
    replacing, watched = catalog.launches.replacing(), _watched(catalog)
    if not (machines or replacing or watched) or installation.is_copy(catalog, catalog.paths):
        return Facts(now)
    taken = [one for one in machines.values() if is_taken(one)]
    fresh = [catalog.instances.get(one.instance_id) for one in replacing]
    return Facts(
        now,
        taken=[(one, cut_off(catalog, places(catalog, one))) for one in taken],
        fresh=[(one, cut_off(catalog, places(catalog, one)[1:])) for one in fresh if not one.is_gone],
        watched=watched,
        busy=frozenset(one.target for one in catalog.operations.open_of(("run.resume",))),
    )


def _watched(catalog: Catalog) -> list[Attempt]:
    attempts = catalog.runs.open_attempts()
    machines = {one: catalog.instances.get(one) for one in {each.instance_id for each in attempts}}
    going = {key for key, one in machines.items() if one.is_rented and not can_be_stopped(one)}
    return [one for one in attempts if one.instance_id in going]


def places(catalog: Catalog, instance: Instance) -> list[str]:
    """Its id, that of the machine in whose place it is, and so on."""
    found = [instance.id]
    while instance.launch_id and (before := catalog.launches.get(instance.launch_id).wish.replaces):
        if before in found:
            break
        found.append(before)
        instance = catalog.instances.get(before)
    return found


def cut_off(catalog: Catalog, instance_ids: Sequence[str]) -> list[CutOff]:
    """The runs whose newest attempt was on one of these machines and ended with it, by nobody's will."""
    found: dict[str, CutOff] = {}
    for instance_id in instance_ids:
        for _, attempt in catalog.runs.on_instance(instance_id):
            if attempt.number == catalog.runs.newest_attempt(attempt.run_id) and _ended_with_it(
                catalog, attempt
            ):
                found[attempt.run_id] = CutOff(attempt.run_id, attempt.number)
    return [one for one in found.values() if catalog.runs.get(one.run_id).kind not in NOT_RESUMED]


def _ended_with_it(catalog: Catalog, attempt: Attempt) -> bool:
    if attempt.stop_requested_at is not None:
        return False
    if attempt.state in {RunState.LOST, RunState.FAILED}:
        return attempt.reason.startswith(TAKEN)
    if attempt.state is not RunState.STOPPED:
        return False
    return any(
        event.name == PREEMPTION and event.data.get("attempt") == attempt.number
        for event in catalog.events.list(attempt.run_id, 1000)
    )
