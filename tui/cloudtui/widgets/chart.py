"""A line chart that is drawn at the resolution of the screen: live, with zoom, crosshair and log axis.

Import this module with the first chart, not before: it brings numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudtui.widgets import axes, plot, raster, smoothing
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
        Binding("comma", "smooth(-1)", "Less smooth", show=False),
        Binding("full_stop", "smooth(1)", "More smooth", show=False),
    ]

    HINTS: tuple[tuple[str, str], ...] = (
        ("← →", "read"),
        ("+ -", "zoom"),
        ("l", "log axis"),
        (", .", "smooth"),
        ("esc", "list"),
    )

    class Pointed(Message):
        """The crosshair moved, or went away (`step` is None)."""

        def __init__(self, chart: Chart, step: float | None, *, pinned: bool = False) -> None:
            super().__init__()
            self.chart = chart
            self.step = step
            self.pinned = pinned
            """It stays there when the mouse leaves: it was clicked, moved by a key, or put away by one."""

    class Smoothed(Message):
        """Another smoothing was chosen."""

        def __init__(self, chart: Chart) -> None:
            super().__init__()
            self.chart = chart

    class Zoomed(Message):
        """Another part of the x axis is shown; None is the whole."""

        def __init__(self, chart: Chart, zoom: tuple[float, float] | None) -> None:
            super().__init__()
            self.chart = chart
            self.zoom = zoom

    def __init__(self, title: str, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.title = clean_line(title, 60)
        self.log_scale = False
        self.smooth: bool | None = None
        self.strength = smoothing.USUAL
        self.axis: axes.Axis = "step"
        self.until: float | None = None
        self.pinned: float | None = None
        self.pointer: float | None = None
        self.zoom: tuple[float, float] | None = None
        self._plots: tuple[Plot, ...] = ()
        self._lines: list[raster.Line] = []
        self._means: tuple[object, list[raster.Line]] | None = None
        self._frame: tuple[tuple[object, ...], plot.Frame] | None = None
        self._version = 0
        self._gutter = 3
        self._dragged: int | None = None
        self._panned = False

    def show(self, plots: Sequence[Plot], axis: axes.Axis = "step") -> None:
        """Draw these series instead of what was drawn before; zoom and crosshair stay on the same axis."""
        self._plots = tuple(plots)
        if axis != self.axis:
            self.axis, self.zoom, self.pointer, self.pinned, self.until = axis, None, None, None, None
        self._prepare()

    def reveal(self, until: float | None) -> None:
        """Draw the lines only as far as here; None draws all."""
        if until != self.until:
            self.until = until
            self.refresh()

    def smooth_as(self, other: Chart) -> None:
        """Smooth as another chart does."""
        self.smooth, self.strength = other.smooth, other.strength
        self.refresh()

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
        look = (self._version, self.log_scale, self.smooth, self.strength)
        key = (self.size, *look, self.pointer, self.zoom, self.until)
        if self._frame is None or self._frame[0] != key:
            labels = [clean_line(p.label, 24) for p in self._plots]
            spec = plot.Spec(self.title, labels, self._lines, self.log_scale, self.smooth, self.zoom)
            spec = replace(
                spec, pointer=self.pointer, until=self.until, axis=self.axis, means=self._smoothed()
            )
            frame = plot.draw(spec, *self.size, self._gutter)
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

    def _smoothed(self) -> list[raster.Line]:
        """The smoothed lines, made once for all frames that need them."""
        # Perhaps so many points that a frame smooths unasked: it knows its columns, and decides.
        dense = max(map(len, self._lines), default=0) > plot.SMOOTH_ABOVE * self.size.width
        if self.smooth is False or (self.smooth is None and not dense):
            return []
        key = (self._version, self.strength)
        if self._means is None or self._means[0] != key:
            self._means = (key, [smoothing.smoothed(line, self.strength) for line in self._lines])
        return self._means[1]

    def _prepare(self) -> None:
        self._lines = [raster.prepare(p.steps, p.values, log=self.log_scale) for p in self._plots]
        self._version += 1
        self.refresh()

    def action_toggle_log(self) -> None:
        """Switch between a linear and a logarithmic y axis."""
        self.log_scale = not self.log_scale
        self._gutter = 3
        self._prepare()

    def action_toggle_smooth(self) -> None:
        """Draw a mean over a dim envelope, or the points alone."""
        self.smooth = not self.smooth if self.smooth is not None else True
        self.refresh()
        self.post_message(self.Smoothed(self))

    def action_smooth(self, more: int) -> None:
        """Smooth more (1) or less (-1); below the least not at all."""
        strength = self.strength + more if self.smooth is not False else 0
        if self.smooth is not False or more > 0:
            self.smooth = strength >= 0
            self.strength = min(max(strength, 0), len(smoothing.STRENGTHS) - 1)
        self.refresh()
        self.post_message(self.Smoothed(self))

    def action_reset(self) -> None:
        """Show the whole series again, without a crosshair."""
        self._set_zoom(None)
        self._point(None, pin=True)

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
        self._point(min(frame.view.x1, max(frame.view.x0, at)), pin=True)

    # Mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Crosshair under the mouse; with the button held, pan."""
        frame = self.frame
        if self._dragged is not None and frame.view is not None:
            moved = (self._dragged - event.x) * (frame.view.x1 - frame.view.x0) / max(1, frame.width)
            self._dragged = event.x
            self._panned = self._panned or moved != 0
            zoom = self.zoom or (frame.view.x0, frame.view.x1)
            self._set_zoom((zoom[0] + moved, zoom[1] + moved))
        else:
            self._point(plot.step_at(frame, event.x))

    def on_leave(self) -> None:
        """The crosshair goes back to where it was clicked, or away."""
        if not self.is_mouse_over:
            self._point(self.pinned)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag."""
        self._panned = False
        if self.zoom is not None:
            self._dragged = event.x
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        """End of a drag."""
        self._dragged = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """The crosshair stays here; twice: the whole again."""
        if event.chain == 2:
            self.action_reset()
        elif not self._panned and (at := plot.step_at(self.frame, event.x)) is not None:
            self._point(at, pin=True)

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

    def _point(self, step: float | None, *, pin: bool = False) -> None:
        if step is not None:
            # The crosshair stands on a point: what is read beside it was measured there.
            at = plot.nearest(self._lines[0], step) if self._lines else None
            step = step if at is None else float(self._lines[0].x[at])
        if pin or step != self.pointer:
            self.follow(step)
            if pin:
                self.pinned = step
            self.post_message(self.Pointed(self, step, pinned=pin))
