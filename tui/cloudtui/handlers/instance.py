"""What a person does with machines."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cloudtui.handlers import money, values
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import CloudtuiError, NotFoundError, RefusedError, UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.records.forward import LASTING
from cloudtui_engine.records.instance import LOCAL, Address, Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line

_TOLD_S = 86400.0
"""So long after a launch failed its machine's name still says why."""


def add(
    session: Session,
    name: str,
    ssh: str,
    *,
    key: str | None = None,
    root: str | None = None,
    price: str | None = None,
    via: str | None = None,
    accept_host_key: str | None = None,
) -> Instance | Operation:
    """Add a machine and look at it; it is on the list once it has answered."""
    from cloudtui_engine import operations

    address = replace(values.ssh_address(ssh, key), via=values.way(via))
    usd_per_hour = money.price(price) if price else None
    _free(session, values.new_name(name, "a machine"))
    if accept_host_key and not accept_host_key.startswith("SHA256:"):
        raise UsageError("A fingerprint begins with SHA256:.", "ssh-keygen -lf shows it on the host.")
    operation = operations.submit(
        session.catalog,
        "instance.add",
        "",
        {
            "name": name,
            "address": asdict(address),
            "root": root or "",
            "price": usd_per_hour,
            "accept_host_key": accept_host_key or "",
        },
    )
    return _looked_at(session, operation)


def import_hosts(session: Session, source: str | None = None) -> list[Instance]:
    """Add the hosts of an SSH config that are not on the list yet; nothing is connected."""
    from cloudtui_engine import ssh_config

    path = Path(source).expanduser() if source else Path.home() / ".ssh" / "config"
    taken = {instance.name for instance in session.catalog.instances.list()}
    added = []
    for name in ssh_config.list_hosts(path):
        if not values.is_name(name):
            continue
        if name in taken:
            session.on_progress(f"{name} is on the list already.", None)
            continue
        address = _address(session, name, path)
        instance = Instance(id=new_id(), name=name, provider="ssh", address=address, created_at=time.time())
        session.catalog.instances.add(instance)
        taken.add(name)
        added.append(instance)
    return added


def _address(session: Session, name: str, config: Path) -> Address:
    """Where a host of an SSH config leads.

    The name itself stays the address where ssh must look it up each time (it is reached by way of another
    host, or its key is known by another name) and where its entry cannot be resolved now. What only ssh
    itself can do is told, with the way to have it.
    """
    from cloudtui_engine import ssh_config

    try:
        found = ssh_config.resolve(name, config=config)
    except CloudtuiError as error:
        if error.code == ssh_config.NEEDS_SSH:
            session.on_progress(f"{error.message} {error.hint}", None)
        return Address(host=name)
    if found.beyond:
        session.on_progress(f"{name} may need {found.beyond}. {ssh_config.BY_OWN_SSH}", None)
    if found.beyond or found.jumps or found.host_key_alias or found.warnings:
        return Address(host=name)
    keys = [Path(key).expanduser() for key in found.identity_files]
    # ssh names its usual keys where the config names none; only a key of the config is worth keeping.
    usual = Path.home() / ".ssh"
    named = [
        str(key) for key in keys if key.is_file() and not (key.parent == usual and key.name.startswith("id_"))
    ]
    return Address(host=found.host, user=found.user, port=found.port, key_file=named[0] if named else "")


def list_all(session: Session) -> list[Instance]:
    """All machines, this one first."""
    session.catalog.instances.ensure_local()
    found = session.catalog.instances.list()
    cost = session.catalog.costs.of_instances()
    return [
        _with_cost(one, cost)
        for one in sorted(found, key=lambda instance: (instance.name != LOCAL, instance.created_at))
    ]


def show(session: Session, instance: str) -> Instance:
    """One machine, with who knows of its deadline."""
    from cloudtui_engine.fleet.told import told

    found = _with_cost(find(session, instance), session.catalog.costs.of_instances())
    return replace(found, told=told(session.catalog, found))


def price(session: Session, instance: str, price: str) -> Instance:
    """Say what a machine costs from now on.

    Raises:
        UsageError: that is no price.
    """
    from cloudtui_engine import bookkeeping

    found = find(session, instance)
    bookkeeping.set_price(session.catalog, found.id, money.price(price), time.time())
    return show(session, found.id)


def _with_cost(instance: Instance, cost: Mapping[str, int]) -> Instance:
    return replace(instance, cost_usd=dollars(cost[instance.id])) if instance.id in cost else instance


