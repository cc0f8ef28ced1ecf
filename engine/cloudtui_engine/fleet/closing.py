"""How a launch ends: reached, taken back or failed; and what leaves the lists with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import ending, news, trust
from cloudtui_engine.fleet.means import Means
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchState

_GOING_ON = (LaunchState.OPEN, LaunchState.ADOPTED)


def over(means: Means, launch: Launch, state: LaunchState) -> None:
    """READY, or taken back."""
    now = means.clock.now()
    with means.catalog.write("instance", durable=True):
        _drop_planned(means.catalog, launch, now)
        if means.catalog.launches.move(launch.id, state, expected=_GOING_ON, ended_at=now):
            _close(means.catalog, launch, now)


def fail(means: Means, launch: Launch, error: Mapping[str, Any]) -> None:
    """No machine: the launch has failed, and with it all that was asked for together with it."""
    now = means.clock.now()
    with means.catalog.write("instance", "operation", durable=True):
        _drop_planned(means.catalog, launch, now)
        if means.catalog.launches.move(
            launch.id, LaunchState.FAILED, expected=_GOING_ON, error=error, ended_at=now
        ):
            news.launch_failed(
                means.catalog, launch, means.catalog.instances.get(launch.instance_id).name, error
            )
            _close(means.catalog, launch, now)
            ending.end_group(means.catalog, launch)


def _drop_planned(catalog: Catalog, launch: Launch, now: float) -> None:
    """What was never sent will not be."""
    for attempt in catalog.launches.attempts(launch.id):
        if attempt.state is AttemptState.PLANNED:
            catalog.launches.move_attempt(
                launch.id, attempt.number, AttemptState.ABSENT, expected=(AttemptState.PLANNED,),
                resolved_at=now, error=attempt.error or {"code": "withdrawn"},
            )  # fmt: skip


def _close(catalog: Catalog, launch: Launch, now: float) -> None:
    """Nothing is sent any more: secrets in requests go, and what was never rented leaves the lists."""
    trust.wipe(catalog, launch.id)
    if not catalog.instances.get(launch.instance_id).cloud_id:
        catalog.instances.forget(launch.instance_id, now)
