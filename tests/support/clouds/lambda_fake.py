"""Lambda on loopback: its machines are rows of a dictionary, its API is `lambda_api`."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.support.clouds.faults import Fault
from tests.support.clouds.http_fake import HttpFake, Reply
from tests.support.clouds.lambda_api import ACTION_NAMES, OPERATIONS

from cloudtui_providers.base import LAUNCH_TAG, NAME_TAG, OWNER_TAG, Order, Provider
from cloudtui_providers.lambda_labs import Lambda

KEY = "secret_canary-lambda_4b1d.0c"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"
ZONE = "us-west-1"


def error(status: int, code: str, message: str) -> Reply:
    return status, {"error": {"code": code, "message": message, "suggestion": "Look at the documentation."}}


def kind(name: str, gpu: str, cents: int, gpus: int) -> dict[str, Any]:
    specs = {"vcpus": 30 * max(1, gpus), "memory_gib": 200, "storage_gib": 512, "gpus": gpus}
    return {
        "name": name,
        "description": f"{gpus}x {gpu}",
        "gpu_description": gpu,
        "price_cents_per_hour": cents,
        "specs": specs,
    }


TYPES = {
    one["name"]: one
    for one in (
        kind("gpu_1x_a10", "A10 (24 GB PCIe)", 75, 1),
        kind("gpu_8x_h100_sxm5", "H100 (80 GB SXM5)", 2392, 8),
        kind("cpu_4x_general", "N/A", 20, 0),
    )
}
WHERE = {"gpu_1x_a10": [ZONE, "us-east-1"], "gpu_8x_h100_sxm5": [], "cpu_4x_general": ["us-east-1"]}
NEXT = {"booting": "active", "terminating": "terminated"}
NONE_THERE = error(404, "global/object-does-not-exist", "Specified instance does not exist.")


class FakeLambda(HttpFake):
    """As `FakeCloud` has it."""

    operations = OPERATIONS
    answers: ClassVar[dict[str, Reply]] = {
        Fault.CAPACITY: error(
            400,
            "instance-operations/launch/insufficient-capacity",
            "Not enough capacity to fulfill launch request.",
        ),
        Fault.QUOTA: error(400, "global/quota-exceeded", "Quota exceeded."),
        Fault.AUTH: error(401, "global/invalid-api-key", "API key {key} was invalid, expired, or deleted."),
        Fault.PERMISSION: error(403, "global/account-inactive", "Your account with {key} is inactive."),
        Fault.INVALID: error(400, "global/invalid-parameters", "Invalid request data of {key}."),
        Fault.THROTTLE: error(429, "global/too-many-requests", "Too many requests."),
        Fault.BROKEN: error(503, "provider/internal-unavailable", "Provider unavailable"),
    }
    secrets = (KEY,)
    faults = (*answers, Fault.UNREACHABLE, Fault.LOSE_ANSWER, Fault.LATE)
    carries = (OWNER_TAG, LAUNCH_TAG, NAME_TAG)
    absent = "0920582c7ff041399e34823a0be62549"
    usual = Order("claunch1", 1, "box-1", "c0ffee", "gpu_1x_a10", "global", ZONE, public_key=PUBLIC_KEY)

    def __init__(self) -> None:
        super().__init__(KEY)
        self.rows: dict[str, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        self.ssh_keys = [{"id": "k0", "name": "mine", "public_key": "ssh-rsa AAAAB3Nza me@home"}]
        self.rules = [
            {
                "protocol": "tcp",
                "port_range": [22, 22],
                "source_network": "203.0.113.7/32",
                "description": "SSH",
            }
        ]
        self.provider: Provider = Lambda(self.endpoint, pace_s=0.0)

    def count(self) -> int:
        return sum(row["status"] not in {"terminating", "terminated"} for row in self.rows.values())

    def launches(self) -> int:
        return self.calls["launch"]

    def settle(self) -> None:
        self.hidden.clear()
        for row in self.rows.values():
            row["status"] = NEXT.get(row["status"], row["status"])
            if row["status"] == "active":
                row["ip"] = "198.51.100.2"

    def stranger(self) -> None:
        other = {"region_name": ZONE, "instance_type_name": "gpu_1x_a10", "ssh_key_names": ["mine"]}
        self._new(other)
        self._new(other | {"name": "cloudtui-notes"})

    def forget(self, machine: str) -> None:
        del self.rows[machine]

    def take_back(self, machine: str) -> None:
        raise AssertionError("Lambda has no spot machines.")

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return []

    # -- what is asked

    def _machines(self, *, fault: str, **_: Any) -> Reply:
        return 200, {"data": [row for id_, row in self.rows.items() if id_ not in self.hidden]}

    def _types(self, **_: Any) -> Reply:
        return 200, {
            "data": {
                name: {
                    "instance_type": one,
                    "regions_with_capacity_available": [self._region(where) for where in WHERE[name]],
                }
                for name, one in TYPES.items()
            }
        }

    def _launch(self, *, body: dict[str, Any], fault: str, **_: Any) -> Reply:
        if body["instance_type_name"] not in TYPES:
            return error(404, "global/object-does-not-exist", "Specified instance type does not exist.")
        if not {one["name"] for one in self.ssh_keys}.issuperset(body["ssh_key_names"]):
            return error(400, "global/object-does-not-exist", "Specified SSH key does not exist.")
        made = self._new(body)
        if fault == Fault.LATE:
            self.hidden.add(made)
        return 200, {"data": {"instance_ids": [made]}}

    def _terminate(self, *, body: dict[str, Any], **_: Any) -> Reply:
        if not self.rows.keys() >= set(body["instance_ids"]):
            return NONE_THERE
        rows = [self.rows[one] for one in body["instance_ids"]]
        for row in rows:
            row["status"] = "terminated" if row["status"] == "terminated" else "terminating"
        return 200, {"data": {"terminated_instances": rows}}

    def _keys(self, **_: Any) -> Reply:
        return 200, {"data": self.ssh_keys}

    def _add_key(self, *, body: dict[str, Any], **_: Any) -> Reply:
        self.ssh_keys.append({"id": f"k{len(self.ssh_keys)}", **body})
        return 200, {"data": self.ssh_keys[-1]}

    def _firewall(self, **_: Any) -> Reply:
        return 200, {"data": self.rules}

    # -- its books

    def _new(self, body: dict[str, Any]) -> str:
        made = f"{len(self.rows):032x}"
        actions = {name: {"available": True} for name in ACTION_NAMES}
        self.rows[made] = {
            "id": made,
            "status": "booting",
            "ssh_key_names": body["ssh_key_names"],
            "file_system_names": [],
            "region": self._region(body["region_name"]),
            "instance_type": TYPES[body["instance_type_name"]],
            "actions": actions,
        } | ({"name": body["name"]} if "name" in body else {})
        return made

    def _region(self, name: str) -> dict[str, str]:
        return {"name": name, "description": f"{name}, somewhere"}
