"""What the catalog shows of a link: its state, why, since when, and which runs it leaves stale."""

from __future__ import annotations

import time

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import AuthError, CloudtuiError, HostKeyError, LoginNeededError
from cloudtui_engine.hosts.followers import Followers
from cloudtui_engine.hosts.seen import Seen
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import LinkState

SILENT_AFTER_S = 6.0
"""No byte for so long is shown: the host is asked every 3 s."""
_STEADY = frozenset({LinkState.UP, LinkState.SILENT, LinkState.CONNECTING})
_CONFIRMED = frozenset({LinkState.UP, LinkState.CONNECTING})


class LinkDisplay:
    """Writes on change only. Used by the host's thread alone."""

    def __init__(self, catalog: Catalog, instance_id: str, followers: Followers, seen: Seen) -> None:
        self._catalog = catalog
        self._instance_id = instance_id
        self._followers = followers
        self._state: LinkState | None = None
        self._detail = ""
        self._seen = seen

    def connecting(self) -> None:
        """It is tried; the reason of the last failure says more than that, and stays."""
        if self._state not in {LinkState.REFUSED, LinkState.KEY_CHANGED, LinkState.NEEDS_YOU}:
            self._show(LinkState.CONNECTING, "")

    def failed(self, error: CloudtuiError) -> None:
        """It broke, or did not come about."""
        state = _state_of(error)
        told = f"{error.message} {error.hint}" if isinstance(error, LoginNeededError) else error.message
        self._show(state, told)

    def rest(self) -> None:
        """Nothing needs it. This machine is at hand whether a session is open or not."""
        is_local = self._catalog.instances.get(self._instance_id).provider == "local"
        self._show(LinkState.UP if is_local else LinkState.DOWN, "")

    def health(self, session: Session) -> None:
        """It is up, or silent."""
        silence = session.silence()
        if silence >= SILENT_AFTER_S:
            self._show(LinkState.SILENT, f"No answer for {silence:.0f} s.")
            return
        self._show(LinkState.UP, "")
        self._seen.heard(self._instance_id, time.time() - silence)

    def _show(self, state: LinkState, detail: str) -> None:
        if state is self._state and (state in _STEADY or detail == self._detail):
            return
        changed = state is not self._state
        fields = {"link_state": state, "link_detail": detail}
        with self._catalog.write("instance", "run"):
            self._catalog.instances.update(
                self._instance_id, **fields, **({"link_since": time.time()} if changed else {})
            )
            if state not in _CONFIRMED:
                self._leave_stale()
        self._state, self._detail = state, detail

    def _leave_stale(self) -> None:
        runs = self._catalog.runs
        fresh = [run_id for run_id in self._followers.runs() if runs.get(run_id).stale_since is None]
        if fresh:
            runs.set_stale(fresh, time.time())


def _state_of(error: CloudtuiError) -> LinkState:
    if isinstance(error, HostKeyError):
        return LinkState.KEY_CHANGED if error.changed else LinkState.NEEDS_YOU
    if isinstance(error, PassphraseError | LoginNeededError):
        return LinkState.NEEDS_YOU
    if isinstance(error, AuthError):
        return LinkState.REFUSED
    return LinkState.DOWN
