"""Vast.ai's instances as the contract's machines, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudtui_providers import counted, marks
from cloudtui_providers.base import CloudState, Machine
from cloudtui_providers.rest import Rest, endless, reading
from cloudtui_providers.vast.service import TITLE

REGION = "global"
"""One list for all the world; a zone is one host's machine, by its number."""
USER = "root"
INSTANCES = "/api/v1/instances/"
PAGE = 25
COLUMNS = (
    "id", "label", "actual_status", "intended_status", "machine_id", "gpu_name", "num_gpus", "is_bid",
    "public_ipaddr", "ports", "start_date",
)  # fmt: skip
"""The only ones that are asked for: others are secrets of the machine."""
SSH = "22/tcp"
BEGINS = {"", "created", "loading", "rebooting"}
RESTS = {"stopped", "exited"}
SAYS_NOTHING = BEGINS | {"running", "stopped"}


def pages(rest: Rest, label: str = "") -> Iterator[list[Machine]]:
    """All machines that bear marks, or those of a label; any page may raise."""
    query: dict[str, Any] = {
        "limit": PAGE,
        "order_by": json.dumps([{"col": "id", "dir": "asc"}]),
        "select_cols": json.dumps(COLUMNS),
    }
    if label:
        query["select_filters"] = json.dumps({"label": {"eq": label}})
    for _ in endless(TITLE):
        page = rest.ask("GET", INSTANCES, query=query)
        with reading(TITLE):
            found = [_machine(one) for one in page["instances"] if marks.tags(one.get("label") or "")]
            after = page.get("next_token")
        yield found
        if not after:
            return
        query["after_token"] = after


def _machine(instance: Mapping[str, Any]) -> Machine:
    status, wanted = instance.get("actual_status") or "", instance.get("intended_status") or ""
    address, port = _reached(instance)
    return Machine(
        id=str(instance["id"]),
        state=_state(status, wanted),
        region=REGION,
        zone=str(instance["machine_id"]),
        type=counted.named(instance["num_gpus"], instance["gpu_name"]),
        spot=bool(instance.get("is_bid")),
        address=address,
        port=port,
        user=USER,
        created_at=instance.get("start_date"),
        reason="" if status in SAYS_NOTHING or wanted == "stopped" else status,
        tags=marks.tags(instance.get("label") or ""),
    )


def _state(status: str, wanted: str) -> CloudState:
    """What is not known for less is there, and is paid for: a host that is silent, a new word."""
    if status in RESTS:
        return CloudState.PENDING if (status, wanted) == ("stopped", "running") else CloudState.STOPPED
    if wanted == "stopped":
        return CloudState.STOPPING
    return CloudState.PENDING if status in BEGINS else CloudState.RUNNING


def _reached(instance: Mapping[str, Any]) -> tuple[str, int]:
    """Where its host passes SSH on to it; nowhere before that is set up."""
    ports = (instance.get("ports") or {}).get(SSH) or []
    address = (instance.get("public_ipaddr") or "").strip()
    return (address, int(ports[0]["HostPort"])) if ports and address else ("", 22)
