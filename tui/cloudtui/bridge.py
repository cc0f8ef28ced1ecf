"""The screen's way to the catalog: what changed, and reads that do not hold up a frame."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from textual.widget import Widget

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.paths import Paths

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

POLL_S = 0.25
"""How often the screen looks whether something changed."""
MOST_CRASHES = 5
"""So many engines may die in ten minutes before no other is started by itself."""
EARLY_S = 0.04
"""How long the first paint waits for rows that are being read: a paint without them costs as much."""
THREADS = 4
"""Of our own: SQLite must not be closed under a thread that reads, and these can be waited for."""

T = TypeVar("T")


class Overview(NamedTuple):
    """What rail and status bar show."""

    counts: dict[str, int]
    live_runs: int = 0
    engine_running: bool = False
    links: int = 0
    pending: int = 0
    needs_you: int = 0
    crashes: int = 0
    forwards: int = 0
    money: tuple[tuple[str, str], ...] = ()
    """What it costs now and has cost today, and how the budgets stand: (text, style) pairs."""

    def parts(self, asks: str = "") -> list[tuple[str, str]]:
        """(text, style) pairs for the status bar; what is as usual says little.

        Args:
            asks: the key that puts the questions once more.
        """
        parts: list[tuple[str, str]] = []
        if self.needs_you:
            text = f"⚠ {self.needs_you} {'needs' if self.needs_you == 1 else 'need'} you"
            parts.append((f"{text} ({asks})" if asks else text, "warn"))
        if self.crashes:
            parts.append((f"engine died {self.crashes}x", "bad"))
        if self.pending:
            parts.append((f"◌ {self.pending} at work", "busy"))
        if self.live_runs:
            parts.append((f"{self.live_runs} live", "muted"))
        if self.forwards:
            parts.append((f"⇄ {self.forwards} {'port' if self.forwards == 1 else 'ports'}", "muted"))
        if self.links:
            parts.append((f"● {self.links} {'link' if self.links == 1 else 'links'}", "good"))
        else:
            parts.append(("○ offline" if self.engine_running else "○ no engine", "muted"))
        return [*parts, *self.money]


class Bridge:
    """One home's catalog as the screen uses it."""

    def __init__(self, paths: Paths, now: Callable[[], float] = time.time) -> None:
        from cloudtui_engine.catalog import Catalog

        self.paths = paths
        self.now = now
        self.catalog: Catalog = Catalog.open(paths)
        self.catalog.instances.ensure_local()
        self._threads = ThreadPoolExecutor(THREADS, "cloudtui-screen")
        self._early: dict[str, Future[Any]] = {}
        self._version = self.catalog.data_version()
        self._since, _ = self.catalog.changed(0)
        self._lacked = False
        """An engine was missing at the last look."""

    def changed(self) -> frozenset[str]:
        """The topics that were written since the last call; one cheap question when there are none.

        Raises:
            CatalogError: the catalog cannot be read; what was written meanwhile comes with the next answer.
        """
        version = self.catalog.data_version()
        if version == self._version:
            return frozenset()
        self._since, moved = self.catalog.changed(self._since)
        self._version = version  # only now: a read that failed is made again
        return moved

    def overview(self) -> Overview:
        """Counts and engine state. Takes milliseconds: call it in a thread."""
        from cloudtui_engine import operations
        from cloudtui_engine.catalog.runs import RunQuery

        catalog = self.catalog
        status = operations.engine_status(self.paths, catalog)
        return Overview(
            counts={
                "instances": catalog.instances.count(),
                "datasets": len(catalog.datasets.list()),
                "runs": catalog.runs.count(RunQuery()),
                "models": catalog.models.count(),
            },
            live_runs=status.live_runs,
            engine_running=status.running,
            links=status.links,
            pending=status.pending,
            needs_you=status.needs_you,
            crashes=status.crashes,
            forwards=status.forwards,
            money=self._money(),
        )

    def tend(self) -> bool:
        """See that an engine lives where something waits for one, runs, or is rented; True: one was started.

        It has to be missing at two looks: who has just asked for something starts one, too.

        An engine that dies again and again is left alone: who starts the next one should read its log first.
        Runs in a thread.
        """
        from cloudtui_engine import operations
        from cloudtui_engine.fleet.due import keeps_engine

        lacked, self._lacked = self._lacked, False
        if operations.is_running(self.paths):
            return False
        status = operations.engine_status(self.paths, self.catalog)
        needed = status.pending or status.live_runs or status.forwards or keeps_engine(self.catalog)
        if not needed or status.crashes > MOST_CRASHES:
            return False
        if not lacked:
            self._lacked = True
            return False
        operations.ensure_engine(self.paths)
        return True

    def _money(self) -> tuple[tuple[str, str], ...]:
        from cloudtui_engine.accounts import money
        from cloudtui_engine.money.amounts import dollars
        from cloudtui_engine.money.budget import WARN_AT

        stands = money(self.catalog, self.now())
        parts = [(f"${dollars(stands.rate):,.2f}/h", "muted")] if stands.rate else []
        if stands.today:
            parts.append((f"today ${dollars(stands.today):,.2f}", "muted"))
        shares = [
            spent / limit
            for spent, limit in ((stands.today, stands.budgets.day), (stands.month, stands.budgets.month))
            if limit
        ]
        if shares:
            style = "bad" if max(shares) >= 1 else "warn" if max(shares) >= WARN_AT else "muted"
            parts.append((f"budget {max(shares) * 100:.0f}%", style))
        return tuple(parts)

    def begin(self, name: str, work: Callable[[], object]) -> None:
        """Begin to read what the first screen shows while the screen itself is still being made."""
        self._early[name] = self._threads.submit(work)

    def early(self, name: str) -> Any:
        """What was begun under this name; None where it does not come at once, or failed. Only once."""
        begun = self._early.pop(name, None)
        if begun is None or begun not in wait((begun,), EARLY_S).done or begun.exception() is not None:
            return None
        return begun.result()

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do this in a thread; the screen goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def close(self) -> None:
        """Let go of the catalog, once no thread reads it any more."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.catalog.close()


class Reader:
    """Reads of one panel, one at a time: while one is under way only the newest of the others is kept.

    So a catalog that changes all the time neither starves the panel nor fills the threads.
    """

    def __init__(self, owner: Widget, bridge: Bridge, failed: Callable[[CloudtuiError], None]) -> None:
        self._owner = owner
        self._bridge = bridge
        self._failed = failed
        self._busy = False
        self._next: tuple[Callable[[], Any], Callable[[Any], None]] | None = None

    @property
    def busy(self) -> bool:
        """A read is under way."""
        return self._busy

    def ask(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Do `work` in a thread, then `done` with its result on the screen's loop."""
        if self._busy:
            self._next = (work, done)
            return
        self._busy = True
        # The app's worker: what nobody foresaw is told there, while a widget's worker would fail in silence.
        self._owner.app.run_worker(self._go(work, done), exit_on_error=False, group="read")

    async def _go(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        try:
            result = await self._bridge.in_thread(work)
        except CloudtuiError as error:
            if self._owner.is_attached:
                self._failed(error)
        except asyncio.CancelledError:
            self._next = None  # the desktop closes
            raise
        else:
            if self._owner.is_attached:
                done(result)
        finally:
            self._busy = False
            following, self._next = self._next, None
            if following is not None:
                self.ask(*following)
