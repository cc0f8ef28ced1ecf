"""The engine process: one a home, from its lock to its end. The composition root."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

from cloudtui_engine import __version__
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.dispatcher import Dispatcher
from cloudtui_engine.errors import CatalogError, CloudtuiError
from cloudtui_engine.fleet import due
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.hosts.connect import connector
from cloudtui_engine.hosts.gpu_watch import GpuWatch
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.hosts.sparing import spare_memory
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import LinkState
from cloudtui_engine.runs.follow import AttemptFollower, is_on_its_own
from cloudtui_engine.secret_channel import SecretBox

log = logging.getLogger(__name__)

IDLE_EXIT_S = 60.0
POLL_S = 0.05
DECIDE_EVERY_S = 1.0
"""Deciders also run without a change: time itself may make one of them speak."""


class Engine:
    """Holds links, ingests, decides. Made by the holder of the lock."""

    def __init__(
        self, paths: Paths, *, idle_exit_s: float | None = IDLE_EXIT_S, clock: Clock | None = None
    ) -> None:
        self._paths = paths
        self._idle_exit_s = idle_exit_s
        self._closing = threading.Event()
        self._catalog = Catalog.open(paths)
        self._secrets = SecretBox(paths)
        self._links = Links(self._catalog, connector(paths, self._secrets))
        self._context = Context(
            self._catalog, paths, self._links, self._secrets, self._closing, clock or Clock()
        )
        self._dispatcher = Dispatcher(self._context)
        self._watch = GpuWatch(self._catalog, self._links)

    def ask_to_end(self) -> None:
        """End soon; jobs on hosts go on, and the next engine goes on with what was begun."""
        self._closing.set()

    def run(self) -> None:
        """Until asked to end, or until nothing was to do for the idle time."""
        session = self._catalog.engine_sessions.begin(os.getpid(), __version__)
        self._take_over()
        reason = self._loop(session)
        if reason != "idle":
            # Before links are closed: whoever commits something now starts another engine for it.
            self._catalog.engine_sessions.end(session, reason)
        self._links.close()
        self._secrets.close()
        log.info("engine ends: %s", reason)

    def _take_over(self) -> None:
        """Go on where the engine before left off."""
        self._secrets.start()
        self._catalog.instances.ensure_local()
        for instance in self._catalog.instances.list():
            if instance.link_state is not LinkState.DOWN and instance.provider != "local":
                self._catalog.instances.update(instance.id, link_state=LinkState.DOWN, link_detail="")
        self._catalog.operations.requeue_running()
        for attempt in self._catalog.runs.open_attempts():
            if is_on_its_own(self._catalog, attempt):
                self._links.to(attempt.instance_id).follow(AttemptFollower(self._catalog, attempt))

    def _loop(self, session: int) -> str:
        version = -1
        decided = 0.0
        idle_since = time.monotonic()
        while not self._closing.wait(POLL_S):
            try:
                now = self._catalog.data_version()
                if now != version or time.monotonic() - decided >= DECIDE_EVERY_S:
                    version = now
                    decided = time.monotonic()
                    self._dispatcher.step()
                    self._watch.step()
                    if self._has_work():
                        idle_since = time.monotonic()
            except CatalogError as error:
                log.error("%s %s", error.message, error.hint)  # noqa: TRY400 - a sentence, not a traceback
                self._closing.wait(5.0)
            if self._idle_exit_s is not None and time.monotonic() - idle_since > self._idle_exit_s:
                if self._end_if_idle(session):
                    return "idle"
                idle_since = time.monotonic()
        return "asked to end"

    def _has_work(self) -> bool:
        return bool(
            self._dispatcher.busy
            or self._catalog.operations.pending()
            or self._catalog.runs.open_attempts()
            or due.keeps_engine(self._catalog)
        )

    def _end_if_idle(self, session: int) -> bool:
        """Decide to end in the transaction that says so.

        Who commits an operation after it sees that this engine has ended, and starts another.
        """
        with self._catalog.write("engine"):
            if self._has_work():
                return False
            self._catalog.engine_sessions.end(session, "idle")
            return True


def main(paths: Paths, *, foreground: bool = False) -> int:
    """Be the engine of this home. Returns at once with 0 where another process is it already.

    Args:
        paths: the home.
        foreground: stay until asked to end, and say on stderr what happens.
    """
    os.umask(0o077)
    spare_memory()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    with EngineLock(paths) as lock:
        if not lock.acquire():
            if foreground:
                print("An engine runs for this home already: cloudtui engine status", file=sys.stderr)  # noqa: T201
            return 0
        try:
            idle = float(os.environ.get("CLOUDTUI_ENGINE_IDLE_S", IDLE_EXIT_S))
            engine = Engine(paths, idle_exit_s=None if foreground else idle)
            _end_on_signals(engine)
            engine.run()
        except CloudtuiError as error:
            log.error("%s %s", error.message, error.hint)  # noqa: TRY400 - a sentence, not a traceback
            return error.exit_status
    return 0


def _end_on_signals(engine: Engine) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        engine.ask_to_end()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
