"""A machine as a row of the list, and as a sheet of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as fmt
from cloudtui import standing
from cloudtui.areas.instances.machine import Machine
from cloudtui.areas.runs.rows import TONES
from cloudtui.areas.runs.side import gpu_facts
from cloudtui.reported import mapping, mappings
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.table import Cell, Column, Row
from cloudtui_engine.records.instance import LOCAL, NOTICED, Instance, LinkState
from cloudtui_engine.sanitize import clean_line

COLUMNS = (
    Column("Name", 12, share=1),
    Column("Where", 15, share=2, rank=3),
    Column("GPU", 12, share=1, rank=2),
    Column("Util", 5, "right", rank=6),
    Column("Mem GB", 7, "right", rank=7),
    Column("State", 15),
    Column("Deadline", 9, "right", rank=1),
    Column("Runs", 4, "right", rank=8),
    Column("Idle", 5, "right", rank=5),
    Column("Seen", 5, "right", rank=4),
    Column("$/h", 6, "right", rank=3),
    Column("Today", 6, "right", rank=6),
)
_SOON_S = 900.0
_OLD_S = 60.0
_LONG_IDLE_S = 1800.0
_LINKED = frozenset({LinkState.UP, LinkState.SILENT, LinkState.CONNECTING})


def instance_row(machine: Machine, now: float) -> Row:
    """The machine's cells, in the order of `COLUMNS`."""
    instance, live = machine.instance, len(machine.runs)
    gpus = instance.gpus or instance.facts.get("gpus") or ()
    util, memory = _load(instance.gpus)
    known = "" if instance.link_state is LinkState.UP else "muted"  # else it is what once was so
    return Row(
        instance.id,
        (
            (clean_line(instance.name, 60), ""),
            (where(instance), "muted"),
            (fmt.gpus(gpus), "") if gpus else (clean_line(instance.machine_type) or fmt.MISSING, "muted"),
            (util, known),
            (memory, known),
            state(machine, now),
            deadline(instance, now),
            (str(live) if live else fmt.MISSING, "" if live else "muted"),
            idle(machine, now),
            seen(instance, now),
            price(instance),
            (fmt.money(machine.today_usd), ""),
        ),
    )


def where(instance: Instance) -> str:
    """Where it is, in words."""
    return clean_line(standing.place(instance), 120)


def state(machine: Machine, now: float) -> Cell:
    """How it stands. This machine needs no link; without an engine nothing is known of any."""
    instance = machine.instance
    if instance.name == LOCAL and instance.link_state in {*_LINKED, LinkState.DOWN}:
        return "● ready", "good"
    there = not instance.is_rented or instance.cloud_state == "running"
    told = instance.cloud_reason == NOTICED  # that stays so, whoever watches
    if not machine.watched and there and not told and instance.link_state in _LINKED:
        return "○ not watched", "muted"
    mark = standing.mark(instance, machine.launch, machine.attempt)
    old = standing.is_old(instance, now)
    text = standing.text(instance, now, machine.launch, machine.attempt)
    return text, "muted" if old and mark.tone == "busy" else TONES[mark.tone]


def deadline(instance: Instance, now: float) -> Cell:
    """When it ends; yellow in the last quarter of an hour, red after."""
    at = instance.deadline_at
    text = standing.deadline(instance, now)
    never_made = instance.forgotten_at is not None
    if at is None or never_made or text == fmt.MISSING or instance.cloud_state == "stopped":
        return fmt.MISSING, "muted"
    return text, "bad" if at <= now else "warn" if at - now < _SOON_S else ""


def price(instance: Instance) -> Cell:
    """What it costs an hour; of a stopped machine what it will, when it runs."""
    if instance.is_gone or instance.forgotten_at is not None:
        return fmt.MISSING, "muted"
    return fmt.money(instance.price_usd_per_hour), "muted" if instance.cloud_state == "stopped" else ""


def idle(machine: Machine, now: float) -> Cell:
    """For how long nothing has been done there; yellow from the half hour on."""
    since = machine.idle_since(now)
    if since is None:
        return fmt.MISSING, "muted"
    return fmt.since(since, now), "warn" if now - since >= _LONG_IDLE_S else ""


