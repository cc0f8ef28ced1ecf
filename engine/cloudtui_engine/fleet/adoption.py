"""A machine becomes a row's: the one place where that is written."""

from __future__ import annotations

from dataclasses import replace

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import reconcile
from cloudtui_engine.records.launch import AttemptState, LaunchAttempt, LaunchState
from cloudtui_providers.base import Machine

_FROM = (AttemptState.PLANNED, AttemptState.SENT, AttemptState.UNRESOLVED, AttemptState.ABSENT)


def adopt(catalog: Catalog, attempt: LaunchAttempt, machine: Machine, now: float) -> bool:
    """Make the machine that of the launch's instance.

    Returns:
        False, with nothing written, where the launch is over or has another machine.
    """
    with catalog.write("instance", durable=True):
        launch = catalog.launches.get(attempt.launch_id)
        instance = catalog.instances.get(launch.instance_id)
        if instance.cloud_id or launch.state is not LaunchState.OPEN:
            return False
        if catalog.launches.attempts(launch.id)[-1].number != attempt.number:
            return False  # a late one behind a newer request: its machine is ended at a look
        if not catalog.launches.move_attempt(
            launch.id, attempt.number, AttemptState.ADOPTED, expected=_FROM, machine_id=machine.id,
            error={}, resolved_at=now,
        ):  # fmt: skip
            return False
        row = replace(
            instance, region=attempt.region, zone=attempt.zone, machine_type=attempt.type, spot=attempt.spot
        )
        catalog.instances.update(
            instance.id,
            cloud_id=machine.id,
            region=attempt.region,
            price_usd_per_hour=attempt.price,
            **reconcile.seen(row, machine, now),
        )
        catalog.launches.move(launch.id, LaunchState.ADOPTED, expected=(LaunchState.OPEN,))
    return True


def give_back(catalog: Catalog, attempt: LaunchAttempt, error: dict[str, str], now: float) -> bool:
    """A machine that the cloud ended before it ever ran: its request counts as refused, the launch goes on.

    Returns:
        False, with nothing written, where it is not the launch's machine any more.
    """
    with catalog.write("instance", durable=True):
        launch = catalog.launches.get(attempt.launch_id)
        if not catalog.launches.move_attempt(
            launch.id, attempt.number, AttemptState.REFUSED, expected=(AttemptState.ADOPTED,), error=error,
            resolved_at=now,
        ):  # fmt: skip
            return False
        catalog.launches.move(launch.id, LaunchState.OPEN, expected=(LaunchState.ADOPTED,))
        catalog.instances.update(
            launch.instance_id, cloud_id="", cloud_state=None, cloud_reason="", missing_since=None
        )
    return True
