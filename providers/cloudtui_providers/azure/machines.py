"""Azure's virtual machines as the contract's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudtui_providers.azure.service import COMPUTE, NETWORK, Resources
from cloudtui_providers.base import CloudState, Listing, Machine
from cloudtui_providers.errors import MachineGone, ProviderError
from cloudtui_providers.marks import of_owner

VMS = "Microsoft.Compute/virtualMachines"
ADDRESSES = "Microsoft.Network/publicIPAddresses"
POWER = "PowerState/"
FAILED = "ProvisioningState/failed/"
STATES = {
    "starting": CloudState.PENDING,
    "running": CloudState.RUNNING,
    "stopping": CloudState.RUNNING,
    "stopped": CloudState.RUNNING,
    "deallocating": CloudState.STOPPING,
    "deallocated": CloudState.STOPPED,
}
"""Stopped from within it is paid for as if it ran: that is no stop, and its reason says what it is."""
BY_MAKING = {"Deleting": CloudState.TERMINATING, "Creating": CloudState.PENDING, "Failed": CloudState.STOPPED}
SAYS_NOTHING = {"", "running", "starting", "deallocating", "deallocated"}


def machine(vm: Mapping[str, Any], statuses: list[Mapping[str, Any]], address: str, user: str) -> Machine:
    """One machine, its statuses told apart from it."""
    properties = vm["properties"]
    codes = [str(one.get("code", "")) for one in statuses]
    power = next((code.removeprefix(POWER) for code in codes if code.startswith(POWER)), "")
    making = str(properties.get("provisioningState", ""))
    state = BY_MAKING["Deleting"] if making == "Deleting" else STATES.get(power)
    return Machine(
        id=vm["name"],
        state=state or BY_MAKING.get(making, CloudState.RUNNING),  # a new word: it is there, and so it costs
        region=vm["location"],
        zone=next(iter(vm.get("zones", [])), ""),
        type=properties.get("hardwareProfile", {}).get("vmSize", ""),
        spot=properties.get("priority") == "Spot",
        address=address,
        user=properties.get("osProfile", {}).get("adminUsername", user),
        created_at=_moment(properties.get("timeCreated", "")),
        reason=_reason(power, codes),
        tags=vm.get("tags", {}),
    )


def listing(resources: Resources, region: str, owner: str, user: str) -> Listing:
    """All of an owner in our group; their states are a list of their own, and their addresses a third.

    Which there are is asked of the group: who may not look into it is refused. A list of the subscription
    leaves out, without a word, what the caller may not see; there is no other of the states, and of one that
    is in none it is said that it runs.
    """
    path = resources.path(f"/providers/{VMS}")
    states = {_key(one["id"]): _statuses(one) for one in resources.items(path, COMPUTE, statusOnly="true")}
    addresses = _addresses(resources)
    found: list[Machine] = []
    vms, problem = resources.items(resources.ours(VMS), COMPUTE), ""
    first = True
    while True:
        try:
            vm = next(vms, None)
        except ProviderError as error:
            if first and isinstance(error, MachineGone):
                break  # there is no such group
            if first:
                raise
            problem = error.message
            break
        if vm is None:
            break
        first = False
        if vm["location"] == region:
            found.append(machine(vm, states.get(_key(vm["id"]), []), _address(vm, addresses), user))
    return Listing(region, of_owner(found, owner), complete=not problem, problem=problem)


def one(resources: Resources, name: str, user: str) -> Machine:
    """One as it is now.

    Raises:
        MachineGone: there is none.
    """
    vm = asked(resources, name)
    return machine(vm, _statuses(vm), _address(vm, _addresses(resources)), user)


def asked(resources: Resources, name: str) -> dict[str, Any]:
    """The same in Azure's words, its statuses with it."""
    path = resources.ours(f"{VMS}/{name}")
    found: dict[str, Any] = resources.ask(path, COMPUTE, **{"$expand": "instanceView"})
    return found


def failure(vm: Mapping[str, Any]) -> tuple[str, str]:
    """Code and words of why it could not be made."""
    for status in _statuses(vm):
        code = str(status.get("code", ""))
        if code.startswith(FAILED):
            return code.removeprefix(FAILED), str(status.get("message", ""))
    return "", ""


def _statuses(vm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(vm.get("properties", {}).get("instanceView", {}).get("statuses", []))


def _addresses(resources: Resources) -> dict[str, str]:
    """By the network interface that has it."""
    try:
        found = list(resources.items(resources.ours(ADDRESSES), NETWORK))
    except MachineGone:  # without our group there are no addresses either
        return {}
    told = [one["properties"] for one in found]
    return {
        _key(one["ipConfiguration"]["id"]).partition("/ipconfigurations/")[0]: str(one["ipAddress"])
        for one in told
        if one.get("ipConfiguration") and one.get("ipAddress")
    }


def _address(vm: Mapping[str, Any], addresses: Mapping[str, str]) -> str:
    interfaces = vm["properties"].get("networkProfile", {}).get("networkInterfaces", [])
    return next((addresses[_key(one["id"])] for one in interfaces if _key(one["id"]) in addresses), "")


def _reason(power: str, codes: list[str]) -> str:
    failed = next((code.removeprefix(FAILED) for code in codes if code.startswith(FAILED)), "")
    return "" if power in SAYS_NOTHING and not failed else failed or power


def _key(resource: str) -> str:
    """Azure writes the same id in capitals here and small there."""
    return resource.lower()


def _moment(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
