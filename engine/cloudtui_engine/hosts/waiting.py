"""Who needs a session with a host, and the one that is up: what its link and all others share."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from cloudtui_engine.errors import AuthError, CloudtuiError, HostKeyError, LinkTimeoutError
from cloudtui_engine.hosts.session import Session

LINGER_S = 20.0
"""How long a link that nothing needs is kept."""


class Waiting:
    """Every method may be called from any thread.

    Args:
        is_followed: whether an attempt is followed over the link, which is a need as well.
    """

    def __init__(self, is_followed: Callable[[], bool]) -> None:
        self._is_followed = is_followed
        self._changed = threading.Condition()
        self._session: Session | None = None
        self._error: CloudtuiError | None = None
        self._users = 0
        self._idle_since = time.monotonic()
        self._asked = False
        self._ended = False

    # -- for those who need a session

    @contextlib.contextmanager
    def user(self) -> Iterator[None]:
        """While this lasts there is a need; what went wrong before is no answer to it."""
        with self._changed:
            self._users += 1
            self._error = None
            self._asked = True
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._idle_since = time.monotonic()

    def wait(self, timeout: float) -> Session:
        """The session that is up, or comes up within `timeout` seconds.

        Raises:
            UnreachableError: none came up; the message is the newest reason.
            HostKeyError, AuthError: the host's key or the user's is not right; waiting would not help.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._session is None:
                left = deadline - time.monotonic()
                if left <= 0 or self._ended or isinstance(self._error, HostKeyError | AuthError):
                    break
                self._changed.wait(left)
            if self._session is not None:
                return self._session
            late = LinkTimeoutError(f"No link came up within {timeout:.0f} s.", "Is the host running?")
            raise self._error or late

    @property
    def session(self) -> Session | None:
        """The session that is up."""
        with self._changed:
            return self._session

    @property
    def is_needed(self) -> bool:
        """Whether someone uses the link or an attempt is followed over it."""
        with self._changed:
            return bool(self._users) or self._is_followed()

    # -- for the link

    @property
    def is_over(self) -> bool:
        """Nothing has needed it for a while, or it was ended."""
        with self._changed:
            rested = time.monotonic() - self._idle_since > LINGER_S
            return self._ended or (rested and not self._users and not self._is_followed())

    def rest_from_now(self) -> None:
        """A need has just ended."""
        with self._changed:
            self._idle_since = time.monotonic()

    def came_up(self, session: Session) -> None:
        """This one is up."""
        with self._changed:
            self._session, self._error = session, None
            self._changed.notify_all()

    def went_down(self, error: CloudtuiError | None) -> None:
        """None is up, or none came up; whoever waits hears why."""
        with self._changed:
            self._session, self._error = None, error
            self._changed.notify_all()

    @property
    def is_asked(self) -> bool:
        """Someone needs a session who has not asked before the last try."""
        with self._changed:
            return self._asked

    def tried(self) -> None:
        """A try begins: who has asked so far is answered by it."""
        with self._changed:
            self._asked = False

    def end(self) -> None:
        """Nobody is to wait any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
