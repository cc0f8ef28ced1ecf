"""The GPUs tab: what each did over the last hour, and who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult

from cloudtui import format as fmt
from cloudtui.areas.instances.machine import Machine, MachineTab
from cloudtui.bridge import Bridge
from cloudtui.reported import number
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.gpu_map import MINUTES, GpuMap, GpuRow
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.records.gpu import GpuMinute
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.sanitize import clean_line

_COLUMNS = (
    Column("GPU", 4, "right"),
    Column("Pid", 8, "right"),
    Column("User", 8, share=1),
    Column("Memory", 9, "right"),
    Column("Command", 20, share=4),
)


class GpusTab(MachineTab):
    """The heat map above the processes, and a line that says how old it is."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.map = GpuMap()
        self.table = Table(_COLUMNS)
        self.foot = Foot()
        self._minutes: Sequence[GpuMinute] = ()

    def compose(self) -> ComposeResult:
        """Both, or the notice."""
        yield self.notice
        yield self.map
        yield self.table
        yield self.foot

    def load(self) -> None:
        """Minutes come from the catalog; processes are the record's."""
        machine = self.machine
        if machine is None:
            return
        gpus = gpus_of(machine.instance)
        self.notice.display = not gpus
        self.map.display = self.table.display = bool(gpus)
        if not gpus:
            looked = bool(machine.instance.facts)
            self.notice.say(
                "No GPU" if looked else "Not looked at yet",
                more="None was found on this machine." if looked else "p looks at the machine.",
            )
        self.table.show(process_rows(gpus))
        catalog, since = self.bridge.catalog, self.bridge.now() - 60 * MINUTES
        self.reader.ask(lambda: (machine.id, catalog.gpu_use.since(machine.id, since)), self._show)
        self._say()

    def changed(self, topics: frozenset[str]) -> None:
        """Something was measured."""
        if "instance" in topics:
            self.load()

    def tick(self) -> None:
        """It is later."""
        self._draw()
        self._say()

    def focus_inside(self) -> None:
        """The map takes the keys."""
        (self.map if self.map.display else self).focus()

    def on_table_opened(self, event: Table.Opened) -> None:
        """There is nothing further inside."""
        event.stop()

    def _show(self, found: tuple[str, list[GpuMinute]]) -> None:
        if self.machine is not None and found[0] == self.machine.id:
            self._minutes = found[1]
            self._draw()

    def _draw(self) -> None:
        if self.machine is not None:
            now = int(self.bridge.now() // 60)
            self.map.show(gpu_rows(gpus_of(self.machine.instance), self._minutes), now)

    def _say(self) -> None:
        if self.machine is not None:
            self.foot.show(*said(self.machine, self.bridge.now()))


def gpus_of(instance: Instance) -> Sequence[Mapping[str, Any]]:
    """Its GPUs as they were seen last."""
    return tuple(instance.gpus or instance.facts.get("gpus") or ())


def gpu_rows(gpus: Sequence[Mapping[str, Any]], minutes: Sequence[GpuMinute]) -> list[GpuRow]:
    """A row a GPU, those that only the minutes know included."""
    known = {gpu["index"]: gpu for gpu in gpus if isinstance(gpu.get("index"), int)}
    rows = []
    for index in sorted({*known, *(one.gpu for one in minutes)}):
        mine = [one for one in minutes if one.gpu == index]
        gpu = known.get(index, {})
        used = {one.minute: one.utilization / 100 for one in mine}
        memory = {
            one.minute: one.memory_used / one.memory
            for one in mine
            if one.memory_used is not None and one.memory
        }
        name = clean_line(str(gpu.get("name") or ""), 40)
        rows.append(GpuRow(f"{index}  {name}", used, memory, _now(gpu)))
    return rows


def _now(gpu: Mapping[str, Any]) -> tuple[str, str]:
    use, taken = number(gpu.get("utilization")), number(gpu.get("memory_used_bytes"))
    return (
        fmt.MISSING if use is None else f"{use:.0f}%",
        fmt.MISSING if taken is None else fmt.size(taken),
    )


def process_rows(gpus: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Who uses them, as a host told: the largest first within each GPU."""
    rows = []
    for gpu in gpus:
        found = [one for one in gpu.get("processes") or () if isinstance(one, Mapping)]
        found.sort(key=lambda one: -(number(one.get("memory_bytes")) or 0.0))
        for one in found:
            pid = number(one.get("pid"))
            cells = (
                (str(gpu.get("index", "")), ""),
                (fmt.MISSING if pid is None else f"{pid:.0f}", "muted"),
                (clean_line(str(one.get("user") or "?"), 40), ""),
                (fmt.size(number(one.get("memory_bytes"))), ""),
                (clean_line(str(one.get("command") or ""), 200), ""),
            )
            rows.append(Row(f"{gpu.get('index')}:{pid}", cells))
    return rows


def said(machine: Machine, now: float) -> tuple[str, str]:
    """What follows from it, and how old it is."""
    looked, idle = machine.instance.looked_at, machine.idle_since(now)
    users = any(gpu.get("processes") for gpu in machine.instance.gpus)
    text = "" if users or looked is None else "Nobody uses a GPU"
    if idle is not None:
        text = f"{text or 'Idle'} · idle for {fmt.since(idle, now)}, nothing is queued for it"
    return (
        text,
        f"looked {fmt.since(looked, now)} ago" if looked is not None else "the engine has not looked yet",
    )
