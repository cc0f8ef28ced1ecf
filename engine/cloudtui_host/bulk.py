"""The bulk lane: files to the host and back, resumed where they were cut. One request after another."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any, Callable, Dict, Optional, Tuple, Union

from cloudtui_host import frames, layout, manifest
from cloudtui_host.errors import HostError, from_os
from cloudtui_host.fetch import Fetch
from cloudtui_host.hello import hello
from cloudtui_host.receive import Receipt

_READ = 1 << 20
TOLD_EVERY = 1 << 20
"""Bytes between two `received` events."""


class EndError(Exception):
    """The engine's end of the channel is gone."""


class Channel:
    """Frames over blocking descriptors."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._decoder = frames.Decoder()
        self._frames: Any = iter(())

    def next(self) -> Tuple[int, bytes]:
        """The next frame.

        Raises:
            EndError: there is none any more.
        """
        while True:
            for frame in self._frames:
                kind, payload = frame
                return kind, payload
            chunk = os.read(self._source, _READ)
            if not chunk:
                raise EndError
            self._frames = iter(self._decoder.feed(chunk))

    def write(self, *pieces: Union[bytes, memoryview]) -> None:
        """Send frames, in fewer pieces than one system call takes.

        Raises:
            EndError: nobody reads them.
        """
        left = [memoryview(piece) for piece in pieces]
        try:
            while left:
                written = os.writev(self._sink, left)
                while left and written >= len(left[0]):
                    written -= len(left.pop(0))
                if left:
                    left[0] = left[0][written:]
        except OSError:
            raise EndError from None

    def tell(self, obj: Dict[str, Any]) -> None:
        """Send a reply or an event."""
        self.write(frames.message(obj))


class Bulk:
    """One bulk session."""

    def __init__(self, root: str, channel: Channel) -> None:
        self.root = root
        self.channel = channel
        self._receipt: Optional[Receipt] = None
        self._broken: Optional[HostError] = None
        self._told = 0

    def run(self) -> None:
        """Serve until the engine's end closes; what was received so far stays for the next session."""
        self.channel.tell(hello(self.root))
        with contextlib.suppress(EndError):
            while True:
                kind, payload = self.channel.next()
                if kind == frames.DATA:
                    self._take(payload)
                else:
                    self._handle(payload)
        self._drop()

    def _drop(self) -> None:
        if self._receipt is not None:
            self._receipt.close()
            self._receipt = None

    def _take(self, payload: bytes) -> None:
        """Bytes of a put; after a failure they are dropped, and the commit tells of it."""
        receipt = self._receipt
        if receipt is None or self._broken is not None:
            return
        stream, offset, chunk = frames.split_data(payload)
        try:
            if stream == 0:
                receipt.write(offset, chunk)
        except HostError as error:
            self._fail(error)
            return
        except OSError as error:
            self._fail(from_os(error, "write what was sent"))
            return
        if receipt.received - self._told >= TOLD_EVERY or receipt.complete:
            self._told = receipt.received
            self.channel.tell({"event": "received", "bytes": receipt.received})

    def _fail(self, error: HostError) -> None:
        self._broken = error
        self.channel.tell({"event": "failed", "error": error.as_dict()})

    def _handle(self, payload: bytes) -> None:
        try:
            request = json.loads(payload)
        except (ValueError, RecursionError):
            return
        if not isinstance(request, dict) or request.get("verb") == "ack":
            return
        verbs: Dict[str, Callable[[Dict[str, Any], Any], Optional[Dict[str, Any]]]] = {
            "ping": lambda _args, _number: {},
            "have": self._have,
            "put": self._put,
            "commit": self._commit,
            "get": self._get,
        }
        number, args = request.get("id"), request.get("args")
        verb = verbs.get(str(request.get("verb")), self._unknown)
        try:
            result = verb(args if isinstance(args, dict) else {}, number)
        except HostError as error:
            self.channel.tell({"id": number, "ok": False, "error": error.as_dict()})
        except OSError as error:
            told = from_os(error, "do that on the host").as_dict()
            self.channel.tell({"id": number, "ok": False, "error": told})
        else:
            if result is not None:
                self.channel.tell({"id": number, "ok": True, "result": result})

    def _unknown(self, _args: Dict[str, Any], _number: Any) -> Dict[str, Any]:
        raise HostError("bad_verb", "This lane does not know that verb.")

    def _have(self, args: Dict[str, Any], _number: Any) -> Dict[str, Any]:
        return {"present": os.path.isdir(os.path.join(self.root, layout.content(args.get("dest"))))}

    def _put(self, args: Dict[str, Any], _number: Any) -> Dict[str, Any]:
        """A manifest, or with `more` a part of one: the parts of one `dest` follow each other."""
        dest, entries = args.get("dest"), manifest.check(args.get("files"))
        receipt = self._receipt
        if receipt is None or receipt.began or receipt.dest != dest:
            self._drop()
            self._broken = None
            self._told = 0
            self._receipt = receipt = Receipt(self.root, dest)
        try:
            offsets = receipt.add(entries)
            if args.get("more") is not True:
                receipt.begin()
        except (OSError, HostError):
            self._drop()
            raise
        return {"offsets": offsets, "free_bytes": receipt.free_bytes}

    def _commit(self, _args: Dict[str, Any], _number: Any) -> Dict[str, Any]:
        if self._receipt is None:
            raise HostError("bad_request", "There is nothing to commit: nothing was put.")
        try:
            if self._broken is not None:
                raise self._broken
            self._receipt.commit()
        finally:
            self._drop()
        return {"present": True}

    def _get(self, args: Dict[str, Any], number: Any) -> None:
        fetch = Fetch(self.root, args.get("base"), args.get("files"))
        self.channel.tell({"id": number, "ok": True, "result": {"files": fetch.files}})
        try:
            for pieces in fetch.frames():
                self.channel.write(*pieces)
                while fetch.must_wait:
                    self._await_ack(fetch)
            self.channel.tell({"event": "sent"})
        except HostError as error:
            self.channel.tell({"event": "failed", "error": error.as_dict()})

    def _await_ack(self, fetch: Fetch) -> None:
        kind, payload = self.channel.next()
        if kind != frames.MESSAGE:
            return
        try:
            request = json.loads(payload)
            if request["verb"] == "ack":
                fetch.ack(int(request["args"]["offset"]))
            elif request["verb"] == "cancel":
                raise HostError("cancelled", "The engine wants no more of it.")
        except (ValueError, KeyError, TypeError):
            return


def main(root: str) -> None:
    """Serve on stdin and stdout until the engine's end closes."""
    os.umask(0o077)
    sink = os.dup(1)
    os.dup2(2, 1)
    Bulk(root, Channel(0, sink)).run()
    sys.stdout.flush()
    os._exit(0)
