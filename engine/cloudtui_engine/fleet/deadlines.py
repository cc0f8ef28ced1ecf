"""When machines have to end, and what a person says of it. Three see to it, none of which relies on another.

The machine's own switch (`cloudtui_host/switch_script.py`) ends it whoever lives then; its cloud does where
it has such a limit; and the engine, as long as one lives, stops it, or terminates it where it cannot be
stopped. What a person says goes into the row, and from there to the machine and the cloud by
`instance.deadline`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cloudtui_engine import accounts
from cloudtui_engine.bookkeeping import disk_gb
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.fleet import installation
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.operation import Operation

KIND = "instance.deadline"
WARN_S = 900.0
"""So long before its end a person is told; the machine's own warning comes five minutes after."""
AGAIN_S = 300.0
"""After so long a machine that should have ended and runs is ended again."""
LATE_S = 600.0
"""A machine that runs so long after its deadline is told of, once."""
AFRESH_S = 900.0
"""A machine that is started again with less left has its whole time anew."""
_ENDING = frozenset({"stopping", "stopped", "terminating"})


@dataclass(frozen=True, slots=True)
class End:
    """An end that is due: the operation that is it."""

    instance_id: str
    verb: str
    """`stop` or `terminate`."""
    key: str

    @property
    def wanted(self) -> str:
        """What is wanted of the machine from then on."""
        return "stopped" if self.verb == "stop" else "terminated"


# -- pure


def is_held(instance: Instance) -> bool:
    """It is rented, runs as far as is known, and has an end."""
    return bool(
        instance.deadline_at is not None
        and instance.cloud_id
        and instance.wanted == "running"
        and not instance.is_gone
        and instance.cloud_state not in _ENDING
    )


def ends(instances: Sequence[Instance], now: float, can_stop: Callable[[Instance], bool]) -> Iterator[End]:
    """The machines whose time is used up. One that runs on is ended again, every five minutes.

    Also one that is to be stopped: whatever its stop came to, it runs.
    """
    for one in instances:
        if one.deadline_at is None or now < one.deadline_at:
            continue
        again = int((now - one.deadline_at) // AGAIN_S)
        runs_on = again and one.wanted == "stopped"
        if not is_held(replace(one, wanted="running") if runs_on else one):
            continue
        key = f"deadline:{one.id}:{int(one.deadline_at)}" + (f":{again}" if again else "")
        yield End(one.id, "stop" if can_stop(one) else "terminate", key)


def warned(instances: Sequence[Instance], now: float) -> list[Instance]:
    """The machines that end soon."""
    return [
        one
        for one in instances
        if is_held(one) and one.deadline_at is not None and one.deadline_at - WARN_S <= now < one.deadline_at
    ]


def late(instances: Sequence[Instance], now: float) -> list[Instance]:
    """The machines that should be gone long ago."""
    return [
        one
        for one in instances
        if one.deadline_at is not None
        and one.cloud_id
        and not one.is_gone
        and one.cloud_state != "stopped"
        and now - one.deadline_at >= LATE_S
    ]


def to_tell(
    instances: Sequence[Instance], now: float, work: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """(instance, key) of the machines that are to be told of their end: once, and at each new link.

    At a new link because a restart, a person on the machine or a newer version of what we ship there may have
    changed what it knows.

    Args:
        instances: all.
        now: the moment.
        work: by machine, what tells one state of the work there from others, where its idle limit depends on
            that: it is told at each change.
    """
    for one in instances:
        if one.is_gone or one.wanted != "running" or (one.is_rented and one.cloud_state != "running"):
            continue
        if one.deadline_at is not None and one.deadline_at <= now:
            continue
        value = "never" if one.deadline_at is None else str(int(one.deadline_at))
        if (one.launch_id or one.deadline_at is not None) and one.address.host:
            yield one.id, f"{KIND}:{one.id}:{value}"
            if work and one.id in work:
                yield one.id, f"{KIND}:{one.id}:{value}:{work[one.id]}"
            if one.link_state is LinkState.UP and one.link_since is not None:
                yield one.id, f"{KIND}:{one.id}:{value}:{one.link_since:.3f}"


def after_start(instance: Instance, lifetime_s: float, now: float) -> float | None:
    """The deadline of a machine that is started now: what it was, or its whole time anew."""
    if instance.deadline_at is None or instance.deadline_at - now >= AFRESH_S:
        return instance.deadline_at
    return now + (lifetime_s or AFRESH_S)


# -- over the catalog


def extend(
    catalog: Catalog, instance: Instance, until: float | None, *, now: float | None = None
) -> Operation:
    """Have a machine end at another time, later or earlier; the machine and its cloud are told.

    On a machine that was not launched by cloudtui this arms a switch that was not there: only a person may
    ask.

    Args:
        catalog: the catalog.
        instance: the machine.
        until: Unix seconds; None: it has no end of its own any more.
        now: the moment.

    Raises:
        UsageError: it lies in the past.
        RefusedError: the machine is gone, to be stopped, or is this one; a budget forbids to let it run so
            long; or this home is a copy.
    """
    now = time.time() if now is None else now
    if until is not None and until <= now:
        raise UsageError("A deadline cannot lie in the past.", "To end it now: cloudtui instance stop.")
    if instance.provider == "local":
        raise RefusedError("This machine is not ended by cloudtui.", code="local")
    if installation.is_copy(catalog, catalog.paths):
        raise installation.copied(catalog, catalog.paths)
    with catalog.write("instance", "operation", durable=True):
        current = catalog.instances.get(instance.id)
        if current.is_gone or current.wanted == "terminated" or current.forgotten_at is not None:
            raise RefusedError(f"{current.name} is gone, or about to be.", "Launch another.", code="gone")
        if current.wanted != "running":
            # It stops all the same: more time that is said to be given would not be.
            raise RefusedError(
                f"{current.name} is stopped, or about to be.",
                f"Start it, then say when it ends: cloudtui instance start {current.name}",
                code="stopped",
            )
        if current.is_rented:
            require_budget(catalog, current, until, now)
        catalog.instances.update(current.id, deadline_at=until)
        value = "never" if until is None else str(int(until))
        key = f"{KIND}:{current.id}:{value}"
        if catalog.operations.has_key(key):
            key += f":{new_id()}"
        return catalog.operations.submit(KIND, current.id, {"asked": True}, key)


def require_budget(
    catalog: Catalog, instance: Instance, until: float | None, now: float, *, starts: bool = False
) -> None:
    """A longer life costs more, and is asked for like a launch. Call it in the transaction that grants it.

    Args:
        catalog: the catalog.
        instance: the machine.
        until: its new end; None: none.
        now: the moment.
        starts: it was stopped: while it was, others were promised what it would have cost.

    Raises:
        RefusedError: a budget forbids it.
    """
    before = instance.deadline_at
    if not starts and (before is None or (until is not None and until <= before)):
        return
    lifetime_s = 0.0 if until is None else until - now
    disk = disk_gb(catalog, instance)
    asked = accounts.Ordered(instance.name, instance.price_usd_per_hour, lifetime_s, instance.provider, disk)
    # What it was promised before does not count beside what it is to be promised now.
    accounts.require(catalog, [asked], now, renewed=instance.id)
