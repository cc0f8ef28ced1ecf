"""The area of settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.actions.preferences import KEYS
from cloudtui.actions.settled import Setting, settings
from cloudtui.areas.area import Area
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.sheet import SheetDetail
from cloudtui.bridge import Bridge
from cloudtui.messages import Perform
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.table import Column, Row

_GROUPS = {"desktop": "Desktop", "notify": "Being told", "keys": "Keys"}


class SettingsArea(Area):
    """All settings: how it looks, how one is told, the keys."""

    ID = "settings"
    NOUN = "settings"
    TITLE = "Settings"
    COLUMNS = (
        Column("Of", 10),
        Column("Setting", 23, share=3),
        Column("Value", 16, share=2),
        Column("", 16, rank=1, share=1),
    )
    TOPICS: ClassVar[frozenset[str]] = frozenset({"setting"})

    def make_detail(self) -> Detail:
        """A sheet of facts."""
        return SheetDetail(facts)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All settings whose name or key holds the filter."""
        wanted = request.filter.lower()
        found = [
            one
            for one in settings(bridge.catalog.settings.all())
            if wanted in one.id.lower() or wanted in one.preference.title.lower()
        ]
        wrong = sum(bool(one.problem) for one in found)
        note = f"{wrong} with a problem" if wrong else ""
        first = request.first
        return Listing(found[first : first + 500], first, len(found), note)

    def row(self, record: Setting, now: float) -> Row:  # noqa: ARG002 - no age here
        """A setting as cells: what is wrong with it beside its value."""
        said = f"⚠ {record.problem}" if record.problem else "changed" if record.changed else ""
        return Row(
            record.id,
            (
                (_GROUPS[record.id.partition(".")[0]], "muted"),
                (record.preference.title, ""),
                (record.shown or fmt.MISSING, "accent" if record.changed else ""),
                (said, "warn" if record.problem else "muted"),
            ),
        )

    def open_detail(self) -> None:
        """Enter changes the setting: its sheet has nothing to go into."""
        if self.selected():
            self.post_message(Perform("settings.set"))


def facts(record: Setting) -> Sequence[Fact]:
    """What it is, and what it may be."""
    about = record.preference
    command = f"cloudtui settings set {record.id} VALUE"
    return [
        Fact("Value", record.shown or fmt.MISSING),
        *([Fact("Problem", f"⚠ {record.problem}", "warn")] if record.problem else []),
        Fact("Default", about.shown(about.default) or fmt.MISSING, "muted"),
        Fact("What it is", f"{about.help[:1].upper()}{about.help[1:]}."),
        Fact("It takes", about.allowed),
        Fact("Command", command, "muted"),
        *([Fact("Note", "A change is there at once, on every desktop of this home.", "muted")]
          if record.id.startswith(KEYS) else []),
    ]  # fmt: skip
