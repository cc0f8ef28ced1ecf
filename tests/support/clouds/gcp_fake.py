"""Google Cloud on loopback: its machines are rows of a dictionary, its API is `gcp_api`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.support.clouds.faults import ALL_TAGS, Fault
from tests.support.clouds.gcp_api import operations
from tests.support.clouds.gcp_rows import (
    AFTER,
    ALIVE,
    HERE,
    NOT_FOUND,
    PROJECT,
    PUBLIC_KEY,
    REGION,
    TOKEN,
    TYPES,
    ZONES,
    account,
    bare,
    by_zone,
    error,
    fits,
    last,
    private_key,
)  # fmt: skip
from tests.support.clouds.http_fake import HttpFake, Reply

from cloudtui_providers.base import Order, Provider
from cloudtui_providers.gcp import Gcp
from cloudtui_providers.gcp.machines import tags
from cloudtui_providers.gcp.settings import Settings


class FakeGcp(HttpFake):
    """As `FakeCloud` has it. It lets in who has its token, which a service account is given."""

    operations = operations()
    answers: ClassVar[dict[str, Reply]] = {
        Fault.AUTH: error(401, "authError", "Request had invalid credentials: {key}"),
        Fault.PERMISSION: error(
            403, "forbidden", f"Required 'compute.instances.create' permission for 'projects/{PROJECT}'"
        ),
        Fault.INVALID: error(400, "invalid", "Invalid value for field 'resource.disks[0]' of {key}"),
        Fault.THROTTLE: error(403, "rateLimitExceeded", "Rate Limit Exceeded"),
        Fault.BROKEN: error(503, "backendError", "The service is currently unavailable."),
    }
    faults = (
        *answers, Fault.CAPACITY, Fault.QUOTA, Fault.UNREACHABLE, Fault.LOSE_ANSWER, Fault.INCOMPLETE,
        Fault.LATE,
    )  # fmt: skip
    refusals: ClassVar[dict[str, tuple[str, str]]] = {
        Fault.CAPACITY: (
            "ZONE_RESOURCE_POOL_EXHAUSTED",
            "The zone does not have enough resources available.",
        ),
        Fault.QUOTA: (
            "QUOTA_EXCEEDED",
            "Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 0.0 in region us-central1.",
        ),
    }
    carries = ALL_TAGS
    absent = f"{ZONES[0]}/cloudtui-that-never-was"
    usual = Order("claunch1", 1, "box-1", "c0ffee", "g2-standard-4", REGION, ZONES[0], public_key=PUBLIC_KEY,
                  ssh_from=("198.51.100.7/32",))  # fmt: skip

    def __init__(self, folder: Path) -> None:
        super().__init__(TOKEN)
        self.rows: dict[str, dict[str, Any]] = {}
        self.disks: dict[str, dict[str, str]] = {}
        self.done: dict[str, dict[str, Any]] = {}
        self.requests: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.rules: dict[str, dict[str, Any]] = {}
        self.preempted: list[dict[str, Any]] = []
        self.granted: list[str] | None = None
        self.gpus = 8.0
        self.credentials = folder / "service_account.json"
        self.credentials.write_text(json.dumps(account(f"{self.endpoint}/token")))
        self.secrets = (TOKEN, private_key(), private_key().splitlines()[1])
        self.environment = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials)}
        self.provider = reached(self.endpoint)

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        if target == "/token":
            assert body.startswith(b"assertion=") or b"&assertion=" in body
            return 200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        asked = headers.get("X-Goog-Api-Version")
        if target.startswith("/compute/") and asked != "2026-11-01":
            self.wrong.append(f"API version {asked} of {target}")
        return super().handle(method, target, headers, body)

    def count(self) -> int:
        return sum(row["status"] in ALIVE for row in self.rows.values())

    def launches(self) -> int:
        return self.calls["launch"]

    def settle(self) -> None:
        self.hidden.clear()
        self.rows = {name: row for name, row in self.rows.items() if row["status"] != "DEPROVISIONING"}
        for row in self.rows.values():
            row["status"] = AFTER.get(row["status"], row["status"])
            if row["status"] == "RUNNING":
                row["networkInterfaces"][0]["accessConfigs"][0]["natIP"] = self.address

    def stranger(self) -> None:
        for labels in ({}, {"team": "other"}):
            self._new(ZONES[0], {**bare(f"other-{len(self.rows)}"), "labels": labels})

    def forget(self, machine: str) -> None:
        self.rows.pop(machine, None)

    def take_back(self, machine: str) -> None:
        del self.rows[machine]
        zone, _, name = machine.partition("/")
        self.preempted.append(
            self._begun(f"zones/{zone}", "compute.instances.preempted", f"zones/{zone}/instances/{name}")
        )

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return [tags(self.disks[machine])]

    # -- machines

    def _machines(self, project: str, *, query: dict[str, str], fault: str, **_: Any) -> Reply:
        rows = [row for row in self.rows.values() if fits(row, query.get("filter", ""))]
        rows = [row for row in rows if f"{last(row['zone'])}/{row['name']}" not in self.hidden]
        answer = by_zone("instances", rows)
        if fault == Fault.INCOMPLETE:
            del answer["items"][f"zones/{ZONES[0]}"]
            answer |= {"unreachables": [f"projects/{PROJECT}/zones/{ZONES[0]}"]}
        return 200, answer

    def _launch(
        self, project: str, zone: str, *, body: dict[str, Any], query: dict[str, str], fault: str, **_: Any
    ) -> Reply:
        made = f"{zone}/{body['name']}"
        if query["requestId"] in self.requests and fault not in self.refusals:
            return 200, self.done[self.requests[query["requestId"]]]
        if made in self.rows and fault not in self.refusals:
            return error(409, "alreadyExists", f"The resource '{made}' already exists")
        if not self._known(zone, body):
            return NOT_FOUND
        operation = self._begun(f"zones/{zone}", "insert", f"zones/{zone}/instances/{body['name']}")
        if fault in self.refusals:
            code, message = self.refusals[fault]
            operation["error"] = {"errors": [{"code": code, "message": message}]}
        else:
            self._new(zone, body)
            self.requests[query["requestId"]] = operation["name"]
        if fault == Fault.LATE:
            self.hidden.add(made)
        shown = {key: value for key, value in operation.items() if key != "error"}
        return 200, shown | {"status": "RUNNING"}

    def _find(self, project: str, zone: str, name: str, **_: Any) -> Reply:
        made = f"{zone}/{name}"
        return NOT_FOUND if made in self.hidden or made not in self.rows else (200, self.rows[made])

    def _terminate(self, project: str, zone: str, name: str, **_: Any) -> Reply:
        return self._turned(zone, name, "delete", "DEPROVISIONING")

    def _stop(self, project: str, zone: str, name: str, **_: Any) -> Reply:
        row = self.rows.get(f"{zone}/{name}", {})
        return self._turned(zone, name, "stop", "STOPPING" if row.get("status") in ALIVE else "TERMINATED")

    def _start(self, project: str, zone: str, name: str, *, fault: str, **_: Any) -> Reply:
        row = self.rows.get(f"{zone}/{name}", {})
        return self._turned(
            zone, name, "start", "RUNNING" if row.get("status") == "RUNNING" else "PROVISIONING"
        )

    def _set_labels(self, project: str, zone: str, name: str, *, body: dict[str, Any], **_: Any) -> Reply:
        row = self.rows[f"{zone}/{name}"]
        if body["labelFingerprint"] != row["labelFingerprint"]:
            return error(
                412, "conditionNotMet", "Labels fingerprint either invalid or resource labels have changed"
            )
        row |= {"labels": body["labels"], "labelFingerprint": body["labelFingerprint"] + "A="}
        return 200, self._begun(f"zones/{zone}", "setLabels", f"zones/{zone}/instances/{name}")

    def _wait(self, project: str, zone: str, name: str, **_: Any) -> Reply:
        return 200, self.done[name]

    def _wait_global(self, project: str, name: str, **_: Any) -> Reply:
        return 200, self.done[name]

    def _journal(self, project: str, **_: Any) -> Reply:
        return 200, by_zone("operations", self.preempted)

    # -- what there is

    def _types(self, project: str, *, query: dict[str, str], **_: Any) -> Reply:
        rows = [
            {"name": name, "zone": zone, "guestCpus": cpus, "memoryMb": memory, "architecture": "X86_64"}
            | ({"accelerators": gpus} if gpus else {})
            for name, (cpus, memory, gpus) in TYPES.items()
            for zone in ZONES
        ]
        return 200, by_zone("machineTypes", [row for row in rows if fits(row, query.get("filter", ""))])

    def _accelerators(self, project: str, *, query: dict[str, str], **_: Any) -> Reply:
        row = {"name": "nvidia-tesla-t4", "zone": f"{HERE}/zones/{ZONES[1]}", "maximumCardsPerInstance": 4}
        return 200, by_zone("acceleratorTypes", [row] if fits(row, query.get("filter", "")) else [])

    def _rule(self, project: str, name: str, **_: Any) -> Reply:
        return (200, self.rules[name]) if name in self.rules else NOT_FOUND

    def _add_rule(self, project: str, *, body: dict[str, Any], **_: Any) -> Reply:
        if body["name"] in self.rules:
            return error(409, "alreadyExists", "It already exists")
        self.rules[body["name"]] = body
        return 200, self._begun("global", "insert", f"global/firewalls/{body['name']}") | {
            "status": "RUNNING"
        }

    def _change_rule(self, project: str, name: str, *, body: dict[str, Any], **_: Any) -> Reply:
        self.rules[name] |= body
        return 200, self._begun("global", "patch", f"global/firewalls/{name}")

    def _network(self, project: str, name: str, **_: Any) -> Reply:
        return (200, {"name": name, "autoCreateSubnetworks": True}) if name == "default" else NOT_FOUND

    def _regions(self, project: str, **_: Any) -> Reply:
        names = sorted({zone.rpartition("-")[0] for zone in ZONES})
        return 200, {"items": [{"name": name, "status": "UP"} for name in names]}

    def _project(self, project: str, **_: Any) -> Reply:
        quota = {"metric": "GPUS_ALL_REGIONS", "limit": self.gpus, "usage": 0.0}
        return (200, {"name": PROJECT, "quotas": [quota]}) if project == PROJECT else NOT_FOUND

    def _family(self, project: str, family: str, **_: Any) -> Reply:
        return self._image(project, f"{family}-v20261101")

    def _image(self, project: str, name: str, **_: Any) -> Reply:
        link = f"https://www.googleapis.com/compute/v1/projects/{project}/global/images/{name}"
        return (
            (200, {"name": name, "selfLink": link, "diskSizeGb": "30"}) if "ubuntu" in project else NOT_FOUND
        )

    def _permissions(self, project: str, *, body: dict[str, Any], **_: Any) -> Reply:
        granted = body["permissions"] if self.granted is None else self.granted
        return 200, {"permissions": granted} if granted else {}

    # -- its books

    def _turned(self, zone: str, name: str, what: str, status: str) -> Reply:
        if f"{zone}/{name}" not in self.rows:
            return NOT_FOUND
        self.rows[f"{zone}/{name}"]["status"] = status
        return 200, self._begun(f"zones/{zone}", what, f"zones/{zone}/instances/{name}")

    def _known(self, zone: str, body: dict[str, Any]) -> bool:
        tag = body["tags"]["items"][0]
        return (
            last(body["machineType"]) in TYPES and zone in ZONES and {tag, f"{tag}-shut"} <= set(self.rules)
        )

    def _new(self, zone: str, body: dict[str, Any]) -> None:
        made, (disk,) = f"{zone}/{body['name']}", body["disks"]
        self.disks[made] = disk["initializeParams"].get("labels", {})
        row = json.loads(json.dumps(body))
        row["disks"][0].pop("initializeParams")
        self.rows[made] = row | {
            "id": str(7_000_000 + len(self.rows)),
            "status": "PROVISIONING",
            "zone": f"{HERE}/zones/{zone}",
            "machineType": f"{HERE}/zones/{zone}/machineTypes/{last(body['machineType'])}",
            "creationTimestamp": "2026-11-21T08:00:00.123-08:00",
            "labelFingerprint": "A=",
        }

    def _begun(self, where: str, what: str, target: str) -> dict[str, Any]:
        name = f"operation-{len(self.done)}"
        made = {"name": name, "status": "DONE", "operationType": what, "targetLink": f"{HERE}/{target}"}
        self.done[name] = made | ({"zone": f"{HERE}/{where}"} if where != "global" else {})
        return self.done[name]


def reached(endpoint: str) -> Provider:
    """From another process, which has the fake's `environment`."""
    return Gcp(Settings(endpoint=endpoint, permissions_endpoint=endpoint))
