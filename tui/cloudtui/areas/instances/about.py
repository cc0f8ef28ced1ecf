"""The machine tab: all that is known of it, in words."""

from __future__ import annotations

from cloudtui.areas.instances.machine import MachineTab
from cloudtui.areas.instances.rows import instance_facts
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Facts


class AboutTab(MachineTab):
    """A sheet of facts."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.facts = Facts()

    def load(self) -> None:
        """It is the record's: nothing is read."""
        if self.machine is not None:
            self.facts.show(instance_facts(self.machine, self.bridge.now()))

    def tick(self) -> None:
        """Ages are older."""
        self.load()
