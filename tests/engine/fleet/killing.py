"""Engines that are killed: a small process that forks one engine after another, each with its own end.

Nothing of the engine knows of this: the places at which it may be killed are found by wrapping the catalog's
transactions and the provider's calls. Before and after each of them is a checkpoint.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SPEED = float(os.environ.get("CLOUDTUI_SPEED", "200"))
"""How much faster the engine's clock goes. A launch is given up after an hour of it: where much else runs on
a machine it has to go slower."""
LIMIT_S = 180.0
"""A bound for what hangs, on a machine that has much else to do."""
CALLS = ("plan", "launch", "find", "machines", "terminate", "stop", "start")
TOPICS = frozenset({"instance", "operation"})


@dataclass(frozen=True)
class Ended:
    """How an engine ended."""

    was_killed: bool
    checkpoints: int
    took_s: float


class Engines:
    """The process that forks engines for a home and its cloud.

    Args:
        home: the home.
        kind: a class of `toy`, or the module of `tests.support.clouds` that knows how its fake is reached.
        where: its folder, or its address.
        environment: what its provider needs beside that.
    """

    def __init__(self, home: Path, kind: str, where: str, environment: Mapping[str, str]) -> None:
        self.home = home
        self._epoch = time.time()
        """From here on its clock goes faster."""
        # Beside what a template restores.
        self._log = home.parent.with_name(f"{home.parent.name}.log")
        with self._log.open("ab") as log:
            self._process = self._start([kind, where], environment, log)

    def _start(
        self, cloud: list[str], environment: Mapping[str, str], log: IO[bytes]
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.home), *cloud],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parents[3],
            env=os.environ | dict(environment),
        )

    def begin(self) -> None:
        """Now is now again, for what is asked next."""
        self._epoch = time.time()

    def run(self, *, kill_at: int | None = None, kill_after_s: float | None = None) -> Ended:
        """One engine, until all that was asked for is done, or until it is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(
            json.dumps({"at": kill_at, "after_s": kill_after_s, "epoch": self._epoch}) + "\n"
        )
        self._process.stdin.flush()
        began = time.monotonic()
        told = json.loads(self._process.stdout.readline())
        assert told["status"] in {0, -signal.SIGKILL}, f"{told}: {self.log()}"
        return Ended(told["status"] != 0, told["checkpoints"], time.monotonic() - began)

    def log(self) -> str:
        return self._log.read_text()[-3000:]

    def close(self) -> None:
        self._process.communicate(timeout=30)


class Template:
    """A home and its cloud as they were, at the same place again: one that lies elsewhere is a copy."""

    def __init__(self, root: Path) -> None:
        self._root, self._kept = root, root.with_name(f"{root.name}.kept")
        shutil.copytree(root, self._kept, ignore=_sockets)

    def restore(self) -> None:
        shutil.rmtree(self._root)
        shutil.copytree(self._kept, self._root)


def _sockets(folder: str, names: list[str]) -> set[str]:
    """Those that an engine left: they cannot be copied."""
    return {name for name in names if (Path(folder) / name).is_socket()}


# -- in the process that forks


def main() -> None:
    home, kind, where = sys.argv[1:]
    made = _maker(kind)

    from cloudtui_engine import engine  # noqa: F401 - loaded once, for all that are forked

    made(where).account()  # and so is its library
    for line in sys.stdin:
        asked = json.loads(line)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _be_engine(Path(home), made(where), asked, write)
            os._exit(0)
        os.close(write)
        _, status = os.waitpid(pid, 0)
        with os.fdopen(read) as pipe:
            count = len(pipe.read())
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"status": code, "checkpoints": count}), flush=True)


def _maker(kind: str) -> Callable[[str], Any]:
    """What makes a provider of an address."""
    from tests.support.clouds import toy

    if hasattr(toy, kind):
        return lambda where: getattr(toy, kind)(Path(where))
    made: Callable[[str], Any] = importlib.import_module(f"tests.support.clouds.{kind}").reached
    return made


def _be_engine(home: Path, cloud: Any, asked: Mapping[str, Any], pipe: int) -> None:
    from cloudtui_engine.engine import Engine
    from cloudtui_engine.lock import EngineLock
    from cloudtui_engine.paths import Paths
    from cloudtui_providers import registry

    registry.provider = lambda _name: cloud  # type: ignore[assignment]
    checkpoint = _checkpoints(asked["at"], pipe)
    _watch_calls(cloud, checkpoint)
    _watch_catalog(checkpoint)
    if asked["after_s"] is not None:
        timer = threading.Timer(asked["after_s"], os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    paths = Paths(home)
    with EngineLock(paths) as lock:
        assert lock.acquire()
        made = Engine(paths, idle_exit_s=None, clock=_fast_clock(asked["epoch"]))
        threading.Thread(target=_end_when_done, args=(made._catalog,), daemon=True).start()
        made.run()


def _checkpoints(at: int | None, pipe: int) -> Callable[[], None]:
    count = 0
    lock = threading.Lock()

    def checkpoint() -> None:
        nonlocal count
        with lock:
            count += 1
            os.write(pipe, b".")
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


def _watch_calls(cloud: Any, checkpoint: Callable[[], None]) -> None:
    for name in CALLS:
        setattr(cloud, name, _between(getattr(cloud, name), checkpoint))


def _between(real: Callable[..., Any], checkpoint: Callable[[], None]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        checkpoint()
        found = real(*args)
        checkpoint()
        return found

    return call


def _watch_catalog(checkpoint: Callable[[], None]) -> None:
    """Before and after each outermost transaction on what the fleet writes."""
    from cloudtui_engine.catalog import Catalog

    real = Catalog.write

    @contextmanager
    def write(self: Catalog, *topics: str, durable: bool = False) -> Iterator[Any]:
        is_ours = not self._handle().writes and bool(TOPICS & set(topics))
        if is_ours:
            checkpoint()
        with real(self, *topics, durable=durable) as db:
            yield db
        if is_ours:
            checkpoint()

    Catalog.write = write  # type: ignore[method-assign]


def _fast_clock(epoch: float) -> Any:
    from cloudtui_engine.fleet.clock import Clock

    class Fast(Clock):
        def now(self) -> float:
            return epoch + (time.time() - epoch) * SPEED

        def steady(self) -> float:
            return self.now()

        def wait(self, seconds: float, wake: threading.Event) -> bool:
            return wake.wait(seconds / SPEED)

    return Fast()


def _end_when_done(catalog: Any) -> None:
    """Its end, too, is a sudden one."""
    from cloudtui_engine.fleet import due

    deadline = time.monotonic() + LIMIT_S
    while True:
        open_ = catalog.operations.open_of(due.CHANGES)
        if not open_ and not catalog.launches.open():
            os._exit(0)
        if time.monotonic() > deadline:
            print([(one.kind, one.state, one.progress) for one in open_], file=sys.stderr, flush=True)
            os._exit(3)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
