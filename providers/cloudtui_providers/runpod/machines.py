"""RunPod's pods as the contract's machines, and its GPUs as offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cloudtui_providers import counted, marks
from cloudtui_providers.base import CloudState, Machine, Offer
from cloudtui_providers.runpod.service import NAME

REGION = "global"
"""One list of pods for all data centers, which are the zones."""
USER = "root"
GIB = 1 << 30
STATES = {
    "PROVISIONING": CloudState.PENDING,
    "STARTING": CloudState.PENDING,
    "RUNNING": CloudState.RUNNING,
    "ERROR": CloudState.RUNNING,
    "EXITED": CloudState.STOPPED,
    "TERMINATED": CloudState.TERMINATED,
}
"""A pod in error is paid for as long as it is there; one that exited is not, and its disk is empty."""
SAYS_NOTHING = {"PROVISIONING", "STARTING", "RUNNING", "TERMINATED"}


def machine(pod: Mapping[str, Any]) -> Machine:
    """One pod. Its address is that of its own sshd: RunPod's proxy carries a shell and nothing else."""
    status, direct = str(pod["status"]), pod["ssh"]["direct"] or {}
    gpu = pod.get("gpu")
    return Machine(
        id=pod["id"],
        state=STATES.get(status, CloudState.RUNNING),  # a new word: it is there, and so it costs
        region=REGION,
        zone=pod["dataCenterId"] or "",
        type=counted.named(gpu.get("count", 1), gpu["id"]) if gpu else "",
        address=direct.get("host", ""),
        port=direct.get("port", 22),
        user=direct.get("username", USER),
        created_at=_when(pod["createdAt"]),
        reason="" if status in SAYS_NOTHING else status.lower(),
        tags=marks.tags(pod["name"]),
    )


def _when(told: str) -> float | None:
    try:
        return datetime.fromisoformat(told).timestamp()
    except ValueError:
        return None  # a moment in another form is no reason to lose sight of a machine


def offers_of(gpu: Mapping[str, Any], count: int) -> Iterator[Offer]:
    """So many of a GPU, in each data center that has them; in none, as not available."""
    if not gpu["secure"] or gpu["maxCount"]["secure"] < count:
        return
    centers = gpu.get("dataCenters") or [{"id": "", "availability": "NONE"}]
    price = float(gpu["price"]["secure"]) * count
    for center in centers:
        yield Offer(
            provider=NAME,
            region=REGION,
            zone=center["id"],
            type=counted.named(count, gpu["id"]),
            gpu=gpu["id"],
            gpus=count,
            gpu_memory_bytes=int(gpu["memory"]) * GIB,
            cpus=0,  # neither these nor the memory are told before there is a pod
            memory_bytes=0,
            price_usd_per_hour=price or None,
            available=center["availability"] != "NONE",
        )
