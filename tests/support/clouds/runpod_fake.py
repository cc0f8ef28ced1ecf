"""RunPod on loopback: its pods are rows of a dictionary, its API is `runpod_api`."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.support.clouds.faults import Fault
from tests.support.clouds.http_fake import HttpFake, Reply
from tests.support.clouds.runpod_api import OPERATIONS

from cloudtui_providers.base import LAUNCH_TAG, NAME_TAG, OWNER_TAG, Order, Provider
from cloudtui_providers.runpod import RunPod

KEY = "rpa_CANARY0RUNPOD7KEY"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"
ZONE = "US-KS-2"
NEXT = {"PROVISIONING": "RUNNING", "STARTING": "RUNNING"}


def problem(status: int, title: str, detail: str, *errors: str) -> Reply:
    body: dict[str, Any] = {"title": title, "status": status, "detail": detail}
    return status, body | ({"errors": list(errors)} if errors else {})


def gpu(id: str, memory: int, price: float, most: int) -> dict[str, Any]:
    return {
        "id": id,
        "name": id.removeprefix("NVIDIA "),
        "pool": None,
        "manufacturer": "NVIDIA",
        "memory": memory,
        "secure": most > 0,
        "community": True,
        "price": {"secure": price, "community": price / 2},
        "maxCount": {"secure": most, "community": 1},
    }


RTX, H100, OLD, NEW = (
    "NVIDIA GeForce RTX 4090", "NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 3070", "NVIDIA B300 SXM6 AC",
)  # fmt: skip
GPUS = (gpu(RTX, 24, 0.69, 2), gpu(H100, 80, 2.99, 8), gpu(OLD, 8, 0.1, 0), gpu(NEW, 288, 0.0, 1))
STOCK = {(RTX, 1): {ZONE: "HIGH", "EU-RO-1": "NONE"}, (RTX, 2): {ZONE: "LOW"}, (H100, 8): {ZONE: "LOW"}}


class FakeRunPod(HttpFake):
    """As `FakeCloud` has it."""

    operations = OPERATIONS
    headers: ClassVar[dict[int, dict[str, str]]] = {429: {"Retry-After": "12"}}
    answers: ClassVar[dict[str, Reply]] = {
        Fault.CAPACITY: problem(400, "Bad Request", "There are no instances available of this kind."),
        Fault.QUOTA: problem(402, "Payment Required", "Insufficient balance."),
        Fault.AUTH: problem(401, "Unauthorized", "The bearer token {key} is invalid."),
        Fault.PERMISSION: problem(403, "Forbidden", "The bearer token {key} does not grant this."),
        Fault.INVALID: problem(422, "Unprocessable Entity", "Validation failed.", "{key}: no such field"),
        Fault.THROTTLE: problem(429, "Too Many Requests", "Rate limit exceeded."),
        Fault.BROKEN: problem(500, "Internal Server Error", "Something broke."),
    }
    secrets = (KEY,)
    faults = (*answers, Fault.UNREACHABLE, Fault.LOSE_ANSWER, Fault.LATE)
    carries = (OWNER_TAG, LAUNCH_TAG, NAME_TAG)
    absent = "7h9k2m4n6p"
    usual = Order("claunch1", 1, "box-1", "c0ffee", f"1x {RTX}", "global", ZONE, public_key=PUBLIC_KEY)

    def __init__(self) -> None:
        super().__init__(KEY)
        self.rows: dict[str, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        self.provider: Provider = RunPod(self.endpoint)

    def count(self) -> int:
        return sum(row["status"] != "TERMINATED" for row in self.rows.values())

    def launches(self) -> int:
        return self.calls["launch"]

    def settle(self) -> None:
        self.hidden.clear()
        for number, row in enumerate(self.rows.values()):
            row["status"] = NEXT.get(row["status"], row["status"])
            if row["status"] == "RUNNING":
                row["ssh"]["direct"] = way("195.26.233.3", 34446 + number, "root")
                row["startedAt"] = "2026-06-01T12:02:00Z"

    def stranger(self) -> None:
        self._new({"name": "my notebook", "image": "ubuntu", "gpu": {"id": RTX}})

    def forget(self, machine: str) -> None:
        self.rows.pop(machine, None)

    def take_back(self, machine: str) -> None:
        raise AssertionError("RunPod has no spot machines here.")

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return []

    # -- what is asked

    def _machines(self, **_: Any) -> Reply:
        return 200, {"pods": [row for id_, row in self.rows.items() if id_ not in self.hidden]}

    def _launch(self, *, body: dict[str, Any], fault: str, **_: Any) -> Reply:
        if body["gpu"]["id"] not in {one["id"] for one in GPUS}:
            return problem(400, "Bad Request", "There is no such GPU.")
        made = self._new(body)
        if fault == Fault.LATE:
            self.hidden.add(made["id"])
        return 201, made

    def _terminate(self, id_: str, **_: Any) -> Reply:
        if id_ not in self.rows:
            return problem(404, "Not Found", "The requested Pod does not exist.")
        del self.rows[id_]
        return 204, None

    def _stock(self, *, query: dict[str, str], **_: Any) -> Reply:
        if "include" not in query:
            return 200, {"gpus": list(GPUS)}
        return 200, {"gpus": [self._in_stock(one, int(query["count"])) for one in GPUS]}

    # -- its books

    def _in_stock(self, one: dict[str, Any], count: int) -> dict[str, Any]:
        found = STOCK.get((one["id"], count))
        if not found:
            return one | {"availability": "NONE"}
        centers = [{"id": id_, "name": id_, "availability": level} for id_, level in found.items()]
        return one | {"availability": "HIGH", "dataCenters": centers}

    def _new(self, body: dict[str, Any]) -> dict[str, Any]:
        made = f"pod{len(self.rows):07d}"
        self.rows[made] = {
            "id": made,
            "name": body["name"],
            "status": "PROVISIONING",
            "actions": ["terminate"],
            "image": body["image"],
            "args": "",
            "disk": body.get("disk", 50),
            "mounts": {},
            "ports": body.get("ports", []),
            "env": body.get("env", {}),
            "registry": None,
            "gpu": {"count": 1} | body["gpu"],
            "cloud": body.get("cloud", "SECURE"),
            "dataCenterId": (body.get("dataCenterIds") or [ZONE])[0],
            "cudaVersion": None,
            "ssh": {"proxy": way("ssh.runpod.io", 22, f"{made}-64411eb2"), "direct": None},
            "template": None,
            "cost": 0.69,
            "locked": False,
            "runtime": None,
            "createdAt": "2026-06-01T12:00:00Z",
            "startedAt": None,
            "globalNetworking": {"enabled": False},
        }
        return self.rows[made]


def way(host: str, port: int, username: str) -> dict[str, Any]:
    command = f"ssh {username}@{host} -p {port}"
    return {"host": host, "port": port, "username": username, "command": command}
