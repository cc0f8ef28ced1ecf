"""The desktop: areas beside a rail, menus above, keys below. Everything it shows comes from the catalog."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.worker import Worker, WorkerState

from cloudtui import bindings, overlays, theme
from cloudtui.areas.area import Area
from cloudtui.areas.places import AREAS
from cloudtui.bridge import POLL_S, Bridge
from cloudtui.changes import Changes
from cloudtui.chosen import Chosen
from cloudtui.here import Here
from cloudtui.keeping import Keeping
from cloudtui.messages import OpenArea, OpenContext, OpenMenu, Perform
from cloudtui.surroundings import Surroundings
from cloudtui.sweeping import NEW_S, Sweeper
from cloudtui.visited import Visited
from cloudtui.widgets.menu_bar import MenuBar
from cloudtui.widgets.rail import Rail
from cloudtui.widgets.status_bar import StatusBar
from cloudtui_engine.errors import CatalogError, CloudtuiError
from cloudtui_engine.paths import Paths

if TYPE_CHECKING:
    from cloudtui.performing import Performer
    from cloudtui.told import Told
    from cloudtui.ways import Ways

TEND_S = 3.0
"""How often is seen whether an engine lives where one is needed."""


class CloudtuiApp(App[int]):
    """The desktop over one home."""

    TITLE = "cloudtui"
    CSS_PATH = Path(__file__).with_name("cloudtui.tcss")
    ENABLE_COMMAND_PALETTE = False
    ALLOW_IN_MAXIMIZED_VIEW = "MenuBar, StatusBar"
    ESCAPE_TO_MINIMIZE = False  # a line that is typed in comes first
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]  # noqa: RUF012 - as the base
    BINDINGS: ClassVar[list[BindingType]] = bindings.BINDINGS
    tends_engine = False
    """It sees that an engine lives while one is needed."""
    sweeper: Sweeper | None = None
    """What collects garbage; None: Python does."""

    def __init__(
        self, bridge: Bridge, *, select_run: str | None = None, first: str = "", look: str = "",
        read_only: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.bridge = bridge
        self.chosen = Chosen(self, bridge, sealed=read_only)
        self.visited = Visited(self, bridge, self.chosen.layout)
        self.keeping = Keeping(self, bridge, self.chosen, self.visited)
        self.here = Here(self, self.visited, lambda: self.performer)
        self.visited.begin(first, select_run)
        theme.dress(self, look or self.chosen.look)

    def compose(self) -> ComposeResult:
        """Bar, rail, area, bar."""
        widths = [name for width, name in self.HORIZONTAL_BREAKPOINTS if self.size.width >= width]
        self.screen.add_class(widths[-1])  # Textual gives it after the first paint, which would be another
        yield MenuBar([menu.title for menu in self.here.menus()])
        with Horizontal(id="main"):
            yield Rail([one.place for one in AREAS.values()])
            with Container(id="areas"):
                yield self.visited.make(self.visited.first)  # with the rest: one layout, one paint
        yield StatusBar()

    def on_mount(self) -> None:
        """Show the first area, then look for changes."""
        self.surroundings = Surroundings(self, self.bridge, self.chosen, self.say_error)
        self.open_area(self.visited.first, self.visited.wanted)
        self.chosen.apply()
        self.call_after_refresh(lambda: self.told.begin())
        self.set_interval(POLL_S, Changes(self).poll)
        self.set_interval(1.0, self._tick)
        if self.sweeper is not None:
            self.set_interval(NEW_S, self.sweeper.look)
        if self.tends_engine:
            self.set_interval(TEND_S, self._tend)

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

    @cached_property
    def ways(self) -> Ways:
        """What opens and moves the parts of the screen; not needed before somebody wants it."""
        from cloudtui.ways import Ways

        return Ways(self, self.bridge, self.here, self.visited, lambda: self.performer)

    def write_out(self, text: str) -> None:
        """Hand a sequence to the terminal, past the screen."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)

    def say_error(self, error: CloudtuiError) -> None:
        """What failed and what to do."""
        self.performer.say_error(error)

    def heed(self, topics: frozenset[str]) -> None:
        """Something was written; a desktop that ends has no screen to show it on."""
        if not self.screen_stack:
            return
        self.chosen.heed(topics)
        self.told.heed(topics)

    # Areas

    @property
    def area(self) -> Area | None:
        """The area that is shown."""
        return self.visited.area

    @property
    def current(self) -> str:
        """Its name."""
        return self.visited.current

    def open_area(self, name: str, key: str | None = None) -> None:
        """Show an area, and there the object with this id."""
        self.here.open(name, key)

    def action_previous(self) -> None:
        """The area that was shown before this one."""
        if self.visited.previous:
            self.open_area(self.visited.previous)

    def action_area(self, name: str) -> None:
        """Show an area."""
        self.open_area(name)

    def on_open_area(self, event: OpenArea) -> None:
        """A part of the screen asks for an area."""
        self.open_area(event.area, event.key)

    def _tend(self) -> None:
        self.run_worker(self.surroundings.tend(), group="tend", exclusive=True, exit_on_error=False)

    async def on_event(self, event: events.Event) -> None:
        """Whatever comes from the terminal passes here first."""
        if self.sweeper is not None and isinstance(event, events.InputEvent):
            self.sweeper.touched()
        await super().on_event(event)

    def _tick(self) -> None:
        self.keeping.look()
        if self.area is not None and len(self.screen_stack) == 1:
            self.area.tick()

    # Actions

    def on_context_changed(self) -> None:
        """Other keys make sense."""
        self.here.show()
        self.surroundings.look_first()

    def on_descendant_focus(self) -> None:
        """Keys go elsewhere: say which there are."""
        if len(self.screen_stack) == 1:
            overlays.keep_in_sight(self, self.here.show)
            self.here.show()

    def on_perform(self, event: Perform) -> None:
        """Carry it out."""
        self.perform(event.action, event.arguments)

    def perform(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Carry out an action of the registry, or one of the screen's own."""
        self.here.perform(name, arguments)

    def on_key(self, event: events.Key) -> None:
        """Keys of the registry, for the area that is shown."""
        overlays.type_ahead(self, event)
        self.here.key(event)

    async def action_filter(self) -> None:
        """Type a filter for the list."""
        if self.area is not None:
            await self.area.pane.edit_filter()

    async def action_back(self) -> None:
        """One step out."""
        if self.screen.maximized is not None:
            self.screen.minimize()
            self.here.show()
        elif self.area is not None:
            self.area.step_back()

    def action_tab(self, step: int) -> None:
        """Another tab of the detail."""
        if self.area is not None:
            self.area.detail.turn(step)

    def action_turn_trash(self) -> None:
        """The trash of runs, or the rest again."""
        self.here.turn_trash()

    def action_menu(self, index: int) -> None:
        """Open a menu."""
        overlays.open_menu(self, index, self.here.menus(), self.perform)

    def on_open_menu(self, event: OpenMenu) -> None:
        """A title was clicked."""
        if event.index is None:
            self.action_palette()
        else:
            self.action_menu(event.index)

    def action_way(self, name: str) -> None:
        """One of `Ways`."""
        self.ways.go(name)

    def on_open_context(self, event: OpenContext) -> None:
        """What can be done with what is selected."""
        self.ways.open_context(event.place)

    def action_palette(self) -> None:
        """Search or run."""
        overlays.open_palette(self, self.bridge, self.here.menus(), self.here.go)

    def action_help(self) -> None:
        """The keys of what is focused."""
        title = f"Keys: {AREAS[self.current].place.title}"
        overlays.open_help(self, title, self.here.selection[0], [one.place for one in AREAS.values()])

    def action_picture(self) -> None:
        """The focused panel as an SVG."""
        overlays.take_picture(self, self.bridge)

    def action_copy_command(self) -> None:
        """Copy the command that shows what is selected."""
        self.here.copy_command()

    def action_toggle_theme(self) -> None:
        """Light or dark."""
        try:
            self.chosen.turn_theme()
        except CatalogError as error:  # it is light or dark all the same, until the desktop closes
            self.say_error(error)

    def action_since(self) -> None:
        """What happened since the desktop was left."""
        self.told.show()

    async def action_leave(self) -> None:
        """Close the desktop; runs go on."""
        overlays.leave(self, self.chosen, self.surroundings.overview.live_runs, self.keeping.keep)

    def _fatal_error(self) -> None:
        """A defect is told with where it is, and no value of a variable: some are secrets."""
        self.panic(overlays.defect())

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed in a way nobody foresaw says so instead of ending the program."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            if not isinstance(error, CloudtuiError):
                error = CloudtuiError(f"That failed: {error!r}")
            self.say_error(error)


def run(
    paths: Paths, *, sweeper: Sweeper | None = None, select_run: str | None = None, read_only: bool = False
) -> int:
    """Open the desktop; returns the exit status. Runs that are live when it closes go on."""
    bridge = Bridge(paths)
    try:
        app = CloudtuiApp(bridge, select_run=select_run, read_only=read_only)
        app.tends_engine = not read_only
        app.sweeper = sweeper
        live = app.run()
    finally:
        bridge.close()
    if live:
        print(f"{live} {'run goes' if live == 1 else 'runs go'} on.")  # noqa: T201 - after the screen is gone
    return app.return_code or 0
