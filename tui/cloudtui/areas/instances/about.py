"""The machine tab: all that is known of it, in words."""

from __future__ import annotations

from cloudtui.areas.instances.machine import MachineTab
from cloudtui.areas.instances.rental import Story, facts, read
from cloudtui.areas.instances.rows import instance_facts
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Facts


class AboutTab(MachineTab):
    """A sheet of facts."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.facts = Facts()
        self._story: tuple[str, Story] = ("", Story())

    def load(self) -> None:
        """It is the record's; of a rented machine its launch and what lies there alone are read, too."""
        machine = self.machine
        if machine is None:
            return
        self._draw()
        if machine.instance.is_rented:
            catalog, instance = self.bridge.catalog, machine.instance
            self.reader.ask(lambda: (instance.id, read(catalog, instance)), self._show)

    def changed(self, topics: frozenset[str]) -> None:
        """Results have come, or its cloud was looked at."""
        if topics & {"instance", "run", "artifact"}:
            self.load()

    def tick(self) -> None:
        """Ages are older."""
        self._draw()

    def _show(self, found: tuple[str, Story]) -> None:
        self._story = found
        self._draw()

    def _draw(self) -> None:
        machine = self.machine
        if machine is None:
            return
        now = self.bridge.now()
        told = facts(machine, self._story[1], now) if self._story[0] == machine.id else []
        self.facts.show([*told, *instance_facts(machine, now)])
