"""Threads for hundreds of duties that mostly wait: none has its own, and none waits for another."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum

GRAIN_S = 0.05
"""Duties are begun so late at most: those that come to be due together cost one wakening."""
SPARE_S = 1.0
"""A thread that had nothing to do for so long ends."""


class _State(Enum):
    RESTING = 1
    READY = 2
    BUSY = 3
    OVER = 4


def _nothing() -> None:
    """The work of a duty that is over: whose it was may go."""


class Duty:
    """Something that is done again and again, by one thread at a time, until it says that it is over."""

    __slots__ = ("crew", "doer", "due", "state", "work")

    def __init__(self, crew: Crew, work: Callable[[], float | None]) -> None:
        self.crew = crew
        self.work = work
        self.state = _State.RESTING
        self.due = math.inf
        self.doer: int | None = None

    def wake(self) -> None:
        """Have it done soon; while it is being done: once more after that. Returns at once."""
        self.crew.wake(self)

    def join(self, timeout: float) -> bool:
        """Wait until it is over; whether it is. By itself it is not waited for."""
        return self.crew.join(self, timeout)


class Crew:
    """As many threads as there are duties being done at this moment, and few more.

    A duty may wait for as long as it likes (a host that is silent, a full socket): what is due next is then
    begun by another thread. So what two hundred quiet hosts need is done by two or three.

    Args:
        name: of the threads.
    """

    def __init__(self, name: str = "crew") -> None:
        self._name = name
        # One that its holder may take again: a finalizer (paramiko closes a channel in one) may ring in here.
        self._lock = threading.RLock()
        self._ready: deque[Duty] = deque()
        self._duties: set[Duty] = set()
        self._spare: list[threading.Condition] = []
        self._called = False
        self._over = threading.Condition(self._lock)
        self._clock = threading.Condition(self._lock)
        self._alarm = 0.0
        self._ticks = False

    def duty(self, work: Callable[[], float | None]) -> Duty:
        """A duty that rests until it is woken.

        Args:
            work: does what is to be done now; the seconds until it is to be done again unanswered for, or
                None once it is over. What it raises ends it, and shows as of any thread.
        """
        duty = Duty(self, work)
        with self._lock:
            self._duties.add(duty)
        return duty

    def wake(self, duty: Duty) -> None:
        """See `Duty.wake`."""
        with self._lock:
            if duty.state is _State.RESTING:
                self._ready_now(duty)
            elif duty.state is _State.BUSY:
                duty.due = -math.inf

    def join(self, duty: Duty, timeout: float) -> bool:
        """See `Duty.join`."""
        with self._lock:
            if duty.doer == threading.get_ident():
                return False
            return self._over.wait_for(lambda: duty.state is _State.OVER, timeout)

    # -- all below with the lock held, or by the crew's own threads

    def _ready_now(self, duty: Duty) -> None:
        duty.state = _State.READY
        self._ready.append(duty)
        self._call()

    def _call(self) -> None:
        """Have one more thread look; it calls the next one where there is more than it takes."""
        if self._called:
            return
        if self._spare:
            self._spare.pop().notify()
            self._called = True
        else:
            self._called = self._begin(self._main, self._name)

    def _begin(self, main: Callable[[], None], name: str) -> bool:
        """Begin a thread; where the machine gives none now, False: the next wake or tick tries again."""
        try:
            threading.Thread(target=main, name=name, daemon=True).start()
        except RuntimeError:
            return False
        return True

    def _main(self) -> None:
        own = threading.Condition(self._lock)
        with self._lock:
            self._called = False
        while (duty := self._take(own)) is not None:
            rest: float | None = None
            try:
                rest = duty.work()
            finally:
                self._put_back(duty, rest)

    def _take(self, own: threading.Condition) -> Duty | None:
        with self._lock:
            while not self._ready:
                self._spare.append(own)
                if not own.wait(SPARE_S) and own in self._spare:
                    self._spare.remove(own)
                    return None
                self._called = False
            duty = self._ready.popleft()
            duty.state, duty.due, duty.doer = _State.BUSY, math.inf, threading.get_ident()
            if self._ready:
                self._call()
            return duty

    def _put_back(self, duty: Duty, rest: float | None) -> None:
        with self._lock:
            duty.doer = None
            if rest is None:
                duty.state, duty.work = _State.OVER, _nothing
                self._duties.discard(duty)
                self._over.notify_all()
                if self._ready:  # this thread may have died of it
                    self._call()
                return
            now = time.monotonic()
            duty.due = min(duty.due, now + rest)
            if duty.due <= now:
                duty.state = _State.READY
                self._ready.append(duty)  # this very thread takes what is next
            else:
                duty.state = _State.RESTING
                self._mind(duty.due)

    # -- the clock

    def _mind(self, due: float) -> None:
        if not self._ticks:
            self._ticks = self._begin(self._tick, f"{self._name}-clock")
        elif due + GRAIN_S < self._alarm:
            self._clock.notify()

    def _tick(self) -> None:
        with self._lock:
            while self._duties:
                now = time.monotonic()
                for duty in self._duties:
                    if duty.state is _State.RESTING and duty.due <= now:
                        self._ready_now(duty)
                if self._ready:
                    self._call()
                dues = (duty.due for duty in self._duties if duty.state is _State.RESTING)
                self._alarm = max(now + GRAIN_S, min(dues, default=math.inf))
                self._clock.wait(min(self._alarm - now, SPARE_S))
            self._ticks = False