def probe(session: Session, instance: str) -> Instance | Operation:
    """Connect and look."""
    from cloudtui_engine import operations

    found = find(session, instance)
    operation = operations.submit(session.catalog, "instance.probe", found.id, {})
    return _looked_at(session, operation)


def prepare(session: Session, instance: str, *, index: str | None = None) -> Instance | Operation:
    """Have a python on the machine that can do every job; what it is, is told and kept with its facts."""
    from cloudtui_engine import operations

    found = find(session, instance)
    if found.name == LOCAL:
        raise RefusedError(
            "This machine runs jobs with the python that runs cloudtui.",
            "For torch and the rest: pip install 'cloudtui[local]'",
            code="local",
        )
    operation = operations.submit(
        session.catalog, "instance.prepare", found.id, {"index": _package_index(index)}
    )
    if not session.wait:
        session.ensure_engine()
        return operation
    result = session.finish(operation).result
    for text in (*result.get("warnings", ()), f"Jobs on {found.name} run with {result.get('python')}"):
        session.on_progress(str(text), None)
    return session.catalog.instances.get(found.id)


def forget(session: Session, instance: str) -> Instance:
    """Take a machine off the list."""
    from cloudtui_engine.fleet import commands

    found = find(session, instance)
    if found.name == LOCAL:
        raise RefusedError("This machine is always on the list.", code="local")
    commands.check_forget(found)
    live = [run for run in _live_runs(session) if found.name in run.instances]
    if live:
        raise RefusedError(
            f"{found.name} has a live run: {live[0].name}.",
            f"Stop it first: cloudtui run stop {live[0].id}",
            code="live",
        )
    if any(one.kind in LASTING for one in session.catalog.operations.open_for(found.id)):
        raise RefusedError(
            f"A port or the Jupyter of {found.name} is forwarded here.",
            "Stop it first: cloudtui instance forwards",
            code="live",
        )
    for one in session.catalog.datasets.list():
        if not one.is_here and one.instances == (found.name,):
            label = f"{one.name} v{one.version}"
            session.on_progress(
                f"{label} lies only on {found.name} and cannot be used until it is back.", None
            )
    if found.address.via:
        from cloudtui.handlers import login

        login.log_out(session.paths, found)
    session.catalog.instances.forget(found.id, time.time())
    return session.catalog.instances.get(found.id)


def find(session: Session, text: str) -> Instance:
    """The machine with this name or id; this machine is always there."""
    if text == LOCAL:
        return session.catalog.instances.ensure_local()
    try:
        return session.catalog.instances.find(text)
    except NotFoundError as error:
        raise _never_made(session, text) or error from None


def _never_made(session: Session, text: str) -> NotFoundError | None:
    """Of a machine whose launch failed of late: why it is not there."""
    for launch in reversed(session.catalog.launches.failed(time.time() - _TOLD_S)):
        instance = session.catalog.instances.get(launch.instance_id)
        if text in {instance.name, instance.id}:
            told, hint = (clean_line(str(launch.error.get(key, ""))) for key in ("message", "hint"))
            return NotFoundError(f"{clean_line(instance.name, 80)} could not be rented. {told}", hint)
    return None


def find_all(session: Session, texts: Sequence[str]) -> list[Instance]:
    """Several machines, each once."""
    found = {instance.id: instance for instance in (find(session, text) for text in texts)}
    return list(found.values())


def _free(session: Session, name: str) -> None:
    taken = name == LOCAL or any(instance.name == name for instance in session.catalog.instances.list())
    if taken:
        raise RefusedError(
            f"There is a machine called {name}.", f"Choose another name, or: cloudtui instance forget {name}",
            code="name_taken",
        )  # fmt: skip


def _live_runs(session: Session) -> list[Run]:
    return [session.catalog.runs.get(attempt.run_id) for attempt in session.catalog.runs.open_attempts()]


def _looked_at(session: Session, operation: Operation) -> Instance | Operation:
    if not session.wait:
        session.ensure_engine()
        return operation
    done = session.finish(operation)
    return session.catalog.instances.get(str(done.result.get("instance") or done.target))


def _package_index(text: str | None) -> str:
    """The address of a package index; empty for none.

    Raises:
        UsageError: it is none, or holds a password, which would be written down on the host.
    """
    if not text:
        return ""
    if not text.startswith(("https://", "http://", "file://")):
        raise UsageError(f"{text} is no address of a package index.", "It begins with https://.")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise UsageError(
            "A package index with a password in its address is not kept.",
            "Put the password into pip's configuration or .netrc, there and here.",
        )
    return text
