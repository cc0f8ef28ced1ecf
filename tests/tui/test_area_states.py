"""Every area in every state on a small and a large screen. Look at the diff of a snapshot, then update it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.support import seed_areas
from tests.tui.desk import check, desktop, screen, settle, still
from tests.tui.test_judged_snapshots import plain
from textual.pilot import Pilot

from cloudtui import actions
from cloudtui.areas.places import AREAS, AreaPlace
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths

pytestmark = pytest.mark.services  # 108 pictures: they take as long as one

SIZES = ((80, 24), (200, 50))
STATES: dict[str, tuple[bool, Callable[[Catalog], None] | None]] = {
    "live": (True, None),
    "stale": (True, seed_areas.fell_silent),
    "offline": (False, seed_areas.went_offline),
}
"""By its name: whether an engine watches, and what happened to the world."""
size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture(scope="module")
def furnished(shelf_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with something in every area; copy it before writing."""
    home = Path(shutil.copytree(shelf_home, tmp_path_factory.mktemp("furnished") / "home"))
    seed_areas.furnish(home)
    return home


@pytest.fixture
def home(furnished: Path, tmp_path: Path) -> Path:
    """Such a home of one's own."""
    return Path(shutil.copytree(furnished, tmp_path / "home"))


@pytest.fixture
def watched(home: Path) -> Iterator[Path]:
    """A home that an engine looks after."""
    with EngineLock(Paths(home)) as lock:
        assert lock.acquire()
        yield home


@pytest.fixture(autouse=True)
def some_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action more is no other list of settings."""
    some = tuple(actions.get(name) for name in ("run.again", "run.stop", "model.export", "home.help"))
    monkeypatch.setattr(actions, "bindable", lambda: some)


def picture(state: str, area: str, app: Any) -> None:
    """The screen is as somebody found it good."""
    width, height = app.size
    check(f"areas/{area}-{state}-{width}x{height}", plain(screen(app)))


async def walk(pilot: Pilot[Any], state: str) -> None:
    """Through all areas, by their keys."""
    for area, one in AREAS.items():
        await pilot.press(one.place.key)
        await settle(pilot)
        picture(state, area, pilot.app)


@size
@pytest.mark.parametrize("state", STATES)
async def test_with_something_in_it(home: Path, state: str, size: tuple[int, int]) -> None:
    engine, happened = STATES[state]
    if happened is not None:
        with closing(Catalog.open(Paths(home))) as catalog:
            happened(catalog)
    with ExitStack() as held:
        if engine:
            assert held.enter_context(EngineLock(Paths(home))).acquire()
        async with desktop(home, size) as (_app, pilot):
            await walk(pilot, state)


@size
async def test_empty(tmp_path: Path, size: tuple[int, int]) -> None:
    async with desktop(tmp_path / "home", size) as (_app, pilot):
        await walk(pilot, "empty")


@size
async def test_failed(watched: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise CatalogError("The catalog is damaged: page 7.", "Restore a backup: cloudtui restore FILE")

    for one in AREAS.values():
        monkeypatch.setattr(one.load(), "fetch", broken)
    async with desktop(watched, size) as (_app, pilot):
        await walk(pilot, "failed")


@size
async def test_loading(watched: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    gates = {area: hold(one, monkeypatch) for area, one in AREAS.items()}
    async with desktop(watched, size, settled=False) as (app, pilot):
        for area, one in AREAS.items():
            await pilot.press(one.place.key)
            await still(pilot, lambda: "Reading the catalog…" in screen(app) and "live" in screen(app))
            picture("loading", area, app)
            gates[area].set()


def hold(one: AreaPlace, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let an area wait for its records until this is set."""
    gate, kind = threading.Event(), one.load()
    real = kind.fetch

    def slow(*arguments: Any) -> Any:
        assert gate.wait(30)
        return real(*arguments[-2:])

    monkeypatch.setattr(kind, "fetch", slow)
    return gate
