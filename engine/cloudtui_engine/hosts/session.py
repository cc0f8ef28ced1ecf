"""The control lane of one host: requests and answers, journals as they grow, and whether it is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from cloudtui_engine.errors import CloudtuiError, FailedError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts import bootstrap, replies
from cloudtui_engine.hosts.clock import HostClock
from cloudtui_engine.hosts.crew import Crew
from cloudtui_engine.hosts.pending import Pending
from cloudtui_engine.hosts.streams import Streams
from cloudtui_engine.hosts.timing import DEFAULT_TIMING, Timing
from cloudtui_engine.hosts.transport import Transport
from cloudtui_host import frames

_READ = 256 * 1024


OnData = Callable[[int, int, bytes], None]
OnEvent = Callable[[dict[str, Any]], None]
OnClosed = Callable[[CloudtuiError | None], None]


def _nothing(*_args: object) -> None:
    """For callbacks that nobody gave."""


class Session:
    """The control lane over a connected transport, which it owns: `close` closes both.

    Callbacks are called one after another, by threads of the crew, and must return soon. `on_data` gets the
    bytes of a followed journal in order and without gaps; `on_closed` is called once, with the reason, or
    None after `close`.

    Args:
        transport: connected.
        root: our folder on the host; empty for the default.
        on_data: (stream, offset, bytes).
        on_event: each event but hello.
        on_closed: the end.
        timing: other periods, for tests.
        crew: whose threads read and ping; one of its own by default.

    Raises:
        CloudtuiError: as `bootstrap.start`.
    """

    def __init__(
        self,
        transport: Transport,
        root: str = "",
        *,
        on_data: OnData = _nothing,
        on_event: OnEvent = _nothing,
        on_closed: OnClosed = _nothing,
        timing: Timing = DEFAULT_TIMING,
        crew: Crew | None = None,
    ) -> None:
        self._transport = transport
        self._on_data, self._on_event, self._on_closed = on_data, on_event, on_closed
        self._timing = timing
        self._state = threading.Lock()
        self._sending = threading.Lock()
        self._pending = Pending()
        self._streams = Streams(transport.name)
        self._closed = False
        self._reason: CloudtuiError | None = None
        self._ping: tuple[int, float, float] | None = None
        self._next_ping = 0.0
        started = bootstrap.start(transport, root, "control", timing.start_s)
        self._channel, self._decoder = started.channel, started.decoder
        self.hello: Mapping[str, Any] = started.hello
        """Who answered, checked and cleaned; see engine/DESIGN.md."""
        self.last_heard = time.monotonic()
        """When the last byte came (monotonic)."""
        self._clock = HostClock(started.hello["now"])
        self._rest = started.rest
        self._duty = (crew or Crew(f"session-{transport.name}")).duty(self._turn)
        self._channel.watch(self._duty.wake)

    # -- for everyone

    @property
    def transport(self) -> Transport:
        """The way to the host, to get a second connection from."""
        return self._transport

    @property
    def is_open(self) -> bool:
        """Whether requests can be made."""
        return not self._closed

    @property
    def clock_offset(self) -> float:
        """Host clock + this = our clock, by the ping that was quickest lately."""
        return self._clock.offset

    def silence(self) -> float:
        """Seconds since the last byte came."""
        return max(0.0, time.monotonic() - self.last_heard)

    def request(
        self, verb: str, args: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Ask the host and wait; from anywhere but the session's own callbacks.

        Raises:
            CloudtuiError: what the host replied, with its code, message and hint, cleaned.
            LinkTimeoutError: no reply in time. UnreachableError: the session ended.
        """
        seconds = self._timing.request_s if timeout is None else timeout
        deadline = time.monotonic() + seconds
        number, future = self._pending.enlist()
        try:
            self._send({"id": number, "verb": verb, "args": dict(args or {})}, seconds)
            return future.result(max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            raise LinkTimeoutError(
                f"{self._transport.name} did not answer {verb!r} within {seconds:.0f} s.",
                "The machine may be overloaded; try again.",
            ) from None
        finally:
            self._pending.drop(number)

    def follow(
        self,
        stream: int,
        *,
        job: str,
        attempt: int,
        source: str,
        offset: int = 0,
        tail: bytes = b"",
        timeout: float | None = None,
    ) -> int:
        """Have the journal's bytes from `offset` on come to `on_data`; returns its size now.

        Raises:
            CloudtuiError: code `journal_rewritten` when what lies before `offset` does not end in `tail`.
        """
        self._streams.add(stream, offset)
        where = {"job": job, "attempt": attempt, "source": source}
        args = {"stream": stream, **where, "offset": offset, "tail": tail.hex()}
        try:
            return replies.whole(self.request("follow", args, timeout), "size")
        except CloudtuiError:
            self._streams.drop(stream)
            raise

    def ack(self, stream: int, offset: int) -> None:
        """All before `offset` is stored here: the host may send on."""
        self._streams.acknowledge(stream, offset)
        self._send(
            {"id": 0, "verb": "ack", "args": {"stream": stream, "offset": offset}}, self._timing.dead_s
        )

    def end_if_stuck(self) -> None:
        """End it when it has been silent for too long while its own turn may be stuck in a send."""
        if self._sending.locked():
            self._end_if_dead()

    def close(self) -> None:
        """End the session and its transport at once; what runs on the host goes on."""
        self._end(None)
        self._duty.join(5)

    # -- sending

    def _send(self, message: dict[str, Any], timeout: float) -> None:
        if not self._sending.acquire(timeout=timeout):
            raise LinkTimeoutError(f"{self._transport.name} took no data for {timeout:.0f} s.")
        try:
            self._channel.send(frames.message(message), timeout)
        except LinkTimeoutError as error:
            self._end(error)  # Half a frame may be out: nothing after it would be understood.
            raise
        finally:
            self._sending.release()

    def _send_ping(self) -> None:
        """Without waiting for a sender that is stuck: then there is something to be heard of anyway."""
        if not self._sending.acquire(blocking=False):
            return
        try:
            number = self._pending.number()
            self._ping = (number, time.time(), time.monotonic())
            self._channel.send(
                frames.message({"id": number, "verb": "ping", "args": {}}), self._timing.ping_s
            )
        finally:
            self._sending.release()

    # -- the session's duty

    def _turn(self) -> float | None:
        """Take what has come, ping when it is time; seconds until the next turn, None after the last one."""
        if self._closed:
            self._on_closed(self._reason)
            return None
        try:
            heard = self._receive()
            rest = self._keep_watch()
        except CloudtuiError as error:
            self._end(error)
            return 0.0
        except BaseException:
            # What is no error of the link (a callback that raises) ends the session too, and shows.
            self._end(
                FailedError(
                    f"The session with {self._transport.name} ended by an error inside cloudtui.",
                    "Report it, please.",
                )
            )
            self._on_closed(self._reason)
            raise
        return 0.0 if heard else rest

    def _keep_watch(self) -> float:
        """Ping when it is time, end it when it is dead; how long nothing is to be done if nothing comes."""
        now = time.monotonic()
        self._end_if_dead()
        if now >= self._next_ping and not self._closed:
            self._next_ping = now + self._timing.ping_s
            self._send_ping()
        return max(0.0, min(self._next_ping - now, self._timing.dead_s - self.silence()))

    def _end_if_dead(self) -> None:
        silence = self.silence()
        if silence >= self._timing.dead_s:
            self._end(
                LinkTimeoutError(
                    f"{self._transport.name} has been silent for {silence:.0f} s; the link is given up.",
                    "What runs there goes on. The link is made again when the host answers.",
                )
            )

    def _receive(self) -> bool:
        """Take some of what has come; whether there was any."""
        for kind, payload in self._rest:
            self._take(kind, payload)
        self._rest.clear()
        try:
            chunk = self._channel.recv(_READ, 0.0)
        except LinkTimeoutError:
            return False
        if not chunk:
            raise UnreachableError(
                f"The connection to {self._transport.name} ended.",
                "What runs there goes on; the link is made again.",
            )
        self.last_heard = time.monotonic()
        for kind, payload in self._decoder.feed(chunk):
            self._take(kind, payload)
        return True

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == frames.DATA:
            if len(payload) >= frames.DATA_HEAD.size:
                stream, offset, chunk = frames.split_data(payload)
                if self._streams.receive(stream, offset, len(chunk)):
                    self._on_data(stream, offset, bytes(chunk))
            return
        message = replies.parse(payload)
        if message is None:
            return
        if isinstance(message.get("event"), str):
            self._on_event(message)
        elif isinstance(number := message.get("id"), int):
            self._take_reply(number, message)

    def _take_reply(self, number: int, message: dict[str, Any]) -> None:
        ping = self._ping
        if ping is not None and ping[0] == number:
            self._ping = None
            self._take_pong(message, ping[1], ping[2])
            return
        self._pending.take(number, message)

    def _take_pong(self, message: dict[str, Any], wall: float, monotonic: float) -> None:
        result = message.get("result")
        if not isinstance(result, dict):
            return
        self._clock.add(wall, monotonic, replies.moment(result, "now"))

    def _end(self, reason: CloudtuiError | None) -> None:
        """Close once; whoever waits for an answer gets the reason."""
        with self._state:
            if self._closed:
                return
            self._closed = True
            self._reason = reason
        self._transport.close()
        self._pending.end(reason or UnreachableError(f"The session with {self._transport.name} is closed."))
        self._duty.wake()
