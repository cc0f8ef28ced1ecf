"""Stop, start, terminate: told to the cloud as often as it takes, and done when the cloud says so.

All three may be begun again at any time, for each is told to the cloud in a way that may be repeated. What a
machine is now is never concluded from what was asked: `cloud_state` is what the cloud listed, and
reconciling writes it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, FailedError
from cloudtui_engine.fleet import installation, results
from cloudtui_engine.fleet.means import PASSING, Interrupted, Means, Question, as_row, ours, patience
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, LaunchState
from cloudtui_providers.base import CloudState, Provider
from cloudtui_providers.errors import MachineGone, ProviderError

log = logging.getLogger(__name__)

POLL_S = 0.25
ASK_AGAIN_S = 120.0
"""A machine that is as it was after so long is told once more."""
_ON_ITS_WAY = frozenset({CloudState.TERMINATING, CloudState.TERMINATED})
_WHOLE = frozenset({LaunchState.READY, LaunchState.CANCELLED})
"""A group is whole once each is there, or was taken back by somebody who does not want it."""
_KEPT = "What it was asked for together with could not be had; it stays, for results lie there alone."
_TOGETHER = "What it was asked for together with could not be had."

Call = Callable[[Provider, Instance], None]


def terminate(means: Means, instance_id: str) -> Mapping[str, Any]:
    """End a machine; done when the cloud has said that it is gone, or lists it no more."""
    return _Change(
        means, instance_id, "terminated", lambda cloud, one: cloud.terminate(one.region, one.cloud_id)
    ).run()


def stop(means: Means, instance_id: str) -> Mapping[str, Any]:
    """Stop a machine; its disk stays."""
    return _Change(
        means, instance_id, "stopped", lambda cloud, one: cloud.stop(one.region, one.cloud_id)
    ).run()


def start(means: Means, instance_id: str) -> Mapping[str, Any]:
    """Start a stopped machine; done when it runs and has an address."""
    return _Change(
        means, instance_id, "running", lambda cloud, one: cloud.start(one.region, one.cloud_id)
    ).run()


class _Change:
    """One machine on its way to what is wanted of it."""

    def __init__(self, means: Means, instance_id: str, wanted: str, call: Call) -> None:
        self._means = means
        self._id = instance_id
        self._wanted = wanted
        self._call = call
        self._tries = 0

    def run(self) -> Mapping[str, Any]:
        if installation.is_copy(self._means.catalog, self._means.paths):
            raise Question(installation.question(self._means.catalog, self._means.paths))
        told_at: float | None = None
        while True:
            if self._means.closing.is_set():
                raise Interrupted
            instance = self._means.catalog.instances.get(self._id)
            now = self._means.clock.now()
            if instance.wanted != self._wanted:
                return self._result(instance, withdrawn=True)
            if self._is_coming(instance):
                self._means.wait(POLL_S)
            elif self._is_there(instance) and (told_at is not None or self._wanted != "stopped"):
                # Of a stop the cloud must have said yes once: some take their own limit back only then.
                return self._result(instance)
            elif told_at is None or (now - told_at > ASK_AGAIN_S and not self._is_on_its_way(instance)):
                self._check(instance)
                told_at = now if self._tell(instance) else None
            else:
                self._means.say_state(instance)
                self._means.wait(POLL_S)

    def _is_coming(self, instance: Instance) -> bool:
        """Its launch is not over, and takes itself back: what it has made is known when it is."""
        if self._wanted != "terminated" or not instance.launch_id:
            return False
        return self._means.catalog.launches.get(instance.launch_id).ended_at is None

    def _check(self, instance: Instance) -> None:
        """What is gone is not stopped or started; what has vanished may be there, and can be ended."""
        if self._wanted != "terminated" and instance.is_gone:
            raise FailedError(
                f"{instance.name} is {instance.cloud_state}: {instance.cloud_reason or 'no reason given'}.",
                "Launch another.",
                code="gone",
            )

    def _is_there(self, instance: Instance) -> bool:
        if self._wanted == "terminated":
            # Without an id nothing was ever rented: its launch has looked for what may have been.
            return instance.cloud_state == CloudState.TERMINATED or not instance.cloud_id
        if self._wanted == "stopped":
            return instance.cloud_state == CloudState.STOPPED
        return instance.cloud_state == CloudState.RUNNING and bool(instance.address.host)

    def _is_on_its_way(self, instance: Instance) -> bool:
        if self._wanted == "terminated":
            return instance.cloud_state in _ON_ITS_WAY
        return instance.cloud_state in {CloudState.PENDING, CloudState.STOPPING}

    def _tell(self, instance: Instance) -> bool:
        """Tell the cloud; False after a wait, where it has to be told again."""
        try:
            cloud = self._means.cloud(instance.provider)
        except CloudtuiError:
            self._back(instance)
            raise
        self._means.say(f"Telling the cloud: {self._wanted}")
        try:
            self._call(cloud, instance)
        except MachineGone:
            self._gone(instance)
        except PASSING as error:
            # Lost answers, too: all three may be said twice.
            self._tries += 1
            self._means.say(f"Waiting: {as_row(error)['message']}")
            self._means.wait(patience(self._tries, error))
            return False
        except ProviderError as error:
            self._back(instance)
            raise ours(error) from error
        else:
            self._heard(instance)
        return True

    def _heard(self, instance: Instance) -> None:
        """The cloud has accepted an end: from then on two listings without the machine will do."""
        if self._wanted != "terminated":
            return
        with self._means.catalog.write("instance", durable=True):
            if self._means.catalog.instances.get(instance.id).cloud_state != CloudState.TERMINATED:
                self._means.catalog.instances.update(instance.id, cloud_state=str(CloudState.TERMINATING))

    def _gone(self, instance: Instance) -> None:
        """The cloud knows no such machine: that is its word."""
        self._means.catalog.instances.update(
            instance.id, cloud_state=str(CloudState.TERMINATED), cloud_seen_at=self._means.clock.now()
        )

    def _back(self, instance: Instance) -> None:
        """A stop or start that was refused is not wanted any more; an end stays wanted."""
        with self._means.catalog.write("instance", durable=True):
            now = self._means.catalog.instances.get(instance.id)
            if self._wanted != "terminated" and now.wanted == self._wanted:
                before = "stopped" if self._wanted == "running" else "running"
                self._means.catalog.instances.update(instance.id, wanted=before)

    def _result(self, instance: Instance, *, withdrawn: bool = False) -> Mapping[str, Any]:
        return {"instance": instance.id, "state": instance.cloud_state, "withdrawn": withdrawn}


def end_group(catalog: Catalog, failed: Launch) -> int:
    """All or nothing: what was asked for together with a failed launch is taken back; returns how many.

    A group that was whole once keeps its others: only what was lost is replaced. To be called in the
    transaction in which the launch fails.
    """
    group = catalog.launches.group(failed.group_id)
    if failed.group_id == failed.id and len(group) == 1:
        return 0
    first = [one for one in group if one.created_at == min(each.created_at for each in group)]
    if all(one.state in _WHOLE for one in first):
        return 0
    ended = 0
    for launch in group:
        instance = catalog.instances.get(launch.instance_id)
        if launch.id == failed.id or instance.wanted == "terminated":
            continue
        if results.at_stake(catalog, instance.id):
            catalog.events.add(instance.id, "warning", "group_incomplete", _KEPT)
            continue
        catalog.instances.update(instance.id, wanted="terminated")
        catalog.events.add(instance.id, "warning", "group_ended", _TOGETHER)
        catalog.operations.submit(
            "instance.terminate", instance.id, {}, f"instance.terminate:{instance.id}:group"
        )
        ended += 1
    return ended


def end_quietly(means: Means, provider: str, region: str, machine: str) -> bool:
    """End a machine that no row is for; False where that failed, which reconciling sees again."""
    try:
        means.cloud(provider).terminate(region, machine)
    except MachineGone:
        return True
    except ProviderError as error:
        log.warning("%s: %s is not ended: %s", provider, machine, ours(error).message)
        return False
    return True
