"""This terminal, lent to a shell on a host: raw keys there, its bytes here, all as it was at the end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from types import FrameType

import paramiko

from cloudtui_engine.errors import UnreachableError

_READ = 64 * 1024
_HELD = 256 * 1024
"""So much that was typed or pasted is held while the host takes nothing."""
_TICK_S = 0.05
_LOOK_S = 0.25
"""paramiko tells of an end by a byte in a pipe, which a read of the last bytes may take away just then."""
_STATUS_S = 5.0
SIGNALLED = 255
"""As ssh says it of a command that a signal ended."""
_CALM = (
    "".join(f"\x1b[?{mode}l" for mode in (1047, 1000, 1002, 1003, 1006, 1004, 2004, 1))
    + "\x1b>\x1b[?25h\x1b[0m\r\n\x1b[J"
).encode()
"""What a full-screen program says at its end: other screen, mouse, pasting, keypad, cursor, colour.

1047 and not 1049: the latter puts the cursor back to where it was long ago, on the one screen, too, and what
is told next would stand amid older lines.
"""
_HELP = "\r\nAt the beginning of a line:  ~.  ends the connection   ~~  is ~   ~?  is this\r\n"
IN, OUT, ERR = 0, 1, 2


class Left(Exception):  # noqa: N818 - no error: the person wants to go
    """`~.` was typed."""


class Escapes:
    """Finds `~.`, `~?` and `~~` at the beginning of a line among what is typed, as ssh does."""

    def __init__(self) -> None:
        self._fresh, self._tilde = True, False

    def feed(self, data: bytes) -> tuple[bytes, str]:
        """What goes to the host, and what was asked for: ``, `help` or `leave`; nothing after that counts."""
        out, asked = bytearray(), ""
        for byte in data:
            if self._tilde:
                self._tilde = False
                if byte == ord("."):
                    return bytes(out), "leave"
                if byte == ord("?"):
                    asked = "help"
                    continue
                out += b"" if byte == ord("~") else b"~"
            elif self._fresh and byte == ord("~"):
                self._tilde = True
                continue
            out.append(byte)
            self._fresh = byte in b"\r\n"
        return bytes(out), asked


def is_one() -> bool:
    """Somebody types and reads here."""
    return os.isatty(IN) and os.isatty(OUT)


def size() -> tuple[int, int]:
    """Columns and rows."""
    return os.get_terminal_size(OUT)


def lend(channel: paramiko.Channel, name: str) -> int:
    """Pass everything between this process and a shell or command that runs on `channel`, until it ends.

    Args:
        channel: with a pty where this is a terminal.
        name: of the host.

    Returns:
        The exit status there.

    Raises:
        UnreachableError: the connection was lost. Left: `~.` was typed.
    """
    lent = _Lent(channel)
    if not is_one():
        lent.run()
        return _status(channel, name)
    with _raw() as flush, _resized() as bell:
        try:
            lent.run(bell)
            return _status(channel, name)
        except (Left, UnreachableError):
            flush()  # what was typed to a dead shell is for nobody else
            _write(OUT, _CALM)
            raise


class _Lent:
    """One loan. Nothing here waits for the host but `select`, so `~.` is always heard."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._escapes = Escapes() if is_one() else None
        self._held = bytearray()
        self._typing = True
        channel.setblocking(0)

    def run(self, bell: int = -1) -> None:
        """Until the host says that nothing more comes, or cannot; which of them, its exit status tells."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._run(bell)

    def _run(self, bell: int) -> None:
        while not self._is_over():
            readers: list[int] = [self._channel.fileno(), *([bell] if bell >= 0 else [])]
            if self._typing and len(self._held) < _HELD:
                readers.append(IN)
            ready, _, _ = select.select(readers, [], [], _TICK_S if self._held else _LOOK_S)
            if bell in ready:
                os.read(bell, 4096)
                self._channel.resize_pty(*size())
            if IN in ready:
                self._take()
            self._pass_on()
            self._show()

    def _is_over(self) -> bool:
        channel = self._channel
        return bool(channel.eof_received or channel.closed) and not (
            channel.recv_ready() or channel.recv_stderr_ready()
        )

    def _take(self) -> None:
        try:
            data = os.read(IN, _READ)
        except OSError:  # the terminal is gone
            data = b""
        if not data:
            self._typing = False
        asked = ""
        if self._escapes is not None:
            data, asked = self._escapes.feed(data)
        self._held += data
        if asked == "leave":
            raise Left
        if asked == "help":
            _write(OUT, _HELP.encode())

    def _pass_on(self) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # what is still to come says more
            while self._held and self._channel.send_ready():
                del self._held[: self._channel.send(bytes(self._held[:_READ]))]
            if not self._typing and not self._held:
                self._channel.shutdown_write()

    def _show(self) -> None:
        while self._channel.recv_ready():
            _write(OUT, self._channel.recv(_READ))
        while self._channel.recv_stderr_ready():
            _write(ERR, self._channel.recv_stderr(_READ))


def _status(channel: paramiko.Channel, name: str) -> int:
    channel.status_event.wait(_STATUS_S)
    status = channel.exit_status
    if status >= 0:
        return status
    if channel.get_transport().is_active():
        return SIGNALLED
    raise UnreachableError(
        f"The connection to {name} was lost.",
        "What ran in that shell has most likely ended with it, unless it was in tmux or under nohup.",
        code="lost",
    )


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextlib.contextmanager
def _raw() -> Iterator[Callable[[], None]]:
    """Each key comes as it is typed, ctrl-c too; gives what throws away that which was typed already."""
    before = termios.tcgetattr(IN)
    tty.setraw(IN, termios.TCSADRAIN)
    try:
        yield lambda: termios.tcflush(IN, termios.TCIFLUSH)
    finally:
        termios.tcsetattr(IN, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resized() -> Iterator[int]:
    """A descriptor that can be read after the window changed its size."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.signal(signal.SIGWINCH, _noted)
    waking = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield read
    finally:
        signal.set_wakeup_fd(waking)
        signal.signal(signal.SIGWINCH, before)
        os.close(read)
        os.close(write)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The descriptor was written to: that is all."""
