"""Records as text for people: a table for several, lines for one. All text from hosts is cleaned here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui import standing
from cloudtui.cli import dataset_texts, fleet_texts, job_texts, money_texts, run_texts, work_texts
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.model import Model
from cloudtui_engine.sanitize import clean_line

Lines = list[str]
_SYSTEM = ("os", "kernel", "arch")
_LOOKED_AT_S = 180.0


def instances(records: Sequence[Instance], cells: int | None) -> Lines:
    """The list of machines."""
    now = time.time()
    columns = [
        Column("Name"),
        Column("Where", shrinks=True),
        Column("State"),
        Column("GPU", shrinks=True),
        Column("Free disk", right=True),
        Column("Deadline", right=True),
        Column("$/h", right=True),
        Column("Seen", right=True),
        Column("Id"),
    ]
    rows = [
        [
            clean_line(one.name),
            clean_line(standing.place(one) if one.is_rented else str(one.address)),
            str(standing.mark(one)),
            words.gpus(one.gpus),
            words.size(one.facts.get("disk_free_bytes")),
            standing.deadline(one, now),
            words.money(one.price_usd_per_hour),
            words.since(standing.seen_at(one), now),
            one.id,
        ]
        for one in records
    ]
    return table(columns, rows, cells)


def _is_idle(record: Instance, now: float) -> bool:
    """It was idle when it was looked at; that is not long ago, and the link is still there."""
    fresh = now - (record.looked_at or 0.0) < _LOOKED_AT_S and record.link_state is LinkState.UP
    return record.idle_since is not None and fresh


def instance(record: Instance) -> Lines:
    """One machine."""
    now = time.time()
    facts: Mapping[str, Any] = record.facts
    cpu = facts.get("cpu") or {}
    lines = pairs(
        [
            ("Instance", f"{clean_line(record.name)}  {record.id}"),
            ("Where", clean_line(str(record.address)) if record.address.host or not record.is_rented else ""),
            ("State", f"{standing.mark(record)}  {clean_line(record.link_detail)}".rstrip()),
            *fleet_texts.rental(record),
            ("Seen", f"{words.since(record.seen_at, now)} ago" if record.seen_at else ""),
            ("Idle", f"for {words.since(record.idle_since, now)}" if _is_idle(record, now) else ""),
            ("Price", _per_hour(record.price_usd_per_hour)),
            ("Cost", f"${words.money(record.cost_usd)}" if record.cost_usd is not None else ""),
            ("Folder", clean_line(record.root)),
            ("System", clean_line(" ".join(str(facts.get(k) or "") for k in _SYSTEM))),
            ("CPU", clean_line(f"{cpu.get('model', '')} x{cpu.get('cores', '?')}") if cpu else ""),
            ("Memory", _free_of(facts, "memory")),
            ("Disk", _free_of(facts, "disk")),
            ("Driver", clean_line(str(facts.get("driver") or ""))),
        ]
    )
    for gpu in record.gpus:
        memory = f"{words.size(gpu.get('memory_used_bytes'))} of {words.size(gpu.get('memory_bytes'))}"
        lines.append(f"GPU {gpu.get('index', '')}  {clean_line(str(gpu.get('name', '')))}  {memory}")
    for python in facts.get("pythons") or ():
        version, torch = clean_line(str(python.get("version", "?"))), python.get("torch")
        with_torch = f"torch {clean_line(str(torch))}" if torch else "no torch"
        lines.append(f"Python {version}  {clean_line(str(python.get('path', '')))}  {with_torch}")
    return lines


def _per_hour(price: float | None) -> str:
    return "" if price is None else f"${words.money(price)} an hour"


def _free_of(facts: Mapping[str, Any], what: str) -> str:
    free, whole = facts.get(f"{what}_free_bytes"), facts.get(f"{what}_bytes")
    return f"{words.size(free)} free of {words.size(whole)}" if whole else ""


def models(records: Sequence[Model], cells: int | None) -> Lines:
    """The list of models."""
    now = time.time()
    columns = [
        Column("Name", shrinks=True),
        Column("Version", right=True),
        Column("Alias"),
        Column("Task"),
        Column("Dataset"),
        Column("Test accuracy", right=True),
        Column("Size", right=True),
        Column("Age", right=True),
        Column("Id"),
    ]
    there = {one.id for one in records}
    rows = [
        [
            f"{'  ' if one.variant and one.parent_id in there else ''}{clean_line(one.name)}",
            str(one.version),
            ", ".join(one.alias),
            one.task,
            clean_line(one.dataset or ""),
            words.number(one.metrics.get("test/accuracy")),
            words.size(max((f.size_bytes for f in one.files), default=None)),
            words.since(one.created_at, now),
            one.id,
        ]
        for one in records
    ]
    return table(columns, rows, cells)


def model_detail(record: Any, cells: int | None) -> Lines:
    """One model version, its evaluations, and what was made from it."""
    lines = model(record.model)
    if record.lineage:
        lines += ["", f"Made from {clean_line(' < '.join(record.lineage))}."]
    if record.evaluations:
        lines += ["", *job_texts.evaluations(record.evaluations, cells)]
    if record.compressions:
        lines += ["", *job_texts.compressions(record.compressions, cells)]
    if record.children:
        lines += ["", "Made from it:", *models(record.children, cells)]
    return lines


def model(record: Model) -> Lines:
    """One model version."""
    lines = pairs(
        [
            ("Model", f"{clean_line(record.name)} v{record.version}  {record.id}"),
            ("Alias", ", ".join(record.alias)),
            ("Run", record.run_id),
            ("Task", record.task),
            ("Architecture", clean_line(record.architecture)),
            ("Dataset", clean_line(record.dataset or "")),
            ("Cost", f"${words.money(record.cost_usd)}" if record.cost_usd is not None else ""),
            *((clean_line(key), words.number(value)) for key, value in record.metrics.items()),
        ]
    )
    rows = [[clean_line(f.name), words.size(f.size_bytes), run_texts.place(f)] for f in record.files]
    return [*lines, "", *table([Column("File"), Column("Size", right=True), Column("Where")], rows)]


LISTS: Mapping[str, Callable[[Any, int | None], Lines]] = {
    "run": run_texts.runs,
    "instance": instances,
    "dataset": dataset_texts.datasets,
    "model": models,
    "operation": work_texts.operations,
    "view": work_texts.views,
    "budget": money_texts.budgets,
    "action": work_texts.acts,
}
EMPTY: Mapping[str, str] = {
    "run": "No runs. Begin with: cloudtui demo",
    "instance": "No machines but this one. Add one: cloudtui instance add NAME --ssh USER@HOST",
    "dataset": "No datasets. Begin with: cloudtui dataset add digits digits",
    "view": "No views. Save one: cloudtui view save NAME --filter 'tag:vision sort:-cost'",
    "action": "Nothing was done here yet.",
    "budget": "No budgets: nothing holds a launch back. Set one: cloudtui budget set 50/month",
    "operation": "Nothing waits and nothing is under way. All that ever was: cloudtui operation list --all",
    "model": "No models. A training run leaves one: cloudtui demo",
}
