"""Azure on loopback: its machines are rows of a dictionary, its API is `azure_api`."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from tests.support.clouds.azure_api import EVENTS_OF, operations
from tests.support.clouds.azure_rows import (
    MOVES,
    NOT_FOUND,
    PUBLIC_KEY,
    REGION,
    ROOT,
    SIZES,
    SUBSCRIPTION,
    TOKEN,
    Credential,
    error,
    event_row,
    interface_of,
)  # fmt: skip
from tests.support.clouds.faults import ALL_TAGS, Fault
from tests.support.clouds.http_fake import HttpFake, Reply

from cloudtui_providers.azure import Azure
from cloudtui_providers.azure.access import Access
from cloudtui_providers.azure.settings import Settings
from cloudtui_providers.base import Order, Provider


class FakeAzure(HttpFake):
    """As `FakeCloud` has it."""

    operations = operations()
    answers: ClassVar[dict[str, Reply]] = {
        Fault.QUOTA: error(409, "OperationNotAllowed", "Operation could not be completed as it results in "
                           "exceeding approved Total Regional Cores quota."),
        Fault.AUTH: error(401, "InvalidAuthenticationToken", "The access token {key} is invalid."),
        Fault.PERMISSION: error(
            403, "AuthorizationFailed", "The client 'us' does not have authorization to perform action "
            "'Microsoft.Compute/virtualMachines/write' over scope '/subscriptions/1'."),
        Fault.INVALID: error(400, "InvalidParameter", "The value of parameter {key} is invalid."),
        Fault.THROTTLE: error(429, "TooManyRequests", "The request is being throttled."),
        Fault.BROKEN: error(500, "InternalServerError", "An internal error."),
    }  # fmt: skip
    headers: ClassVar[dict[int, dict[str, str]]] = {429: {"Retry-After": "3"}}
    secrets = (TOKEN,)
    faults = (*answers, Fault.CAPACITY, Fault.UNREACHABLE, Fault.LOSE_ANSWER, Fault.INCOMPLETE, Fault.LATE)
    carries = ALL_TAGS
    absent = "cloudtui-that-never-was"
    usual = Order("claunch1", 1, "box-1", "c0ffee", "Standard_NC4as_T4_v3", REGION, "1",
                  public_key=PUBLIC_KEY, ssh_from=("198.51.100.7/32",))  # fmt: skip
    environment: ClassVar[dict[str, str]] = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.rows: dict[str, dict[str, Any]] = {}
        self.power: dict[str, str] = {}
        self.marks: dict[str, list[dict[str, str]]] = {}
        self.hidden: set[str] = set()
        self.made: dict[str, dict[str, Any]] = {}
        self.grants: list[dict[str, Any]] = [
            {"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}
        ]
        self.registration = "Registered"
        self.evicted: list[dict[str, Any]] = []
        self.breaks_off = False
        self.narrow = False
        """The caller's role has no rights on our group."""
        self.no_group = False
        self.restrictions: list[dict[str, Any]] = []
        self.provider = reached(self.endpoint)

    def heal(self) -> None:
        super().heal()
        self.breaks_off = False

    def count(self) -> int:
        """What is only switched off costs as before."""
        return sum(one not in {"deallocated", "deallocating", "deleting"} for one in self.power.values())

    def launches(self) -> int:
        return self.calls["launch"]

    def settle(self) -> None:
        self.hidden.clear()
        for name, power in list(self.power.items()):
            if power == "deleting":
                self.forget(name)
                continue
            if self.rows[name]["properties"]["provisioningState"] == "Failed":
                continue
            self.power[name] = MOVES.get(power, power)
            self.rows[name]["properties"]["provisioningState"] = "Succeeded"

    def stranger(self) -> None:
        for tags in ({}, {"team": "other"}):
            body = {"location": REGION, "tags": tags, "properties": {"hardwareProfile": {}}}
            self._new(f"other-{len(self.rows)}", body)

    def forget(self, machine: str) -> None:
        for books in (self.rows, self.power, self.marks):
            books.pop(machine, None)

    def take_back(self, machine: str) -> None:
        """It is gone from all lists; the activity log knows."""
        self.evicted.append(event_row(machine, "evictSpotVM/action"))
        self.forget(machine)

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return self.marks[machine]

    def _launch(self, group: str, name: str, *, body: dict[str, Any], fault: str, **_: Any) -> Reply:
        interface = body["properties"]["networkProfile"]["networkInterfaceConfigurations"][0]["properties"]
        rules = interface["networkSecurityGroup"]["id"]
        subnet = interface["ipConfigurations"][0]["properties"]["subnet"]["id"]
        if not {rules, subnet.rpartition("/subnets/")[0]} <= set(self.made):
            return error(400, "InvalidResourceReference", "What the interface refers to was not found.")
        if name in self.rows:
            return error(
                409, "PropertyChangeNotAllowed", "Changing property 'networkProfile' is not allowed."
            )
        self._new(name, body)
        if fault == Fault.CAPACITY:
            failed = {"code": "ProvisioningState/failed/AllocationFailed", "message": "Allocation failed."}
            self.rows[name]["properties"] |= {
                "provisioningState": "Failed", "instanceView": {"statuses": [failed]},
            }  # fmt: skip
        if fault == Fault.LATE:
            self.hidden.add(name)
        return 201, self._shown(name)

    def _find(self, group: str, name: str, **_: Any) -> Reply:
        if name not in self.rows or (name in self.hidden and self.calls["find"] > 1):
            return NOT_FOUND
        return 200, self._shown(name, view=True)

    def _everywhere(self, subscription: str, *, query: dict[str, str], **_: Any) -> Reply:
        """Of a subscription only what the caller may see is listed, and nothing says so."""
        shown = [] if self.narrow else [self._shown(name, view=True) for name in self._listed()]
        if "statusOnly" not in query:
            return 200, {"value": shown}
        return 200, {
            "value": [
                {key: one[key] for key in ("id", "name", "location")}
                | {"properties": {"instanceView": one["properties"].get("instanceView", {"statuses": []})}}
                for one in shown
            ]
        }

    def _listed(self) -> list[str]:
        return [name for name in self.rows if name not in self.hidden]

    def _machines(self, group: str, *, query: dict[str, str], fault: str, **_: Any) -> Reply:
        if self.narrow:
            return self.answers[Fault.PERMISSION]
        if self.no_group:
            return error(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        where = f"/resourcegroups/{group}/".lower()
        shown = [name for name in self._listed() if where in self._shown(name)["id"].lower()]
        self.breaks_off |= fault == Fault.INCOMPLETE
        if query.get("page") == "2" and self.breaks_off:
            return error(503, "ServerBusy", "Try again.")
        half = max(1, len(shown) // 2)
        page = shown[half:] if "page" in query else shown[:half]
        answer: dict[str, Any] = {"value": [self._shown(name) for name in page]}
        if "page" not in query and len(shown) > half:
            path = f"{ROOT}/Microsoft.Compute/virtualMachines"
            answer["nextLink"] = f"https://elsewhere.example{path}?api-version=2026-04-01&page=2"
        return 200, answer

    def _set_tags(self, group: str, name: str, *, body: dict[str, Any], **_: Any) -> Reply:
        self.rows[name]["tags"] = body["tags"]
        return 200, self._shown(name)

    def _terminate(self, group: str, name: str, **_: Any) -> Reply:
        if name not in self.rows:
            return 204, None
        if self.rows[name]["properties"]["provisioningState"] == "Failed":
            self.forget(name)
        else:
            self.power[name] = "deleting"
            self.rows[name]["properties"]["provisioningState"] = "Deleting"
        return 202, None

    def _stop(self, group: str, name: str, **_: Any) -> Reply:
        return self._turned(name, "deallocating", "deallocated")

    def _start(self, group: str, name: str, **_: Any) -> Reply:
        return self._turned(name, "starting", "running")

    def _sizes(self, subscription: str, *, query: dict[str, str], **_: Any) -> Reply:
        where = {"location": REGION, "zones": ["1", "2"]}
        value = [
            {
                "resourceType": "virtualMachines",
                "name": name,
                "locationInfo": [where],
                "restrictions": self.restrictions,
                "capabilities": [
                    {"name": "vCPUs", "value": str(cpus)},
                    {"name": "MemoryGB", "value": str(memory)},
                    {"name": "LowPriorityCapable", "value": "True" if gpus < 8 else "False"},
                    *([{"name": "GPUs", "value": str(gpus)}] if gpus else []),
                ],
            }
            for name, (cpus, memory, gpus) in SIZES.items()
        ]
        disk = {"resourceType": "disks", "name": "Premium_LRS", "locationInfo": [where]}
        there = query.get("$filter", f"'{REGION}'").endswith(f"'{REGION}'")
        return 200, {"value": [*value, disk] if there else []}

    def _versions(self, _subscription: str, location: str, publisher: str, *_: str, **__: Any) -> Reply:
        return 200, [{"name": "22.04.2026110100"}] if publisher in {"microsoft-dsvm", "canonical"} else []

    def _addresses(self, group: str, **_: Any) -> Reply:
        return 200, {
            "value": [
                {
                    "properties": {
                        "ipAddress": self.address,
                        "ipConfiguration": {"id": f"{interface_of(name).upper()}/ipConfigurations/main"},
                    }
                }
                for name in self.rows
            ]
        }

    def _put_rules(self, group: str, name: str, *, body: dict[str, Any], **_: Any) -> Reply:
        self.made[f"{ROOT}/Microsoft.Network/networkSecurityGroups/{name}"] = body
        return 200, body

    def _network(self, group: str, name: str, **_: Any) -> Reply:
        found = self.made.get(f"{ROOT}/Microsoft.Network/virtualNetworks/{name}")
        return (200, found) if found else NOT_FOUND

    def _put_network(self, group: str, name: str, *, body: dict[str, Any], **_: Any) -> Reply:
        if "group" not in self.made:
            return error(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        self.made[f"{ROOT}/Microsoft.Network/virtualNetworks/{name}"] = body
        return 201, body

    def _group(self, subscription: str, name: str, **_: Any) -> Reply:
        return (
            (200, self.made["group"])
            if "group" in self.made
            else error(404, "ResourceGroupNotFound", "None.")
        )

    def _put_group(self, subscription: str, name: str, *, body: dict[str, Any], **_: Any) -> Reply:
        self.made["group"] = body
        return 201, body

    def _events(self, subscription: str, *, query: dict[str, str], **_: Any) -> Reply:
        asked = re.fullmatch(EVENTS_OF, query["$filter"])
        whose = asked[1].lower() if asked else ""
        return 200, {"value": [one for one in self.evicted if one["resourceId"].lower() == whose]}

    def _regions(self, subscription: str, **_: Any) -> Reply:
        names = {REGION: "Physical", "westeurope": "Physical", "europe": "Logical"}
        return 200, {
            "value": [{"name": name, "metadata": {"regionType": kind}} for name, kind in names.items()]
        }

    def _subscription(self, subscription: str, **_: Any) -> Reply:
        known = subscription == SUBSCRIPTION
        return (200, {"displayName": "Ours"}) if known else error(404, "SubscriptionNotFound", "It is none.")

    def _registered(self, subscription: str, namespace: str, **_: Any) -> Reply:
        return 200, {"namespace": namespace, "registrationState": self.registration}

    def _permissions(self, subscription: str, **_: Any) -> Reply:
        return 200, {"value": self.grants}

    def _new(self, name: str, body: dict[str, Any]) -> None:
        row = json.loads(json.dumps(body))
        network = row["properties"].pop("networkProfile", {})
        self.marks[name] = [
            tags
            for one in network.get("networkInterfaceConfigurations", [])
            for address in one["properties"]["ipConfigurations"]
            for tags in (one["tags"], address["properties"]["publicIPAddressConfiguration"]["tags"])
        ]
        row["properties"].get("osProfile", {}).pop("customData", None)
        row["properties"] |= {
            "provisioningState": "Succeeded",
            "timeCreated": "2026-11-21T08:00:00.123+00:00",
            "networkProfile": {"networkInterfaces": [{"id": interface_of(name)}]},
        }
        self.rows[name] = row | {
            "id": f"{ROOT.upper()}/Microsoft.Compute/virtualMachines/{name}",
            "name": name,
        }
        self.power[name] = "starting"

    def _shown(self, name: str, *, view: bool = False) -> dict[str, Any]:
        row: dict[str, Any] = json.loads(json.dumps(self.rows[name]))
        if not view:
            row["properties"].pop("instanceView", None)
        elif "instanceView" not in row["properties"]:
            power = {"code": f"PowerState/{self.power[name]}"}
            row["properties"]["instanceView"] = {"statuses": [power]}
        return row

    def _turned(self, name: str, moving: str, done: str) -> Reply:
        if name not in self.rows:
            return NOT_FOUND
        self.power[name] = done if self.power[name] == done else moving
        return 202, None


def reached(endpoint: str) -> Provider:
    """From another process, which has the fake's `environment`."""
    return Azure(Settings(endpoint, poll_s=0.0), Access(Credential()))
