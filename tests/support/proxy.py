"""A TCP proxy with faults: delay, rate, cut after N bytes, blackhole, reset."""

from __future__ import annotations

import collections
import contextlib
import socket
import struct
import threading
import time

_CHUNK = 64 * 1024
_TICK_S = 0.05


class Proxy:
    """Passes TCP to a target; faults may be changed at any time.

    Attributes:
        delay_s: one way, added to each byte.
        rate: bytes a second each way, shared by all connections; None for no limit.
        up, down: bytes passed so far.
        connections: how many there have been.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        delay_s: float = 0.0,
        rate: float | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self.target = target
        self.delay_s = delay_s
        self.rate = rate
        self.up = self.down = self.connections = 0
        self._cut_after: int | None = None
        self._cut_is_reset = False
        self._hole = threading.Event()
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._next_free = {"up": 0.0, "down": 0.0}
        self._closed = threading.Event()
        self._listener = socket.create_server((address, 0), backlog=256)
        self.address = address
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    # -- faults

    def cut_after(self, count: int, *, reset: bool = False) -> None:
        """End all connections once `count` more bytes have passed, both ways together; once."""
        with self._lock:
            self._cut_after = self.up + self.down + count
            self._cut_is_reset = reset

    def blackhole(self) -> None:
        """Keep all connections, and new ones, open and pass nothing."""
        self._hole.set()

    def resume(self) -> None:
        """Pass bytes again, the held ones first."""
        self._hole.clear()

    def reset(self) -> None:
        """End all connections by RST."""
        self._end_all(reset=True)

    def close(self) -> None:
        """End everything."""
        self._closed.set()
        self._listener.close()
        self._end_all(reset=False)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- inside

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self.target)
            except OSError:
                if self._closed.is_set():
                    return
                near.close()
                continue
            for sock in (near, far):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # A socket that a thread waits on is not gone by `close`: so nobody waits for long.
                sock.settimeout(_TICK_S)
            self.connections += 1
            with self._lock:
                self._pairs.append((near, far))
            for source, sink, way in ((near, far, "up"), (far, near, "down")):
                _Pump(self, source, sink, way).start()

    def _may_pass(self, way: str, count: int) -> None:
        """Wait for the rate's turn, and for the hole to close."""
        while self._hole.is_set() and not self._closed.is_set():
            time.sleep(_TICK_S)
        if self.rate:
            with self._lock:
                begin = max(time.monotonic(), self._next_free[way])
                self._next_free[way] = begin + count / self.rate
            while not self._closed.is_set() and (left := begin + count / self.rate - time.monotonic()) > 0:
                time.sleep(min(left, _TICK_S))

    def _passed(self, way: str, count: int) -> int:
        """Count; how many of `count` may still go before a cut."""
        with self._lock:
            allowed = count
            if self._cut_after is not None:
                allowed = max(0, min(count, self._cut_after - self.up - self.down))
            if way == "up":
                self.up += allowed
            else:
                self.down += allowed
            return allowed

    def _end_all(self, *, reset: bool) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
            self._cut_after = None
        for pair in pairs:
            for sock in pair:
                with contextlib.suppress(OSError):
                    if reset:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        sock.close()
                    else:
                        sock.shutdown(socket.SHUT_RDWR)


class _Pump:
    """One direction of one connection: a reader that stamps chunks with a time, a writer that keeps to it."""

    def __init__(self, proxy: Proxy, source: socket.socket, sink: socket.socket, way: str) -> None:
        self._proxy, self._source, self._sink, self._way = proxy, source, sink, way
        self._chunks: collections.deque[tuple[float, bytes]] = collections.deque()
        self._ready = threading.Condition()
        self._held = 0

    def start(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                chunk = self._source.recv(_CHUNK if not self._proxy.rate else 8192)
            except TimeoutError:
                continue
            except OSError:
                chunk = b""
            with self._ready:
                self._chunks.append((time.monotonic() + self._proxy.delay_s, chunk))
                self._held += len(chunk)
                self._ready.notify_all()
                self._ready.wait_for(self._has_room)
            if not chunk:
                return

    def _has_room(self) -> bool:
        """A limited link has a short queue; a long one holds what is under way."""
        most = 64 * 1024 if self._proxy.rate else 64 * 1024 * 1024
        return self._held < most or self._proxy._closed.is_set()

    def _write(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._chunks)
                due, chunk = self._chunks.popleft()
                self._held -= len(chunk)
                self._ready.notify_all()
            if (left := due - time.monotonic()) > 0:
                time.sleep(left)
            if not chunk:
                with contextlib.suppress(OSError):
                    self._sink.shutdown(socket.SHUT_WR)
                return
            self._proxy._may_pass(self._way, len(chunk))
            allowed = self._proxy._passed(self._way, len(chunk))
            if not self._send(chunk[:allowed]):
                return
            if allowed < len(chunk):
                self._proxy._end_all(reset=self._proxy._cut_is_reset)
                return

    def _send(self, chunk: bytes) -> bool:
        while chunk:
            try:
                chunk = chunk[self._sink.send(chunk) :]
            except TimeoutError:
                continue
            except OSError:
                return False
        return True
