"""When an action makes sense: pure predicates over records, by the name that `Action.when` holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudtui_engine.records.instance import LOCAL, Instance
from cloudtui_engine.records.run import Run, RunState


def run_live(run: Run) -> bool:
    """It is not over yet."""
    return not run.status.is_finished


def run_finished(run: Run) -> bool:
    """It is over."""
    return run.status.is_finished


def run_kept(run: Run) -> bool:
    """It is not in the trash."""
    return run.deleted_at is None


def run_deleted(run: Run) -> bool:
    """It is in the trash."""
    return run.deleted_at is not None


def run_stoppable(run: Run) -> bool:
    """There is something left to stop, and nobody has asked for it yet."""
    return run_live(run) and run.status is not RunState.STOPPING


def run_resumable(run: Run) -> bool:
    """It ended before its end, and may go on."""
    return run_kept(run) and run_finished(run) and run.status is not RunState.SUCCEEDED


def run_deletable(run: Run) -> bool:
    """It is over and not yet in the trash."""
    return run_finished(run) and run_kept(run)


def instance_known(instance: Instance) -> bool:
    """It is on the list."""
    return instance.forgotten_at is None


def instance_forgettable(instance: Instance) -> bool:
    """It is on the list, not this machine, and none that costs money: nobody would watch it then."""
    return is_not_here(instance) and (instance.is_gone or not instance.is_rented)


def is_not_here(instance: Instance) -> bool:
    """It is on the list, and it is not this machine."""
    return instance_known(instance) and instance.name != LOCAL


def instance_reachable(instance: Instance) -> bool:
    """There is a way to it: it is this machine, or has an address."""
    return instance_known(instance) and (instance.name == LOCAL or bool(instance.address.host))


def instance_loginable(instance: Instance) -> bool:
    """Their own ssh reaches it, and may have to log in."""
    return instance_known(instance) and instance.address.via == "ssh"


def instance_elsewhere(instance: Instance) -> bool:
    """There is a way to it, and it is not this machine."""
    return instance_reachable(instance) and instance.name != LOCAL


def instance_startable(instance: Instance) -> bool:
    """It is rented, and stopped."""
    return _is_there(instance) and instance.cloud_state == "stopped" and instance.wanted != "terminated"


def instance_stoppable(instance: Instance) -> bool:
    """It is rented and runs, or is about to, and nobody has asked it to stop."""
    resting = instance.cloud_state in {"stopping", "stopped", "terminating"}
    return _is_there(instance) and bool(instance.cloud_id) and instance.wanted == "running" and not resting


def instance_endable(instance: Instance) -> bool:
    """It is rented, or asked for, and nobody has asked for its end."""
    return _is_there(instance) and instance.wanted != "terminated"


def instance_lost(instance: Instance) -> bool:
    """Its cloud took it away, and nobody has asked for that."""
    wished = instance.wanted == "running" and bool(instance.launch_id)
    return instance_known(instance) and instance.is_gone and wished


def instance_mortal(instance: Instance) -> bool:
    """It can be given an end, and is not on its way to one."""
    return is_not_here(instance) and not instance.is_gone and instance.wanted == "running"


def _is_there(instance: Instance) -> bool:
    return instance_known(instance) and instance.is_rented and not instance.is_gone


PREDICATES: Mapping[str, Callable[[Any], bool]] = {
    "run.live": run_live,
    "run.finished": run_finished,
    "run.kept": run_kept,
    "run.deleted": run_deleted,
    "run.stoppable": run_stoppable,
    "run.resumable": run_resumable,
    "run.deletable": run_deletable,
    "instance.known": instance_known,
    "instance.forgettable": instance_forgettable,
    "instance.reachable": instance_reachable,
    "instance.elsewhere": instance_elsewhere,
    "instance.loginable": instance_loginable,
    "instance.startable": instance_startable,
    "instance.stoppable": instance_stoppable,
    "instance.endable": instance_endable,
    "instance.lost": instance_lost,
    "instance.mortal": instance_mortal,
}


def holds(name: str, record: object) -> bool:
    """True where the predicate of this name holds for the record, and for the empty name."""
    return not name or PREDICATES[name](record)
