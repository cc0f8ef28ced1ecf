"""Rented machines, orphans and clouds, as text for people and as JSON for scripts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui import standing
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.sanitize import clean_line

Lines = list[str]
_CAN: Mapping[str, str] = {
    "spot": "spot",
    "stop": "stops",
    "cloud_deadline": "ends by itself",
    "power_off_ends": "power-off ends",
    "user_data": "host key made here",
    "containers": "containers",
}


def offers(records: Sequence[Any], cells: int | None) -> Lines:
    """What can be rented."""
    columns = [
        Column("GPU", shrinks=True), Column("Memory", right=True), Column("CPUs", right=True),
        Column("RAM", right=True), Column("$/h", right=True), Column("Type", shrinks=True),
        Column("Where", shrinks=True),
    ]  # fmt: skip
    rows = [
        [
            clean_line(gpu_of(one)),
            words.size(one.gpu_memory_bytes) if one.gpus else words.MISSING,
            str(one.cpus),
            words.size(one.memory_bytes),
            words.money(one.price_usd_per_hour),
            clean_line(f"{one.type}{' spot' if one.spot else ''}"),
            clean_line(f"{one.provider} {one.where}{', none left' if one.available is False else ''}"),
        ]
        for one in records
    ]
    return table(columns, rows, cells)


def gpu_of(offer: Any) -> str:
    """`A100 x8`, `T4`, or a line."""
    if not offer.gpus:
        return words.MISSING
    return f"{offer.gpu} x{offer.gpus}" if offer.gpus > 1 else str(offer.gpu)


def orphans(records: Sequence[Any], cells: int | None) -> Lines:
    """Machines that nothing here speaks of."""
    now = time.time()
    columns = [
        Column("Id"), Column("Name", shrinks=True), Column("Where"), Column("Type"), Column("State"),
        Column("$/h", right=True), Column("For", right=True), Column("Seen", right=True),
    ]  # fmt: skip
    rows = [
        [
            clean_line(one.cloud_id), clean_line(one.name) or words.MISSING,
            clean_line(f"{one.provider} {one.region}"), clean_line(one.type), one.state,
            words.money(one.price), words.since(one.first_seen_at, now), words.since(one.seen_at, now),
        ]
        for one in records
    ]  # fmt: skip
    return [
        *table(columns, rows, cells),
        "",
        "They cost money and nobody watches them. Take one up: cloudtui instance orphans adopt ID",
        "End one: cloudtui instance orphans terminate ID --yes",
    ]


def clouds(records: Sequence[Any], cells: int | None) -> Lines:
    """The providers that are installed."""
    rows = [
        [
            one.name,
            clean_line(one.title),
            clean_line(f"{one.problem} {one.hint}") if one.problem else _can(one.can),
        ]
        for one in records
    ]
    return table([Column("Provider"), Column("Cloud"), Column("What it can", shrinks=True)], rows, cells)


def _can(flags: Mapping[str, bool]) -> str:
    return ", ".join(text for name, text in _CAN.items() if flags.get(name)) or words.MISSING


def checks(records: Sequence[Any]) -> Lines:
    """What a cloud needs, and whether it is there."""
    said = []
    for one in records:
        said.append(f"{'✓' if one.ok else '✗'} {clean_line(one.name)}: {clean_line(one.text)}")
        if one.hint and not one.ok:
            said.append(f"    {clean_line(one.hint)}")
    return said


def rental(record: Instance) -> list[tuple[str, str]]:
    """What a sheet says of a rented machine beside what it says of any."""
    if not record.is_rented:
        return []
    now = time.time()
    about = [record.machine_type, "spot" if record.spot else "", record.cloud_id]
    why = f" ({record.cloud_reason})" if record.cloud_reason else ""
    said = f"{record.cloud_state or 'nothing yet'}{why}"
    seen = f", {words.since(record.cloud_seen_at, now)} ago" if record.cloud_seen_at else ""
    return [
        ("Cloud", clean_line(f"{standing.place(record)}  {'  '.join(one for one in about if one)}")),
        ("Wanted", record.wanted),
        ("The cloud says", clean_line(f"{said}{seen}")),
        ("Not reached", _shut_out(record)),
        ("Deadline", deadline(record, now)),
        *(("Known to" if not place else "", line) for place, line in enumerate(told(record))),
    ]


def _shut_out(record: Instance) -> str:
    """What may be the matter with one that runs and does not answer; empty: nothing is."""
    from cloudtui_engine.fleet import market

    has_firewall = market.cloud(record.provider).can.get("firewall", False)
    return standing.shut_out(record) if has_firewall else ""


def told(record: Instance) -> Lines:
    """Who knows of its end as it is now: `✓ the cloud was told`, `… the machine: not told yet: ...`."""
    return [
        clean_line(f"{'✓' if one.knows else '…'} {standing.TELLING[one.who]}: {one.text}", 300)
        for one in record.told
    ]


def deadline(record: Instance, now: float) -> str:
    """`2026-11-21 18:00, in 3h 10m; stopped then, the disk stays`."""
    if record.is_gone:
        return words.MISSING
    if record.deadline_at is None:
        return "none: it runs until somebody ends it"
    when = f"{words.moment(record.deadline_at)}, {standing.deadline(record, now)}"
    return f"{when}; {_after(record)}" if record.is_rented else when


def _after(record: Instance) -> str:
    """What becomes of what lies there."""
    from cloudtui_engine.fleet import market

    if market.cloud(record.provider).can.get("stop", True) and not record.spot:
        return "stopped then, the disk stays"
    clock = time.strftime("%H:%M", time.localtime(record.deadline_at))
    return f"unpulled results are lost at {clock}"


def asked(verb: str, record: Instance) -> Lines:
    """A command on a rented machine was taken."""
    now = time.time()
    name = clean_line(record.name)
    if verb == "deadline":
        return [f"{name}: {deadline(record, now)}.", *(f"  {line}" for line in told(record))]
    if verb == "open":
        return [f"{name}: its firewall lets this machine in now. See: cloudtui instance probe {name}"]
    return pairs(
        [
            ("Instance", f"{name}  {record.id}"),
            ("State", standing.text(record, now)),
            ("Deadline", deadline(record, now)),
            ("See how it goes", f"cloudtui instance show {name}"),
        ]
    )


def orphan_json(record: Any) -> dict[str, Any]:
    """An orphan."""
    times = {name: words.rfc3339(getattr(record, name)) for name in ("first_seen_at", "seen_at")}
    return {
        "id": record.cloud_id,
        "provider": record.provider,
        "region": record.region,
        "name": record.name,
        "type": record.type,
        "spot": record.spot,
        "cloud_state": record.state,
        "address": str(record.address) if record.address.host else "",
        "price_usd_per_hour": record.price,
        **times,
    }
