"""A line chart that is drawn at the resolution of the screen: live, with zoom, crosshair and log axis.

Import this module with the first chart, not before: it brings numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudtui.widgets import plot, raster
from cloudtui.widgets.lines import Lines, Runs
from cloudtui_engine.sanitize import clean_line

_ZOOM = 0.6


@dataclass(frozen=True, slots=True)
class Plot:
    """One series to draw: its label and its points (lists or arrays of one length)."""

    label: str
    steps: Any
    values: Any


class Chart(Lines, can_focus=True):
    """Several series over one x axis."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point(-1)", "Crosshair", show=False),
        Binding("right", "point(1)", "Crosshair", show=False),
        Binding("shift+left", "pan(-0.25)", "Pan", show=False),
        Binding("shift+right", "pan(0.25)", "Pan", show=False),
        Binding("plus,equals_sign", "zoom(0.6)", "Zoom in", show=False),
        Binding("minus", "zoom(1.6667)", "Zoom out", show=False),
        Binding("0", "reset", "Whole", show=False),
        Binding("l", "toggle_log", "Log axis", show=False),
        Binding("m", "toggle_smooth", "Smooth", show=False),
    ]

    HINTS = (("← →", "read"), ("+ -", "zoom"), ("l", "log"), ("m", "smooth"), ("esc", "list"))

    class Pointed(Message):
        """The crosshair moved, or went away (`step` is None)."""

        def __init__(self, chart: Chart, step: float | None) -> None:
            super().__init__()
            self.chart = chart
            self.step = step

    class Zoomed(Message):
        """Another part of the x axis is shown; None is the whole."""

        def __init__(self, chart: Chart, zoom: tuple[float, float] | None) -> None:
            super().__init__()
            self.chart = chart
            self.zoom = zoom

    def __init__(self, title: str, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.title = clean_line(title, 60)
        self.log_scale = False
        self.smooth: bool | None = None
        self.pointer: float | None = None
        self.zoom: tuple[float, float] | None = None
        self._plots: tuple[Plot, ...] = ()
        self._lines: list[raster.Line] = []
        self._frame: tuple[tuple[object, ...], plot.Frame] | None = None
        self._version = 0
        self._gutter = 3
        self._dragged: float | None = None

    def show(self, plots: Sequence[Plot]) -> None:
        """Draw these series instead of what was drawn before; zoom and crosshair stay."""
        self._plots = tuple(plots)
        self._prepare()

    def follow(self, pointer: float | None) -> None:
        """Put the crosshair where that of another chart is."""
        if pointer != self.pointer:
            self.pointer = pointer
            self.refresh()

    def show_part(self, zoom: tuple[float, float] | None) -> None:
        """Show this part of the x axis, as another chart does."""
        if zoom != self.zoom:
            self.zoom = zoom
            self.refresh()

    @property
    def frame(self) -> plot.Frame:
        """The frame for the present size and state."""
        width, height = self.size
        key = (width, height, self._version, self.log_scale, self.smooth, self.pointer, self.zoom)
        if self._frame is None or self._frame[0] != key:
            labels = [clean_line(p.label, 24) for p in self._plots]
            spec = plot.Spec(
                self.title, labels, self._lines, self.log_scale, self.smooth, self.zoom, self.pointer
            )
            frame = plot.draw(spec, width, height, self._gutter)
            self._gutter = max(self._gutter, frame.left - 1)
            self._frame = (key, frame)
        return self._frame[1]

    def runs(self, y: int) -> Runs:
        """A row of the frame."""
        rows = self.frame.rows
        if y >= len(rows):
            return ()
        if y == 0 and self.has_focus:
            (title, _), *rest = rows[0]
            return [(title, "*accent"), *rest]
        return rows[y]

    def _prepare(self) -> None:
        self._lines = [raster.prepare(p.steps, p.values, log=self.log_scale) for p in self._plots]
        self._version += 1
        self.refresh()

    # Keys

    def action_toggle_log(self) -> None:
        """Switch between a linear and a logarithmic y axis."""
        self.log_scale = not self.log_scale
        self._gutter = 3
        self._prepare()

    def action_toggle_smooth(self) -> None:
        """Draw a mean over a dim envelope, or the points alone."""
        self.smooth = not self.smooth if self.smooth is not None else True
        self.refresh()

    def action_reset(self) -> None:
        """Show the whole series again."""
        self._set_zoom(None)
        self._point(None)

    def action_zoom(self, factor: float) -> None:
        """Show less (below 1) or more of the x axis, around the crosshair or the middle."""
        view = self.frame.view
        if view is not None:
            middle = self.pointer if self.pointer is not None else (view.x0 + view.x1) / 2
            self._zoom_at(middle, factor)

    def action_pan(self, share: float) -> None:
        """Move along the x axis by a share of what is shown."""
        view = self.frame.view
        if view is not None and self.zoom is not None:
            distance = (view.x1 - view.x0) * share
            self._set_zoom((view.x0 + distance, view.x1 + distance))

    def action_point(self, direction: int) -> None:
        """Move the crosshair by one cell; the first time it appears at the end."""
        frame = self.frame
        if frame.view is None:
            return
        width = (frame.view.x1 - frame.view.x0) / max(1, frame.width)
        at = frame.view.x1 if self.pointer is None else self.pointer + direction * width
        self._point(min(frame.view.x1, max(frame.view.x0, at)))

    # Mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Crosshair under the mouse; with the button held, pan."""
        frame = self.frame
        if self._dragged is not None and frame.view is not None and event.delta_x:
            width = (frame.view.x1 - frame.view.x0) / max(1, frame.width)
            moved = -event.delta_x * width
            zoom = self.zoom or (frame.view.x0, frame.view.x1)
            self._set_zoom((zoom[0] + moved, zoom[1] + moved))
        else:
            self._point(plot.step_at(frame, event.x))

    def on_leave(self) -> None:
        """No mouse, no crosshair."""
        if not self.is_mouse_over:
            self._point(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag."""
        if self.zoom is not None:
            self._dragged = event.x
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        """End of a drag."""
        self._dragged = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Twice: the whole again."""
        if event.chain == 2:
            self.action_reset()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Closer, where the mouse is; only a focused chart takes the wheel from what it lies in."""
        self._wheel(event, _ZOOM)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Farther."""
        self._wheel(event, 1 / _ZOOM)

    def _wheel(self, event: events.MouseScrollUp | events.MouseScrollDown, factor: float) -> None:
        at = plot.step_at(self.frame, event.x)
        if self.has_focus and at is not None:
            event.stop()
            event.prevent_default()
            self._zoom_at(at, factor)

    def _zoom_at(self, middle: float, factor: float) -> None:
        view, whole = self.frame.view, raster.extent(self._lines)
        if view is None or whole is None:
            return
        x0, x1 = middle - (middle - view.x0) * factor, middle + (view.x1 - middle) * factor
        if x1 - x0 >= whole.x1 - whole.x0:
            self._set_zoom(None)
        elif x1 - x0 > max(abs(x0), abs(x1), 1.0) * 1e-9:
            self._set_zoom((x0, x1))

    def _set_zoom(self, zoom: tuple[float, float] | None) -> None:
        self.show_part(zoom)
        self.post_message(self.Zoomed(self, zoom))

    def _point(self, step: float | None) -> None:
        if step is not None:
            # The crosshair stands on a point: what is read beside it was measured there.
            places = [(line, plot.nearest(line, step)) for line in self._lines[:1]]
            step = next((float(line.x[at]) for line, at in places if at is not None), step)
        if step != self.pointer:
            self.follow(step)
            self.post_message(self.Pointed(self, step))
