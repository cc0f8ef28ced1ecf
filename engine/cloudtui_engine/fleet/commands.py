"""What faces ask of the fleet: rows and operations in one transaction, and no cloud at hand."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import (
    asking,
    deadlines,
    installation,
    losing,
    ondemand,
    orphans,
    results,
    trust,
)
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, LaunchState, Wish
from cloudtui_engine.records.operation import Operation, OperationState

PATIENCE_S = 86_400
"""How long a machine is waited for that replaces one without a deadline."""
AtStake = results.AtStake
at_stake = results.at_stake
extend = deadlines.extend
allow_on_demand = ondemand.allow
submit_adopt = orphans.submit_adopt
submit_terminate_orphan = orphans.submit_terminate
orphan_at_stake = orphans.at_stake


def submit_launch(catalog: Catalog, paths: Paths, wish: Wish) -> list[Instance]:
    """Ask for machines: their rows, launches and operations, all or none. Several are a group.

    Nothing is sent before this is on the disk; a key is made for the installation with its first launch.

    Raises:
        UsageError: the wish cannot be read.
        RefusedError: a name is taken, a budget forbids it, or this home is a copy.
    """
    asking.check(wish)
    installation.ensure(catalog, paths)
    key_file, now = str(trust.key_file(paths)), time.time()
    with catalog.write("instance", "operation", durable=True):
        names = asking.names_for(catalog, wish, now)
        asking.require_budget(catalog, wish, names, now)
        group = new_id() if wish.count > 1 else ""
        return [asking.ask(catalog, wish, name, key_file=key_file, group=group, now=now) for name in names]


def submit_replacement(
    catalog: Catalog,
    paths: Paths,
    lost: Instance,
    *,
    now: float | None = None,
    by_itself: bool = False,
    on_demand_cap: float | None = None,
) -> Instance:
    """Ask for another machine in the place of one that its cloud took away; the others of its group stay.

    The zone that took it away is left out while there are others. What was cut off there goes on here.

    Args:
        catalog: the catalog.
        paths: the home.
        lost: the machine.
        now: the moment.
        by_itself: nobody asks for it: it has what is left of the lost one's time, and for so long it is asked
            for again where there is none to be had. A person's has all of its time anew.
        on_demand_cap: up to this price one on demand will do; None: as it was said before.

    Raises:
        RefusedError: it is not lost, was not launched here, was ended by us, or a budget forbids it.
    """
    if not lost.launch_id or not lost.is_gone or lost.wanted != "running":
        raise RefusedError(f"{lost.name} is not lost.", "Only a lost machine is replaced.", code="not_lost")
    installation.ensure(catalog, paths)
    now = time.time() if now is None else now
    with catalog.write("instance", "operation", durable=True):
        launch = catalog.launches.get(lost.launch_id)
        avoid = tuple(dict.fromkeys((*launch.wish.avoid, lost.zone)))
        wish = replace(launch.wish, count=1, avoid=avoid, replaces=lost.id, patience_s=0)
        if on_demand_cap is not None:
            wish = replace(wish, on_demand_cap=on_demand_cap)
            asking.check(wish)
        if by_itself:
            left_s = 0 if lost.deadline_at is None else max(1, int(lost.deadline_at - now))
            wish = replace(wish, lifetime_s=left_s, patience_s=left_s or PATIENCE_S)
        # Of one that has merely vanished the cloud has not said that it has ended: who replaces it does.
        losing.lose(catalog, lost.id, lost.cloud_reason or str(lost.cloud_state), now)
        catalog.instances.forget(lost.id, now)
        asking.require_budget(catalog, wish, [lost.name], now)
        return asking.ask(
            catalog, wish, lost.name, key_file=str(trust.key_file(paths)), group=launch.group_id, now=now
        )


def submit_terminate(catalog: Catalog, instance: Instance, *, unpulled: Collection[str] = ()) -> Operation:
    """End a machine and give back its disk; asking again while that is under way is asking once.

    Args:
        catalog: the catalog.
        instance: a rented machine.
        unpulled: names or ids of the runs whose results may be lost with it.

    Raises:
        RefusedError: it is not rented, or results would be lost that are not named.
    """
    _check_rented(instance)
    with catalog.write("instance", "operation", durable=True):
        results.check_named(catalog, instance, unpulled)
        return _wish(catalog, instance, "terminate", "terminated")


def submit_stop(catalog: Catalog, instance: Instance, *, running: Collection[str] = ()) -> Operation:
    """Stop a machine; its disk stays, and costs what it costs.

    Args:
        catalog: the catalog.
        instance: a rented machine.
        running: names or ids of the runs on it that may be cut off.

    Raises:
        RefusedError: it is not rented, is gone, about to be or not there yet, or an unnamed run works on it.
    """
    _check_there(catalog, instance)
    with catalog.write("instance", "operation", durable=True):
        _check_stays(catalog, instance)
        live = [one for one in results.at_stake(catalog, instance.id) if one.is_live]
        left = [one.name for one in live if not {one.name, one.run_id} & set(running)]
        if left:
            raise RefusedError(
                f"Runs work on {instance.name}: {', '.join(left)}.",
                f"Stop them first (cloudtui run stop {left[0]}), or name them.",
                code="live",
            )
        return _wish(catalog, instance, "stop", "stopped")


def submit_start(catalog: Catalog, instance: Instance, *, now: float | None = None) -> Operation:
    """Start a stopped machine; with little of its time left it has all of it anew.

    Raises:
        RefusedError: it is not rented, gone, or to be ended; or a budget forbids it.
    """
    _check_there(catalog, instance)
    with catalog.write("instance", "operation", durable=True):
        _check_stays(catalog, instance)
        lifetime_s = catalog.launches.get(instance.launch_id).wish.lifetime_s if instance.launch_id else 0
        now = time.time() if now is None else now
        at = deadlines.after_start(instance, lifetime_s, now)
        rests = instance.wanted != "running" or instance.cloud_state == "stopped"
        deadlines.require_budget(catalog, instance, at, now, starts=rests)
        catalog.instances.update(instance.id, deadline_at=at)
        return _wish(catalog, instance, "start", "running")


def submit_open(catalog: Catalog, instance: Instance) -> Operation:
    """Have a machine's firewall let this machine in, from where it is now.

    Raises:
        RefusedError: it is not rented, or gone.
    """
    _check_there(catalog, instance)
    return catalog.operations.submit("instance.open", instance.id, {})


def check_forget(instance: Instance) -> None:
    """See that a machine may be taken from the lists.

    Raises:
        RefusedError: it lives in a cloud, costs money, and nobody would see it any more.
    """
    if instance.is_rented and not instance.is_gone:
        raise RefusedError(
            f"{instance.name} is rented and costs money: off the list nobody would watch it.",
            f"End it first: cloudtui instance terminate {instance.name}",
            code="rented",
        )


def submit_look(catalog: Catalog, provider: str) -> Operation:
    """Look at all regions of a provider now."""
    return catalog.operations.submit("fleet.reconcile", provider, {"everywhere": True})


def claim_installation(catalog: Catalog, paths: Paths, *, moved: bool) -> None:
    """Say which of two homes with one id this is; what waited for that goes on.

    Args:
        catalog: of this home.
        paths: this home.
        moved: this one goes on with what was rented; the other place is not used any more.
    """
    with catalog.write("setting", "instance", "operation", durable=True):
        installation.claim(catalog, paths, moved=moved)
        for operation in catalog.operations.list(1000, states=(OperationState.NEEDS_YOU,)):
            if operation.question.get("kind") == installation.QUESTION:
                catalog.operations.answer(operation.id, {"moved": moved})


# -- parts


def _wish(catalog: Catalog, instance: Instance, verb: str, wanted: str) -> Operation:
    """Say what is wanted, and have it carried out; a second one while the first is open is the first."""
    kind = f"instance.{verb}"
    current = catalog.instances.get(instance.id)
    catalog.instances.update(instance.id, wanted=wanted)
    open_ = catalog.operations.open_for(instance.id)
    for asked in open_:
        if asked.kind == kind and current.wanted == wanted:
            return asked
    return catalog.operations.submit(kind, instance.id, {})


def _check_stays(catalog: Catalog, instance: Instance) -> None:
    """An end that was asked for is not taken back by another wish: call it in the wish's transaction."""
    if catalog.instances.get(instance.id).wanted == "terminated":
        raise RefusedError(f"{instance.name} is being terminated.", "Launch another.", code="gone")


def _check_rented(instance: Instance) -> None:
    if not instance.is_rented:
        raise RefusedError(
            f"{instance.name} was not rented by cloudtui.",
            f"To take it from the list: cloudtui instance forget {instance.name}",
            code="not_rented",
        )


def _check_there(catalog: Catalog, instance: Instance) -> None:
    _check_rented(instance)
    if instance.is_gone:
        raise RefusedError(f"{instance.name} is {instance.cloud_state}.", "Launch another.", code="gone")
    launches: Sequence[Launch] = [one for one in catalog.launches.open() if one.instance_id == instance.id]
    if any(one.state is not LaunchState.READY for one in launches):
        raise RefusedError(
            f"{instance.name} is not there yet.",
            f"Wait for it, or take it back: cloudtui instance terminate {instance.name}",
            code="not_there",
        )
