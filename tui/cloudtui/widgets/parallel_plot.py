"""Parallel coordinates on the screen: axes by keys, lines by keys or a click, ranges by keys or dragging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudtui.widgets.lines import Lines, Runs
from cloudtui.widgets.parallel import Axis, Brush, Frame, Spec, draw, nearest, scrolled


class ParallelPlot(Lines, can_focus=True):
    """Draws axes and runs; the ranges that were chosen stay while the axes do."""

    DEFAULT_CSS = "ParallelPlot { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "axis(-1)", "Axis before", show=False),
        Binding("right,l", "axis(1)", "Next axis", show=False),
        Binding("up,k", "run(1)", "Line above", show=False),
        Binding("down,j", "run(-1)", "Line below", show=False),
        Binding("shift+up", "cut(0, 1)", "Cut from below", show=False),
        Binding("shift+down", "cut(0, -1)", "Less from below", show=False),
        Binding("ctrl+down", "cut(1, -1)", "Cut from above", show=False),
        Binding("ctrl+up", "cut(1, 1)", "Less from above", show=False),
        Binding("space", "alike", "Only those that are alike here", show=False),
        Binding("backspace", "clear", "All of this axis", show=False),
        Binding("0", "clear_all", "All", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← →", "axis"), ("↑ ↓", "run"), ("space", "only alike"), ("shift/ctrl ↑ ↓", "range"), ("0", "all"),
    )  # fmt: skip

    class Changed(Message):
        """Another run has the focus, or others are kept."""

        def __init__(self, plot: ParallelPlot) -> None:
            super().__init__()
            self.plot = plot

    def __init__(self) -> None:
        super().__init__()
        self.spec = Spec(())
        self._frame: tuple[tuple[Spec, int, int], Frame] | None = None
        self._dragged: tuple[int, float] | None = None
        """The axis that is dragged on, and from where."""

    def show(self, axes: Sequence[Axis], focus: int | None) -> None:
        """Draw these; the cursor, and the ranges of axes that are called as before, stay."""
        before, titles = self.spec, [one.title for one in axes]
        brushes = {
            at: one for at, one in before.brushes.items() if titles[at : at + 1] == [before.axes[at].title]
        }
        cursor = min(before.cursor, len(axes) - 1) if before.axes else len(axes) - 1
        self._set(replace(before, axes=tuple(axes), focus=focus, cursor=max(0, cursor), brushes=brushes))

    @property
    def frame(self) -> Frame:
        """What is seen."""
        key = (self.spec, self.size.width, self.size.height)
        if self._frame is None or self._frame[0] != key:
            self._frame = key, draw(*key)
        return self._frame[1]

    def runs(self, y: int) -> Runs:
        """A row of the frame."""
        rows = self.frame.rows
        return rows[y] if y < len(rows) else ()

    def _set(self, spec: Spec) -> None:
        first = scrolled(len(spec.axes), spec.first, spec.cursor, self.size.width) if spec.axes else 0
        spec = replace(spec, first=first)
        if spec != self.spec:
            self.spec = spec
            self.refresh()
            self.post_message(self.Changed(self))

    def on_resize(self) -> None:
        """Other axes may be seen."""
        self._set(self.spec)

    # Keys

    def action_axis(self, step: int) -> None:
        """To a neighbour of the axis."""
        self._set(replace(self.spec, cursor=max(0, min(self.spec.cursor + step, len(self.spec.axes) - 1))))

    def action_run(self, step: int) -> None:
        """To the run that crosses this axis next above or below."""
        spec = self.spec
        if not spec.axes:
            return
        places = spec.axes[spec.cursor].places
        order = sorted(spec.kept(), key=lambda run: (places[run] is None, places[run] or 0.0, run))
        if not order:
            return
        at = order.index(spec.focus) if spec.focus in order else (-1 if step > 0 else len(order))
        self._set(replace(spec, focus=order[max(0, min(at + step, len(order) - 1))]))

    def action_cut(self, end: int, step: int) -> None:
        """Move the lower (0) or the upper (1) end of the axis's range by one value."""
        spec = self.spec
        stops = spec.axes[spec.cursor].stops() if spec.axes else []
        if not stops:
            return
        brush = list(spec.brushes.get(spec.cursor, (stops[0], stops[-1])))
        at = min(range(len(stops)), key=lambda index: abs(stops[index] - brush[end])) + step
        brush[end] = stops[max(0, min(at, len(stops) - 1))]
        if brush[0] <= brush[1]:
            whole = brush == [stops[0], stops[-1]]
            self._brush(spec.cursor, None if whole else (brush[0], brush[1]))

    def action_alike(self) -> None:
        """Only runs that cross this axis where the one in focus does; once more: all again."""
        spec = self.spec
        here = spec.axes[spec.cursor].places[spec.focus] if spec.axes and spec.focus is not None else None
        if here is not None:
            self._brush(spec.cursor, None if spec.brushes.get(spec.cursor) == (here, here) else (here, here))

    def action_clear(self) -> None:
        """No range on this axis."""
        self._brush(self.spec.cursor, None)

    def action_clear_all(self) -> None:
        """No ranges at all."""
        self._set(replace(self.spec, brushes={}))

    def _brush(self, axis: int, brush: Brush | None) -> None:
        rest = {at: one for at, one in self.spec.brushes.items() if at != axis}
        self._set(replace(self.spec, cursor=axis, brushes=rest if brush is None else {**rest, axis: brush}))

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """On an axis: a range begins. Elsewhere: the run whose line is closest."""
        if event.button != 1:
            return
        axis = self.frame.axis_at(event.x)
        if axis is None:
            run = nearest(self.spec, self.frame, event.x, event.y)
            self._set(replace(self.spec, focus=self.spec.focus if run is None else run))
            return
        self._dragged = (axis, self.frame.place_at(event.y))
        self.capture_mouse()
        self._set(replace(self.spec, cursor=axis))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The range follows."""
        if self._dragged is not None:
            axis, start = self._dragged
            here, half = self.frame.place_at(event.y), 0.5 / max(1, self.frame.height)
            self._brush(axis, (min(start, here) - half, max(start, here) + half))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """A range, or, of a click that did not move, none any more."""
        if self._dragged is None:
            return
        axis, start = self._dragged
        self._dragged = None
        self.release_mouse()
        if self.frame.place_at(event.y) == start:
            self._brush(axis, None)
