"""The machines of the toy cloud: rows of its books, and what is shown of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.support.clouds.toy_books import Books

from cloudtui_providers.base import OWNER_TAG, CloudState, Machine, Offer, Wanted

SPOT_SHARE = 0.3
NEXT = {"pending": "running", "stopping": "stopped", "terminating": "terminated"}


def new_row(books: Books, payload: Mapping[str, Any], *, late: bool) -> dict[str, Any]:
    number, settings = books["next"], books["settings"]
    row = {name: payload[name] for name in ("token", "region", "zone", "type", "spot", "tags")}
    row |= {"id": f"toy-{number}", "state": "pending", "reason": "", "created_at": time.time()}
    row |= {"payload": dict(payload), "late": settings["late_looks"] if late else 0}
    books["next"] += 1
    books["machines"][row["id"]] = row
    return row


def is_owned(row: dict[str, Any], owner: str) -> bool:
    has = row["tags"].get(OWNER_TAG, "")
    return bool(has) and owner in {"", has}


def look(books: Books, rows: list[dict[str, Any]]) -> list[Machine]:
    """What is shown of them; looking lets time pass."""
    seen = [shown(row, books) for row in rows if not row["late"]]
    for row in rows:
        if row["late"]:
            row["late"] -= 1
        else:
            row["state"] = NEXT.get(row["state"], row["state"])
    return seen


def shown(row: dict[str, Any], books: Books) -> Machine:
    reach = books["settings"]
    return Machine(
        id=row["id"],
        state=CloudState(row["state"]),
        region=row["region"],
        zone=row["zone"],
        type=row["type"],
        spot=row["spot"],
        address="" if row["state"] in {"pending", "terminated"} else reach["address"],
        port=reach["port"],
        user=reach["user"],
        created_at=row["created_at"],
        reason=row["reason"],
        tags=row["tags"],
    )


def price_of(offer: Offer, spot: bool) -> float:
    price = offer.price_usd_per_hour or 0.0
    return price * SPOT_SHARE if spot else price


def fits(offer: Offer, wanted: Wanted) -> bool:
    return (
        wanted.gpu.lower() in offer.gpu.lower()
        and wanted.type in {"", offer.type}
        and (not wanted.regions or offer.region in wanted.regions)
        and (wanted.max_price is None or (offer.price_usd_per_hour or 0.0) <= wanted.max_price)
    )
