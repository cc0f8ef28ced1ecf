"""The control lane: one process a session, one thread, one loop that never waits for anything but the kernel.

It starts jobs and ends none: its own end touches nothing that runs.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import time
from typing import Any, Dict, Optional

from cloudtui_host import environment, follow, layout, status, verbs
from cloudtui_host.errors import HostError, from_os
from cloudtui_host.hello import hello
from cloudtui_host.lane import ClosedError, Lane
from cloudtui_host.workers import Workers

LOOK_S = 1.0
POLL_S = 0.05
"""How often files are looked at where the kernel cannot tell of their changes."""
MOST_WAITING = 8 * 1024 * 1024
"""An engine that asks and does not read is not listened to beyond this many bytes of replies."""


class Server:
    """One session.

    Args:
        root: the root on this host.
        source: descriptor of requests.
        sink: descriptor of frames.
    """

    def __init__(self, root: str, source: int, sink: int) -> None:
        self.root = root
        self.follows = follow.Follows()
        self.lane = Lane(source, sink, self.follows.next_data)
        self.selector = selectors.PollSelector()
        self.workers = Workers(root, self.selector)
        self._next_look = 0.0

    def run(self) -> None:
        """Serve until the engine's end closes."""
        self.lane.send(hello(self.root))
        self.selector.register(self.lane.source, selectors.EVENT_READ)
        if self.follows.watcher.descriptor >= 0:
            self.selector.register(self.follows.watcher.descriptor, selectors.EVENT_READ)
        with contextlib.suppress(ClosedError):
            while True:
                self._turn()

    def _turn(self) -> None:
        self.lane.pump()
        self._register()
        polled = self.follows.deaf and self.follows.streams
        ready = {key.fd for key, _ in self.selector.select(POLL_S if polled else LOOK_S)}
        if self.lane.source in ready:
            for request in self.lane.receive():
                self._handle(request)
        if self.follows.watcher.descriptor in ready:
            self.follows.heard()
        now = time.monotonic()
        if polled or now >= self._next_look:
            self._next_look = now + LOOK_S
            self.follows.look()
        for answer in self.workers.finished(ready):
            self.lane.send(answer)
        self._tell_rewritten()

    def _register(self) -> None:
        """Hear of room in the channel only where there is none; of requests only where replies get out."""
        listening = self.lane.waiting_bytes < MOST_WAITING
        self._want(self.lane.source, selectors.EVENT_READ if listening else 0)
        self._want(self.lane.sink, selectors.EVENT_WRITE if self.lane.blocked else 0)

    def _want(self, descriptor: int, events: int) -> None:
        known = self.selector.get_map().get(descriptor)
        if known is None and events:
            self.selector.register(descriptor, events)
        elif known is not None and not events:
            self.selector.unregister(descriptor)

    def _tell_rewritten(self) -> None:
        while self.follows.rewritten:
            self.lane.send({"event": "rewritten", "stream": self.follows.rewritten.popleft()})

    def _handle(self, request: Dict[str, Any]) -> None:
        number, verb = request.get("id"), request.get("verb")
        args = request.get("args")
        args = args if isinstance(args, dict) else {}
        if verb == "ack":
            self._ack(args)
            return
        try:
            if isinstance(verb, str) and verb in verbs.VERBS:
                self.workers.submit(number, verb, args)
                return
            reply: Dict[str, Any] = {"id": number, "ok": True, "result": self._answer(verb, args)}
        except HostError as error:
            reply = {"id": number, "ok": False, "error": error.as_dict()}
        except OSError as error:
            reply = {"id": number, "ok": False, "error": from_os(error, "do that on the host").as_dict()}
        self.lane.send(reply)

    def _answer(self, verb: Any, args: Dict[str, Any]) -> Dict[str, Any]:
        if verb == "ping":
            return {"now": time.time()}
        if verb == "status":
            return self._status(args)
        if verb == "environment":
            return environment.look(self.root, args.get("env"), args.get("job"))
        if verb == "follow":
            return self._follow(args)
        if verb == "unfollow":
            self.follows.remove(_whole(args, "stream"))
            return {}
        raise HostError("bad_verb", "This host does not know the verb %s." % repr(verb)[:80])

    def _status(self, args: Dict[str, Any]) -> Dict[str, Any]:
        found = status.read(self.root, args.get("job"), args.get("attempt"))
        if found["state"] == "orphan-running":
            # Someone has to be there for its end.
            self.workers.submit(None, "adopt", {"job": found["job"], "attempt": found["attempt"]})
        return found

    def _follow(self, args: Dict[str, Any]) -> Dict[str, Any]:
        source = args.get("source")
        path = layout.source_path(self.root, args.get("job"), args.get("attempt"), source)
        try:
            tail = bytes.fromhex(args.get("tail") or "")
        except (ValueError, TypeError):
            raise HostError("bad_request", "tail must be hexadecimal.") from None
        stream = follow.Stream(_whole(args, "stream"), path, _whole(args, "offset"), source != "console")
        return {"size": self.follows.add(stream, tail)}

    def _ack(self, args: Dict[str, Any]) -> None:
        with contextlib.suppress(HostError):
            self.follows.ack(_whole(args, "stream"), _whole(args, "offset"))


def _whole(args: Dict[str, Any], key: str) -> int:
    value: Optional[Any] = args.get(key)
    limit = 1 << (32 if key == "stream" else 62)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        raise HostError("bad_request", "%s must be a whole number, not %s." % (key, repr(value)[:80]))
    return value


def main(root: str) -> None:
    """Serve on stdin and stdout until the engine's end closes."""
    os.umask(0o077)
    sink = os.dup(1)
    # Whatever prints by mistake must not print into the frames.
    os.dup2(2, 1)
    Server(root, 0, sink).run()
    sys.stdout.flush()
    os._exit(0)
