"""Vast.ai on loopback: its machines are rows of a dictionary, its API is `vast_api`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tests.support.clouds.faults import Fault
from tests.support.clouds.http_fake import HttpFake, Reply
from tests.support.clouds.vast_api import OPERATIONS

from cloudtui_providers.base import LAUNCH_TAG, NAME_TAG, OWNER_TAG, Order, Provider
from cloudtui_providers.vast import Vast

KEY = "c4naryc4naryvast0123456789abcdef"
TO_THE_MACHINE = "canary-instance-api-key-d15a"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"
TYPE = "1x RTX 4090"
HOST = 4411
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda has, wanted: has == wanted,
    "gte": lambda has, wanted: has >= wanted,
    "lte": lambda has, wanted: has <= wanted,
}


def said(status: int, error: str, msg: str) -> Reply:
    return status, {"success": False, "error": error, "msg": msg}


def offer(id: int, host: int, gpu: str, count: int, price: float, **other: Any) -> dict[str, Any]:
    usual = {
        "verified": True,
        "rentable": True,
        "rented": False,
        "cpu_arch": "amd64",
        "direct_port_count": 40,
        "disk_space": 500.0,
        "duration": 2_000_000.0,
        "gpu_ram": 24564,
        "cpu_cores_effective": 12.0,
        "cpu_ram": 64000,
    }
    known = {"id": id, "machine_id": host, "gpu_name": gpu, "num_gpus": count, "dph_base": price}
    return usual | known | other


OFFERS = (
    offer(7001, HOST, "RTX 4090", 1, 0.40),
    offer(7002, HOST, "RTX 4090", 1, 0.45),  # the same machine, another GPU of it
    offer(7003, 5522, "RTX 4090", 1, 0.35, disk_space=120.0),
    offer(7004, 5522, "RTX 4090", 2, 0.70, duration=3600.0),
    offer(7005, 6633, "H100 SXM", 8, 16.0, gpu_ram=81559),
    offer(7006, 7744, "RTX 4090", 1, 0.10, verified=False),
    offer(7007, 8855, "RTX 4090", 1, 0.10, direct_port_count=0),
)
DISK_PER_GB = 0.0002


class FakeVast(HttpFake):
    """As `FakeCloud` has it."""

    operations = OPERATIONS
    answers: ClassVar[dict[str, Reply]] = {
        Fault.CAPACITY: said(410, "no_such_ask", "error 410/3907: no_such_ask Instance type is gone."),
        Fault.AUTH: said(401, "auth_error", "Invalid user key {key}"),
        Fault.PERMISSION: said(403, "forbidden", "The key {key} may not do that."),
        Fault.INVALID: said(400, "invalid_args", "error 400/3467: Invalid args of {key}"),
        Fault.THROTTLE: (429, b"API requests too frequent: endpoint threshold=4.5"),
        Fault.BROKEN: said(500, "internal", "Something broke."),
    }
    secrets = (KEY, TO_THE_MACHINE)
    faults = (*answers, Fault.UNREACHABLE, Fault.LOSE_ANSWER, Fault.LATE, Fault.INCOMPLETE)
    carries = (OWNER_TAG, LAUNCH_TAG, NAME_TAG)
    absent = "99999999"
    usual = Order("claunch1", 1, "box-1", "c0ffee", TYPE, "global", public_key=PUBLIC_KEY)

    def __init__(self) -> None:
        super().__init__(KEY)
        self.rows: dict[int, dict[str, Any]] = {}
        self.hidden: set[int] = set()
        self.taken: set[int] = set()
        self.filters = True
        self._breaks_off = False
        self.provider: Provider = Vast(self.endpoint, pace_s=0.0)

    def heal(self) -> None:
        super().heal()
        self._breaks_off = False

    def count(self) -> int:
        return len(self.rows)

    def launches(self) -> int:
        return self.calls["launch"]

    def settle(self) -> None:
        self.hidden.clear()
        for number, row in enumerate(self.rows.values()):
            row["actual_status"] = row["intended_status"]
            runs = row["actual_status"] == "running"
            told = {"HostIp": "192.0.2.45", "HostPort": str(20000 + number)}
            row["ports"] = {"22/tcp": [told]} if runs else None

    def stranger(self) -> None:
        self._new(OFFERS[0], {"image": "ubuntu", "label": None})

    def forget(self, machine: str) -> None:
        self.rows.pop(int(machine), None)

    def take_back(self, machine: str) -> None:
        raise AssertionError("No machines that can be taken back are rented.")

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return []

    # -- what is asked

    def _machines(self, *, query: dict[str, str], fault: str, **_: Any) -> Reply:
        if self._breaks_off:
            return self.answers[Fault.BROKEN]
        self._breaks_off = fault == Fault.INCOMPLETE
        asked = json.loads(query.get("select_filters", "{}")) if self.filters else {}
        label = asked.get("label", {}).get("eq")
        found = [
            row
            for id_, row in sorted(self.rows.items())
            if id_ not in self.hidden and (label is None or row["label"] == label)
        ]
        after = int(query.get("after_token", "0"))
        size = 1 if self._breaks_off else int(query.get("limit", "25"))
        left = [row for row in found if row["id"] > after]
        columns = json.loads(query.get("select_cols", '["*"]'))
        shown = [{name: row[name] for name in row if {name, "*"} & set(columns)} for row in left[:size]]
        return 200, {
            "success": True,
            "instances_found": len(shown),
            "total_instances": len(found),
            "label_counts": {},
            "next_token": str(shown[-1]["id"]) if len(left) > size else None,
            "instances": shown,
        }

    def _launch(self, ask: str, *, body: dict[str, Any], fault: str, **_: Any) -> Reply:
        found = next((one for one in OFFERS if one["id"] == int(ask)), None)
        if found is None or found["id"] in self.taken:
            return said(404, "invalid_args", f"error 404/3603: no_such_ask {ask} is not available.")
        made = self._new(found, body)
        if fault == Fault.LATE:
            self.hidden.add(made)
        return 200, {"success": True, "new_contract": made, "instance_api_key": TO_THE_MACHINE}

    def _terminate(self, id_: str, **_: Any) -> Reply:
        if self.rows.pop(int(id_), None) is None:
            return said(404, "not_found", "Instance not found")
        return 200, {"success": True}

    def _manage(self, id_: str, *, body: dict[str, Any], **_: Any) -> Reply:
        if int(id_) not in self.rows:
            return said(404, "no_such_instance", "No such instance.")
        self.rows[int(id_)]["intended_status"] = body["state"]
        return 200, {"success": True}

    def _search(self, *, body: dict[str, Any], **_: Any) -> Reply:
        priced = [
            one | {"dph_total": one["dph_base"] + DISK_PER_GB * body.get("allocated_storage", 8)}
            for one in OFFERS
            if one["id"] not in self.taken
        ]
        found = [one for one in priced if _fits(one, body)]
        ((column, _direction),) = body["order"]
        return 200, {"offers": sorted(found, key=lambda one: one[column])[: body["limit"]]}

    def _who(self, **_: Any) -> Reply:
        return 200, {"id": 7, "email": "somebody@example.org", "balance": 0.0}

    # -- its books

    def _new(self, found: dict[str, Any], body: dict[str, Any]) -> int:
        made = 1000 + len(self.rows)
        self.rows[made] = {
            "id": made,
            "label": body["label"],
            "actual_status": None,
            "intended_status": "running",
            "machine_id": found["machine_id"],
            "gpu_name": found["gpu_name"],
            "num_gpus": found["num_gpus"],
            "is_bid": False,
            "public_ipaddr": "192.0.2.45\n",
            "ports": None,
            "start_date": 1668804745.25,
            "jupyter_token": TO_THE_MACHINE,
        }
        return made


def _fits(one: dict[str, Any], body: dict[str, Any]) -> bool:
    return all(
        COMPARED[operator](one[column], wanted)
        for column, filters in body.items()
        if isinstance(filters, dict)
        for operator, wanted in filters.items()
    )
