"""What stands under a line that shows whether keys go there."""

from __future__ import annotations

from cloudtui.widgets.head import Head
from cloudtui.widgets.tab_strip import TabStrip


class Headed:
    """A widget whose head is bright while something in it has the focus."""

    head: Head

    @property
    def lamp(self) -> Head | TabStrip:
        """The line that shows it."""
        return self.head

    def on_descendant_focus(self) -> None:
        """Keys go there."""
        self.lamp.focused(value=True)

    def on_descendant_blur(self) -> None:
        """They go elsewhere."""
        self.lamp.focused(value=False)
