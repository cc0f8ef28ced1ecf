"""What a person does with rented machines: launch, start, stop, terminate, a deadline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cloudtui.actions.consequences import Stakes
from cloudtui.handlers import moments, values
from cloudtui.handlers.instance import find, show
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import from_dict
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Wish
from cloudtui_engine.records.operation import Operation

if TYPE_CHECKING:
    from cloudtui_engine.fleet.commands import AtStake

LIFETIME = "4h"
IDLE = "1h"
DISK_GB = 100


def launch(
    session: Session,
    name: str | None = None,
    *,
    provider: str,
    type: str | None = None,  # noqa: A002 - the names of their options
    gpu: str | None = None,
    region: Sequence[str] | None = None,
    zone: Sequence[str] | None = None,
    spot: bool = False,
    max_price: float | None = None,
    on_demand_cap: float | None = None,
    deadline: str = LIFETIME,
    idle: str = IDLE,
    count: int = 1,
    disk: int = DISK_GB,
    image: str | None = None,
    ssh_from: Sequence[str] | None = None,
    follow: bool = False,
) -> Instance | list[Instance]:
    """Rent machines: all of them or none. They are on the list at once, and rented by the engine.

    Raises:
        UsageError: that cannot be asked for.
        RefusedError: a budget forbids it, a name is taken, or this home is a copy of another.
        CloudtuiError: with `follow`, why there is no machine.
    """
    from cloudtui_engine.fleet import commands, market

    market.require(provider)
    if name:
        values.new_name(name, "a machine")
    wish = Wish(
        provider,
        name or "",
        type or "",
        gpu or "",
        regions=tuple(region or ()),
        zones=tuple(zone or ()),
        spot=spot,
        on_demand_cap=on_demand_cap,
        max_price=max_price,
        disk_gb=disk,
        image=image or "",
        ssh_from=tuple(ssh_from or ()),
        lifetime_s=moments.lifetime(deadline, time.time()),
        idle_s=moments.quiet(idle),
        count=count,
    )
    asked = commands.submit_launch(session.catalog, session.paths, wish)
    session.ensure_engine()
    if follow and session.wait:
        for one in asked:
            _follow(session, one, "instance.launch")
    made = [show(session, one.id) if follow else one for one in asked]
    return made[0] if len(made) == 1 else made


def start(session: Session, instance: str, *, follow: bool = False) -> Instance | Operation:
    """Start a stopped machine.

    Raises:
        RefusedError: it was not rented, is gone or not there yet; or a budget forbids it.
    """
    from cloudtui_engine.fleet import commands

    found = find(session, instance)
    return _asked(session, found, commands.submit_start(session.catalog, found), follow)


def stop(
    session: Session,
    instance: str,
    *,
    yes: bool = False,
    lose: Sequence[str] | None = None,
    follow: bool = False,
) -> Instance | Operation:
    """Stop a machine; its disk stays, and costs what it costs.

    Raises:
        RefusedError: its cloud stops no machines; runs work on it that were not named; it was not rented, or
            is not there.
    """
    from cloudtui_engine.fleet import commands, market

    found = find(session, instance)
    market.require_stop([found])
    running = names_of(lose)
    if yes and session.wait:
        running += [one.run_id for one in commands.at_stake(session.catalog, found.id) if one.is_live]
    return _asked(session, found, commands.submit_stop(session.catalog, found, running=running), follow)


def terminate(
    session: Session,
    instance: str,
    *,
    yes: bool = False,
    lose: Sequence[str] | None = None,
    follow: bool = False,
) -> Instance | Operation:
    """End a machine and give back its disk.

    Raises:
        RefusedError: results would be lost with it that were not named; nobody has said yes; or it was not
            rented.
    """
    from cloudtui_engine.fleet import commands

    found = find(session, instance)
    named = names_of(lose)
    if not is_unnamed(commands.at_stake(session.catalog, found.id), named) and found.is_rented:
        values.need_yes(session, yes, f"{found.name} would be terminated, and its disk given back.")
    operation = commands.submit_terminate(session.catalog, found, unpulled=named)
    return _asked(session, found, operation, follow)


def replace_lost(
    session: Session, instance: str, *, on_demand_cap: float | None = None, follow: bool = False
) -> Instance:
    """Ask for another machine in the place of one that its cloud took away, under its name.

    Of one that waits for a spot machine only what one on demand may cost changes.

    Raises:
        RefusedError: it is not lost, or a budget forbids it.
        CloudtuiError: with `follow`, why there is no machine.
    """
    from cloudtui_engine.fleet import commands

    made = find(session, instance)
    if on_demand_cap is not None and not made.is_gone:
        commands.allow_on_demand(session.catalog, made, on_demand_cap)
    else:
        made = commands.submit_replacement(session.catalog, session.paths, made, on_demand_cap=on_demand_cap)
    session.ensure_engine()
    if follow and session.wait:
        _follow(session, made, "instance.launch")
    return show_any(session, made.id)


def deadline(session: Session, instance: str, until: str | None = None) -> Instance | Operation:
    """Say when a machine ends, or have it told when.

    Raises:
        UsageError: that is no time, or one that is over.
        RefusedError: the machine is gone, or this one; or a budget forbids it.
    """
    from cloudtui_engine.fleet import commands

    found = find(session, instance)
    if not until:
        return show(session, found.id)
    now = time.time()
    at = moments.deadline(until, found.deadline_at, now)
    operation = commands.extend(session.catalog, found, at, now=now)
    session.ensure_engine()
    return show(session, found.id) if session.wait else operation


def let_in(session: Session, instance: str) -> Instance | Operation:
    """Have a machine's firewall let this machine in, from where it is now.

    Raises:
        RefusedError: it was not rented, or is gone.
        CloudtuiError: its cloud has no such firewall, or does not change it.
    """
    from cloudtui_engine.fleet import commands

    found = find(session, instance)
    return _asked(session, found, commands.submit_open(session.catalog, found), follow=True)


def stakes(session: Session, instances: Sequence[Instance]) -> list[Stakes]:
    """What goes with each of these machines."""
    from cloudtui_engine.fleet import commands

    found = []
    for one in instances:
        at_stake = commands.at_stake(session.catalog, one.id)
        live = tuple(run.name for run in at_stake if run.is_live)
        unpulled = tuple(str(run) for run in at_stake if not run.is_live)
        found.append(Stakes(one, live, unpulled, tuple(run.run_id for run in at_stake)))
    return found


def _asked(session: Session, instance: Instance, operation: Operation, follow: bool) -> Instance | Operation:
    """What was asked for is committed; the machine as it is then, or with `follow` as it is in the end."""
    session.ensure_engine()
    if not session.wait:
        return operation
    if follow:
        session.finish(operation)
    return show_any(session, instance.id)


def show_any(session: Session, instance_id: str) -> Instance:
    """The machine with its cost, whether it is on the list or not any more."""
    found = session.catalog.instances.get(instance_id)
    return found if found.forgotten_at is not None else show(session, instance_id)


def _follow(session: Session, instance: Instance, kind: str) -> None:
    for operation in session.catalog.operations.open_for(instance.id):
        if operation.kind == kind:
            session.finish(operation)
            return
    launch = session.catalog.launches.get(instance.launch_id)
    if launch.error:
        raise from_dict({key: str(value) for key, value in launch.error.items()})


def is_unnamed(at_stake: Sequence[AtStake], named: Sequence[str]) -> bool:
    """Something would be lost that was not named: that is what is told then, and no other question."""
    return any(not {one.name, one.run_id} & set(named) for one in at_stake)


def names_of(given: Sequence[str] | None) -> list[str]:
    """Names apart by commas, several times."""
    return [name for one in given or () for name in str(one).split(",") if name]
