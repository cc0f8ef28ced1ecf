"""What happened while nobody looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cloudtui import format as fmt
from cloudtui.dialogs.help import HelpScreen
from cloudtui.widgets.facts import Fact, Facts
from cloudtui_engine.records.notice import Notice

_LOOKS = {
    "finished": ("✓ finished", "good"),
    "failed": ("✗ failed", "bad"),
    "lost": ("? lost", "bad"),
    "stopped": ("■ stopped", "muted"),
    "stalled": ("◌ stalled", "warn"),
    "nan": ("⚠ not finite", "warn"),
    "budget": ("⚠ budget", "warn"),
}
_SHOWN = 100


class SinceScreen(HelpScreen):
    """A sheet over the first area, as high as it needs; esc and enter close it."""

    def on_mount(self) -> None:
        """Draw it."""
        super().on_mount()
        self.query_one(".dialog").styles.height = "auto"
        self.query_one(Facts).styles.height = "auto"
        self.query_one(Facts).styles.max_height = "75vh"


def since_facts(notices: Sequence[Notice], now: float) -> list[Fact]:
    """How many of what, then each with its age, newest first."""
    if not notices:
        return [Fact("", "Nothing happened to your runs since you left.")]
    counts = Counter(one.kind for one in notices)
    said = "   ".join(f"{look} {counts[kind]}" for kind, (look, _) in _LOOKS.items() if counts[kind])
    facts = [Fact("In all", said), Fact("One by one", style="heading")]
    for one in list(reversed(notices))[:_SHOWN]:
        look, style = _LOOKS.get(one.kind, (one.kind, ""))
        text = f"{one.run}: {one.detail}" if one.detail else one.run
        facts.append(Fact(f"{look}  {fmt.since(one.t, now)}", text, style if one.kind != "finished" else ""))
    if len(notices) > _SHOWN:
        facts.append(Fact("", f"and {len(notices) - _SHOWN} more", "muted"))
    return facts