def seen(instance: Instance, now: float) -> Cell:
    """How old what is shown of it is; yellow where that should not be."""
    at = standing.seen_at(instance)
    if at is None:
        return fmt.MISSING, "muted"
    silent = now - at > _OLD_S and instance.link_state in {LinkState.UP, LinkState.SILENT}
    return fmt.since(at, now), "warn" if silent or standing.is_old(instance, now) else "muted"


def _load(gpus: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    uses = [float(g["utilization"]) for g in gpus if isinstance(g.get("utilization"), int | float)]
    used = [
        g
        for g in gpus
        if isinstance(g.get("memory_used_bytes"), int) and isinstance(g.get("memory_bytes"), int)
    ]
    util = f"{sum(uses) / len(uses):.0f}%" if uses else fmt.MISSING
    if not used:
        return util, fmt.MISSING
    taken, whole = sum(g["memory_used_bytes"] for g in used), sum(g["memory_bytes"] for g in used)
    return util, f"{taken / 1e9:.0f}/{whole / 1e9:.0f}"


def instance_facts(machine: Machine, now: float) -> list[Fact]:
    """All that is known of a machine."""
    instance, runs = machine.instance, machine.runs
    word, style = state(machine, now)
    since = machine.idle_since(now)
    facts = [
        Fact("State", style="heading"),
        Fact("link", word, style),
        *([Fact("", clean_line(instance.link_detail, 300), style)] if instance.link_detail else []),
        Fact("where", where(instance)),
        *_heard(instance, now),
        *(
            [Fact("idle", f"for {fmt.since(since, now)}; nothing is queued for it")]
            if since is not None
            else []
        ),
        Fact("folder", _folder(instance)),
    ]
    if runs:
        facts.append(Fact("Runs on it", style="heading"))
        facts += [Fact(clean_line(run.name, 24), str(fmt.RUN_MARKS[run.status])) for run in runs]
    facts += gpu_facts(instance.gpus or instance.facts.get("gpus") or ())
    return facts + (_machine(instance.facts) if instance.forgotten_at is None else [])


def _heard(instance: Instance, now: float) -> list[Fact]:
    """How old the last word of it is; this machine needs none."""
    if instance.name == LOCAL:
        return []
    return [Fact("seen", f"{fmt.since(instance.seen_at, now)} ago" if instance.seen_at else "never")]


def _folder(instance: Instance) -> str:
    """Where our files lie on the machine."""
    if instance.root:
        return clean_line(instance.root, 200)
    return "local/ in this home" if instance.provider == "local" else "~/.cloudtui"


def _machine(found: Mapping[str, Any]) -> list[Fact]:
    if not found:
        return [Fact("Machine", style="heading"), Fact("", "Not looked at yet: p probes it.", "muted")]
    cpu = mapping(found.get("cpu"))
    lines = {
        "system": f"{found.get('os', '')} {found.get('kernel', '')} {found.get('arch', '')}",
        "cpu": f"{cpu.get('model', '')} · {cpu.get('cores', '?')} cores",
        "memory": f"{fmt.size(found.get('memory_free_bytes'))} free of {fmt.size(found.get('memory_bytes'))}",
        "disk": f"{fmt.size(found.get('disk_free_bytes'))} free of {fmt.size(found.get('disk_bytes'))}",
        "driver": str(found.get("driver") or fmt.MISSING),
        "scheduler": "Slurm" if found.get("slurm") else "",
        "quota": str(found.get("quota") or ""),
    }
    facts = [Fact("Machine", style="heading")]
    facts += [Fact(name, clean_line(text, 200)) for name, text in lines.items() if text.strip()]
    pythons = found.get("pythons")
    if isinstance(pythons, list | tuple):
        facts.append(Fact("Pythons", style="heading"))
        facts += [_python(one) for one in mappings(pythons)]
    return facts


def _python(found: Mapping[str, Any]) -> Fact:
    parts = [str(found.get("path", ""))]
    parts += [f"{name} {found[name]}" for name in ("torch", "cuda", "numpy") if found.get(name)]
    return Fact(clean_line(str(found.get("version", "")), 16), clean_line("  ".join(parts), 200))
