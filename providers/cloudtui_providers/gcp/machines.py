"""Compute Engine's instances as the contract's machines, and the contract's tags as its labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cloudtui_providers import marks
from cloudtui_providers.base import DEADLINE_TAG, OWNER_TAG, CloudState, Listing, Machine
from cloudtui_providers.errors import ProviderError
from cloudtui_providers.gcp.service import Compute, last

USER_LABEL = "cloudtui-user"
STATES = {
    "PENDING": CloudState.PENDING,
    "PROVISIONING": CloudState.PENDING,
    "STAGING": CloudState.PENDING,
    "RUNNING": CloudState.RUNNING,
    "REPAIRING": CloudState.RUNNING,
    "PENDING_STOP": CloudState.STOPPING,
    "STOPPING": CloudState.STOPPING,
    "SUSPENDING": CloudState.STOPPING,
    "STOPPED": CloudState.STOPPED,
    "SUSPENDED": CloudState.STOPPED,
    "TERMINATED": CloudState.STOPPED,
    "DEPROVISIONING": CloudState.TERMINATING,
}
"""Google calls terminated what is switched off and keeps its disk. What is deleted is not there."""
SAYS_NOTHING = {"RUNNING", "PROVISIONING", "STAGING", "PENDING", "TERMINATED", "STOPPED", "STOPPING"}
TAKEN_BACK = 'operationType = "compute.instances.preempted"'
NOTHING_THERE = "NO_RESULTS_ON_PAGE"
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)t(\d\d)-(\d\d)-(\d\d)z")


def labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags in the letters that labels have; a name that does not fit into them is left out."""
    found = {key: _as_label(key, value) for key, value in tags.items()}
    return {key: value for key, value in found.items() if _LABEL.fullmatch(value)}


def tags(found: Mapping[str, str]) -> dict[str, str]:
    """The same back."""
    return {key: _MOMENT.sub(r"\1T\2:\3:\4Z", value) if key == DEADLINE_TAG else value
            for key, value in found.items()}  # fmt: skip


def machine(instance: Mapping[str, Any]) -> Machine:
    """One instance as it is listed. Its id is where it is and what it is called: what it is asked by."""
    zone, status = last(instance["zone"]), str(instance["status"])
    found = instance.get("labels", {})
    return Machine(
        id=f"{zone}/{instance['name']}",
        state=STATES.get(status, CloudState.RUNNING),  # a new word: it is there, and so it costs
        region=region_of(zone),
        zone=zone,
        type=type_of(instance),
        spot=instance.get("scheduling", {}).get("provisioningModel") == "SPOT",
        address=_address(instance),
        user=found.get(USER_LABEL, "ubuntu"),
        created_at=_moment(instance.get("creationTimestamp", "")),
        reason="" if status in SAYS_NOTHING else status.lower(),
        tags=tags(found),
    )


def listing(compute: Compute, region: str, owner: str) -> Listing:
    """All of an owner, and those that were taken back lately. A zone that does not answer is told."""
    wanted = f'labels.{OWNER_TAG} = "{owner}"' if owner else f"labels.{OWNER_TAG}:*"
    found: list[Machine] = []
    silent: set[str] = set()
    pages = compute.pages("aggregated/instances", filter=wanted)
    page, problem = next(pages), ""
    while page is not None and not problem:
        for zone, scope in _zones(page, region, silent):
            found += [machine(one) for one in scope.get("instances", [])]
            if scope.get("warning", {}).get("code", NOTHING_THERE) != NOTHING_THERE:
                silent.add(zone)
        try:
            page = next(pages, None)
        except ProviderError as error:
            problem = error.message
    there = {one.id for one in found}
    found += [one for one in marks.of_owner(taken_back(compute, region), owner) if one.id not in there]
    problem = problem or (f"{', '.join(sorted(silent))} did not answer." if silent else "")
    return Listing(region, found, complete=not problem, problem=problem)


def taken_back(compute: Compute, region: str) -> list[Machine]:
    """Spot machines that Google ended: they are deleted, and only its journal of the last days says why."""
    try:
        pages = list(compute.pages("aggregated/operations", filter=TAKEN_BACK))
    except ProviderError:
        return []  # They are gone in any case; the reason is what is missing then.
    return [
        Machine(
            id=f"{zone}/{last(one['targetLink'])}",
            state=CloudState.TERMINATED,
            region=region,
            zone=zone,
            spot=True,
            reason="preempted",
            tags=marks.tags(last(one["targetLink"])),
        )
        for page in pages
        for zone, scope in _zones(page, region, set())
        for one in scope.get("operations", [])
    ]


def region_of(zone: str) -> str:
    """`us-central1-a` is in `us-central1`."""
    return zone.rpartition("-")[0]


def type_of(instance: Mapping[str, Any]) -> str:
    """Its type with what is attached to it, as offers call it; of a request for one as well."""
    base = last(instance["machineType"])
    for one in instance.get("guestAccelerators", []) if base.startswith("n1-") else []:
        count = int(one.get("acceleratorCount", 1))
        return f"{base}+{last(one['acceleratorType'])}" + (f"x{count}" if count > 1 else "")
    return base


def _zones(page: Mapping[str, Any], region: str, silent: set[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a list over all zones says of those of a region; `silent` gets those that it could not ask."""
    silent |= {zone for one in page.get("unreachables", []) if region_of(zone := last(one)) == region}
    for scope, found in page.get("items", {}).items():
        if region_of(last(scope)) == region:
            yield last(scope), found


def _as_label(key: str, value: str) -> str:
    return value.lower().replace(":", "-") if key == DEADLINE_TAG else value


def _address(instance: Mapping[str, Any]) -> str:
    for interface in instance.get("networkInterfaces", []):
        for access in interface.get("accessConfigs", []):
            if access.get("natIP"):
                return str(access["natIP"])
    return ""


def _moment(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
