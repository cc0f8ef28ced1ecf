"""The desktop: areas beside a rail, menus above, keys below. Everything it shows comes from the catalog."""

from __future__ import annotations

import gc
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.worker import Worker, WorkerState

from cloudtui import menus, overlays, theme
from cloudtui.actions import get
from cloudtui.areas.area import Area
from cloudtui.areas.parts import Request
from cloudtui.areas.places import AREAS
from cloudtui.bridge import POLL_S, Bridge, Overview, Reader
from cloudtui.changes import Changes
from cloudtui.chosen import Chosen
from cloudtui.messages import OpenArea, OpenMenu, Perform
from cloudtui.widgets.menu_bar import MenuBar
from cloudtui.widgets.rail import Rail
from cloudtui.widgets.status_bar import StatusBar
from cloudtui_engine.errors import CatalogError, CloudtuiError
from cloudtui_engine.paths import Paths

if TYPE_CHECKING:
    from cloudtui.performing import Performer
    from cloudtui.told import Told


class CloudtuiApp(App[int]):
    """The desktop over one home."""

    TITLE = "cloudtui"
    CSS_PATH = Path(__file__).with_name("cloudtui.tcss")
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]  # noqa: RUF012 - as the base
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(one.place.key, f"area('{name}')", one.place.title, show=False)
            for name, one in AREAS.items()
        ),
        Binding("f10", "menu(0)", "Menu", show=False),
        Binding("q,ctrl+q", "leave", "Quit", show=False, id="home.quit"),
        Binding("ctrl+p", "palette", "Search or run", show=False, id="home.palette"),
        Binding("question_mark,f1", "help", "Help", show=False, id="home.help"),
        Binding("slash", "filter", "Filter", show=False, id="home.filter"),
        Binding("escape", "back", "Back", show=False),
        Binding("minus", "previous", "Area before", show=False, id="home.previous"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Next tab", show=False),
        Binding("y", "copy_command", "Copy as command", show=False, id="home.copy"),
        Binding("P", "picture", "Picture", show=False, id="home.picture"),
    ]

    def __init__(
        self, bridge: Bridge, *, select_run: str | None = None, first: str = "runs", look: str = "",
        read_only: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.bridge = bridge
        self.chosen = Chosen(self, bridge, sealed=read_only)
        self.overview = Overview({})
        self.current = self._previous = ""
        self._first, self._select_run = first, select_run
        self._mounted: dict[str, Area] = {}
        kind = AREAS[first].load()
        bridge.begin(first, lambda: kind.fetch(bridge, Request(sort=kind.SORT)))
        self._asked: set[str] = set()
        theme.dress(self, look or self.chosen.look)

    def compose(self) -> ComposeResult:
        """Bar, rail, area, bar."""
        yield MenuBar([menu.title for menu in self._menus("", ())])
        with Horizontal(id="main"):
            yield Rail([one.place for one in AREAS.values()])
            with Container(id="areas"):
                yield self._make(self._first)  # with the rest: one layout, one paint
        yield StatusBar()

    def on_mount(self) -> None:
        """Show the first area, then look for changes."""
        self._overview_reader = Reader(
            self.query_one(Rail), self.bridge, lambda error: self.performer.say_error(error)
        )
        self.open_area(self._first, self._select_run)
        self.chosen.apply()
        self.call_after_refresh(gc.enable)
        self.call_after_refresh(lambda: self.told.begin())
        self.set_interval(POLL_S, Changes(self).poll)
        self.set_interval(1.0, self._tick)

    @cached_property
    def performer(self) -> Performer:
        """What carries out actions; not needed before somebody does something."""
        from cloudtui.performing import Performer

        return Performer(self, self.bridge, self.open_area)

    @cached_property
    def told(self) -> Told:
        """What tells of runs that ended; begins after the first paint."""
        from cloudtui.told import Told

        return Told(self, self.bridge, self.chosen, self.write_out)

    def write_out(self, text: str) -> None:
        """Hand a sequence to the terminal, past the screen."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)

    def heed(self, topics: frozenset[str]) -> None:
        """Something was written."""
        self.chosen.heed(topics)
        self.told.heed(topics)

    # Areas

    @property
    def area(self) -> Area | None:
        """The area that is shown."""
        return self._mounted.get(self.current)

    def open_area(self, name: str, key: str | None = None) -> None:
        """Show an area, and there the object with this id."""
        area = self._mounted.get(name)
        if area is None:
            area = self._make(name)
            self.query_one("#areas").mount(area)
        elif self.current not in {name, ""}:
            area.reload()
        if name != self.current:
            self._previous = self.current
        self.current = name
        for other, widget in self._mounted.items():
            widget.display = other == name
        self.query_one(Rail).go(name)
        if key is not None:
            area.select(key)
        self.call_after_refresh(area.focus_list)
        self._show_context()

    def _make(self, name: str) -> Area:
        area = self._mounted[name] = AREAS[name].load()(self.bridge)
        return area

    def action_previous(self) -> None:
        """The area that was shown before this one."""
        if self._previous:
            self.open_area(self._previous)

    def action_area(self, name: str) -> None:
        """Show an area."""
        self.open_area(name)

    def on_open_area(self, event: OpenArea) -> None:
        """A part of the screen asks for an area."""
        self.open_area(event.area, event.key)

    # Changes

    def _tick(self) -> None:
        if self.area is not None and len(self.screen_stack) == 1:
            self.area.tick()

    def look_around(self) -> None:
        """Read what rail and status bar show."""
        self._overview_reader.ask(self.bridge.overview, self._show_overview)

    def _show_overview(self, overview: Overview) -> None:
        self.overview = overview
        if not self.screen_stack:  # the last answer to an app that ends
            return
        self.query_one(Rail).show(overview.counts)
        self.query_one(StatusBar).state(overview.parts())
        if overview.needs_you and not self.chosen.read_only:
            self._ask_questions()

    def _ask_questions(self) -> None:
        from cloudtui.dialogs.questions import ask_all

        self.run_worker(
            ask_all(self, self.bridge, self._asked), group="questions", exclusive=False, exit_on_error=False
        )

    # Actions

    def _menus(self, noun: str, selected: Any) -> tuple[menus.Menu, ...]:
        return menus.menus(
            noun, selected, [(name, one.place.key, one.place.title) for name, one in AREAS.items()]
        )

    def _here(self) -> tuple[str, list[Any]]:
        return (self.area.NOUN, self.area.selected()) if self.area is not None else ("", [])

    def _show_context(self) -> None:
        if not self.screen_stack:  # the last messages of an app that ends
            return
        hints = [(key, label, "") for key, label in getattr(self.focused, "HINTS", ())]
        self.query_one(StatusBar).keys([*hints, *menus.bar(*self._here())])

    def on_context_changed(self) -> None:
        """Other keys make sense."""
        self._show_context()
        if not self.overview.counts:  # what stands around the list comes after it
            self.call_after_refresh(self.look_around)

    def on_descendant_focus(self) -> None:
        """Keys go elsewhere: say which there are."""
        if len(self.screen_stack) == 1:
            self._show_context()

    def on_perform(self, event: Perform) -> None:
        """Carry it out."""
        self.perform(event.action, event.arguments)

    def perform(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Carry out an action of the registry, or one of the screen's own."""
        group, _, rest = name.partition(".")
        if group == "area":
            self.open_area(rest)
        elif name in menus.OWN:
            self.call_later(self.run_action, menus.OWN[name])
        else:
            self.performer.perform(get(name), *self._here(), arguments or {})

    def on_key(self, event: events.Key) -> None:
        """Keys of the registry, for the area that is shown, where nothing that has the focus wanted them."""
        area = self.area
        if area is None or len(self.screen_stack) > 1:
            return
        bound = self.screen.active_bindings.get(event.key)
        if bound is not None and bound.node is not self:  # a chart zooms with +, a log goes on with n
            return
        action = menus.by_key(area.NOUN, event.key, event.character)
        if action is not None:
            event.stop()
            event.prevent_default()
            self.perform(action.id)

    async def action_filter(self) -> None:
        """Type a filter for the list."""
        if self.area is not None:
            await self.area.pane.edit_filter()

    async def action_back(self) -> None:
        """One step out."""
        if self.area is not None:
            self.area.step_back()

    def action_tab(self, step: int) -> None:
        """Another tab of the detail."""
        if self.area is not None:
            self.area.detail.turn(step)

    def action_turn_trash(self) -> None:
        """The trash of runs, or the rest again."""
        from cloudtui.areas.runs.area import RunsArea

        self.open_area("runs")
        if isinstance(self.area, RunsArea):
            self.area.turn_trash()

    def action_menu(self, index: int) -> None:
        """Open a menu."""
        overlays.open_menu(self, index, self._menus(*self._here()), self.perform)

    def on_open_menu(self, event: OpenMenu) -> None:
        """A title was clicked."""
        if event.index is None:
            self.action_palette()
        else:
            self.action_menu(event.index)

    def action_palette(self) -> None:
        """Search or run."""
        overlays.open_palette(self, self.bridge, self._menus(*self._here()), self._go)

    def _go(self, value: str) -> None:
        kind, _, rest = value.partition(":")
        if kind == "action":
            self.perform(rest)
        else:
            self.open_area(kind, rest or None)

    def action_help(self) -> None:
        """The keys of what is focused."""
        title = f"Keys: {AREAS[self.current].place.title}"
        overlays.open_help(self, title, self._here()[0], [one.place for one in AREAS.values()])

    def action_picture(self) -> None:
        """The focused panel as an SVG."""
        overlays.take_picture(self, self.bridge)

    def action_copy_command(self) -> None:
        """Copy the command that shows what is selected."""
        noun, selected = self._here()
        if selected:
            text = self.performer.command_of(get(f"{noun}.show"), selected)
            self.copy_to_clipboard(text)
            self.notify(text, title="Copied", timeout=4, markup=False)

    def action_toggle_theme(self) -> None:
        """Light or dark."""
        try:
            self.chosen.turn_theme()
        except CatalogError as error:  # it is light or dark all the same, until the desktop closes
            self.performer.say_error(error)

    def action_since(self) -> None:
        """What happened since the desktop was left."""
        self.told.show()

    async def action_leave(self) -> None:
        """Close the desktop; runs go on."""
        overlays.leave(self, self.chosen, self.overview.live_runs)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed in a way nobody foresaw says so instead of ending the program."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.performer.say_error(
                error if isinstance(error, CloudtuiError) else CloudtuiError(f"That failed: {error!r}")
            )


def run(paths: Paths, *, select_run: str | None = None, read_only: bool = False) -> int:
    """Open the desktop; returns the exit status. Runs that are live when it closes go on."""
    bridge = Bridge(paths)
    try:
        app = CloudtuiApp(bridge, select_run=select_run, read_only=read_only)
        gc.freeze()  # what is loaded by now stays: no collection need look at it
        gc.disable()  # nor at the first screen while it is made
        live = app.run()
    finally:
        gc.enable()
        bridge.close()
    if live:
        print(f"{live} {'run goes' if live == 1 else 'runs go'} on.")  # noqa: T201 - after the screen is gone
    return app.return_code or 0
