"""What Vast.ai's hosts offer: as the contract's offers, and the one that an order takes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from cloudtui_providers import counted, marks, unable
from cloudtui_providers.base import Offer, Order, Wanted
from cloudtui_providers.errors import CapacityError, InvalidOrderError
from cloudtui_providers.packed import packed
from cloudtui_providers.rest import Rest, reading
from cloudtui_providers.vast.machines import REGION
from cloudtui_providers.vast.service import NAME, SEARCH, TITLE

IMAGE = "vastai/base-image:@vastai-automatic-tag"
"""Vast.ai's own; it is given with the drivers of the host."""
LONGEST_LABEL = 256
MOST_ONSTART = 4096
MOST = 2000
"""Offers in one answer, the cheapest of all."""
HOSTS = 10
"""So many are told of for a type: the hundredth host's price is nobody's price of it."""
MIB = 1 << 20


def offers(rest: Rest, wanted: Wanted) -> list[Offer]:
    """Of each type the cheapest hosts' machines, one offer each, with their disk in the price."""
    filters: dict[str, Any] = {"limit": MOST, "disk_space": {"gte": wanted.disk_gb}}
    if wanted.type:
        filters |= _of_type(wanted.type)
    if wanted.max_price is not None:
        filters["dph_total"] = {"lte": wanted.max_price}
    cheapest: dict[str, dict[str, Offer]] = {}
    with reading(TITLE):
        found = [_offer(ask) for ask in _search(rest, filters, wanted.disk_gb)]
    for offer in found:
        of_type = cheapest.setdefault(offer.type, {})
        if len(of_type) < HOSTS:
            of_type.setdefault(offer.zone, offer)
    return [offer for of_type in cheapest.values() for offer in of_type.values()]


def planned(rest: Rest, order: Order) -> dict[str, Any]:
    """The payload of an order: the cheapest offer that fits it now, and what is made of it.

    Hosts change their prices: one that costs more by now than the order allows is not taken.
    """
    unable.refuse(order, TITLE)
    filters = _of_type(order.type) | {"limit": 1, "disk_space": {"gte": order.disk_gb}}
    if order.zone:
        filters["machine_id"] = {"eq": _number(order.zone)}
    if order.lifetime_s:
        filters["duration"] = {"gte": order.lifetime_s}
    if order.max_price is not None:
        filters["dph_total"] = {"lte": order.max_price}
    with reading(TITLE):
        found = [
            (int(ask["id"]), str(ask["machine_id"]))
            for ask in _search(rest, filters, order.disk_gb)
            if order.max_price is None or float(ask["dph_total"]) <= order.max_price
        ]
    if not found:
        raise CapacityError(f"No host of {TITLE} offers {order.type} {_where(order)}now.")
    request = {
        "image": order.image or IMAGE,
        "label": marks.marked_name(order, LONGEST_LABEL),
        "disk": order.disk_gb,
        "runtype": "ssh_direct",
        "target_state": "running",
        "cancel_unavail": True,
    }
    if begin := order.start_command or _letting_in(order.public_key):
        request["onstart"] = _short(begin)
    ask, host = found[0]
    return {"ask": ask, "type": order.type, "zone": host, "request": request}


def _search(rest: Rest, filters: Mapping[str, Any], disk_gb: int) -> list[dict[str, Any]]:
    usual = {
        "verified": {"eq": True},
        "rentable": {"eq": True},
        "rented": {"eq": False},
        "cpu_arch": {"eq": "amd64"},
        "direct_port_count": {"gte": 1},
        "allocated_storage": disk_gb,
        "order": [["dph_total", "asc"]],
    }
    return list(rest.ask("POST", SEARCH, body=usual | dict(filters))["offers"])


def _of_type(machine_type: str) -> dict[str, Any]:
    count, gpu = counted.read(machine_type)
    return {"gpu_name": {"eq": gpu}, "num_gpus": {"eq": count}}


def _offer(ask: Mapping[str, Any]) -> Offer:
    return Offer(
        provider=NAME,
        region=REGION,
        zone=str(ask["machine_id"]),
        type=counted.named(ask["num_gpus"], ask["gpu_name"]),
        gpu=ask["gpu_name"],
        gpus=int(ask["num_gpus"]),
        gpu_memory_bytes=int(ask["gpu_ram"]) * MIB,
        cpus=int(ask.get("cpu_cores_effective") or 0),
        memory_bytes=int(ask["cpu_ram"]) * MIB,
        price_usd_per_hour=ask["dph_total"],
        available=True,
    )


def _letting_in(public_key: str) -> str:
    """The account's own keys are let in by Vast.ai; ours by this, and into this machine alone."""
    line = shlex.quote(public_key)
    return public_key and f"mkdir -p ~/.ssh && chmod 700 ~/.ssh && echo {line} >> ~/.ssh/authorized_keys"


def _short(script: str) -> str:
    line = script if len(script) <= MOST_ONSTART else packed(script)
    if len(line) > MOST_ONSTART:
        raise InvalidOrderError(
            f"What a machine of {TITLE} begins with is longer than the {MOST_ONSTART} letters that it takes."
        )
    return line


def _number(zone: str) -> int:
    if not zone.isdigit():
        raise InvalidOrderError(f"There is no zone {zone} at {TITLE}: it is the number of a host's machine.")
    return int(zone)


def _where(order: Order) -> str:
    price = "" if order.max_price is None else f"for ${order.max_price:.2f} an hour or less "
    return (f"on machine {order.zone} " if order.zone else "") + price
