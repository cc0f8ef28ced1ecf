"""The connection that the user's own ssh holds open for us: logged in once, shared by all that comes after.

Everything that their ssh can do works so: a second factor, FIDO keys, Kerberos, a ProxyCommand. A person is
asked only by `log_in_here`, at the terminal; all else runs with BatchMode. When the connection is gone, one
that needed a person is not made again without them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cloudtui_engine.errors import (
    BadInputError,
    LinkTimeoutError,
    LoginNeededError,
    RefusedError,
    UnreachableError,
)
from cloudtui_engine.hosts import ssh_words
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address

ASK_S = 5.0
"""How long a master of ours may take to say that it lives."""
LOGIN_S = 10.0
"""So long a person waits for somebody else's login to end."""
_LOG_BYTES = 256 * 1024
_LONGEST_FOLDER = 64
"""Of a socket's 104 bytes: the name takes 17, and ssh adds 17 of its own while it makes it."""
# What their ssh would reject since 9.6, too: older ones hand it to the shell of a ProxyCommand.
_SHELL = r"'`\"$\\;&<>|(){}"
_HOST = re.compile(rf"[^\s\x00-\x1f\x7f\-{_SHELL}][^\s\x00-\x1f\x7f{_SHELL}]{{0,254}}")
_USER = re.compile(rf"(?:[^\s\x00-\x1f\x7f\-{_SHELL}][^\s\x00-\x1f\x7f{_SHELL}]{{0,254}})?")
_KEEPING = (
    # One short gap of the network must not cost the person another login: five minutes of silence do.
    "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=20",
    "-o", "ControlPersist=no", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none",
    "-o", "RequestTTY=no",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Master:
    """The shared connection to one address. Every method may be called from any process of this user."""

    name: str
    """What a person calls the host."""
    address: Address
    socket: Path
    config: Path | None = None
    """Another file than the user's own SSH configuration."""

    # -- its life

    def is_up(self) -> bool:
        """Whether it holds a connection, as far as it knows."""
        return self.socket.exists() and self._control("check")

    def answers(self, timeout: float = ASK_S) -> bool:
        """Whether a command gets through to the host and back."""
        try:
            done = subprocess.run(
                self.command("exit 0"), capture_output=True, stdin=subprocess.DEVNULL,
                timeout=timeout, check=False, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def ensure(self, timeout: float) -> None:
        """Have it up without asking anybody; one try, and none where a person was needed before.

        Raises:
            LoginNeededError: a person has to log in; the hint says how.
            HostKeyError: the host shows another key than their known_hosts has.
            UnreachableError: it could not be reached; LinkTimeoutError: not in time.
        """
        if self.is_up():
            return
        if self._asks.exists():
            raise ssh_words.login_needed(self.name, f"You are not logged in to {self.name}")
        with self._alone(timeout):
            if self.is_up():
                return
            try:
                self._log_in(timeout)
            except LoginNeededError:
                self._asks.touch()
                raise

    def log_in_here(self) -> None:
        """Log in at this terminal, where their ssh asks what it has to; nothing where it is up already.

        Raises:
            CloudtuiError: as `ensure`.
        """
        with self._alone(LOGIN_S):
            if self.is_up() and self.answers():
                return
            self._drop()
            with self._log() as log:
                self._judge(subprocess.run(self._login(log), check=False).returncode, log)

    def end(self) -> None:
        """Log out and leave nothing behind; what runs on the host goes on."""
        self._drop()
        self._lock.unlink(missing_ok=True)

    def _drop(self) -> None:
        if self.socket.exists():
            self._control("exit")
        for path in (self.socket, self._asks):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self, timeout: float) -> Iterator[None]:
        """While nobody else logs in: one of the two would be asked for nothing.

        Raises:
            LoginNeededError: somebody does, for longer than `timeout`.
        """
        deadline = time.monotonic() + timeout
        with self._lock.open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        why = f"A login to {self.name} is under way at another terminal"
                        raise ssh_words.login_needed(self.name, why) from None
                    time.sleep(0.05)  # flock knows no deadline
            yield

    def _log_in(self, timeout: float) -> None:
        self.socket.unlink(missing_ok=True)  # of a master that was killed; it would be no place for another
        with self._log() as log:
            process = subprocess.Popen(
                self._login(log, "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, int(timeout))}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,  # what a ProxyCommand says, too
                start_new_session=True,  # without our terminal nothing can ask on it
                env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            )
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise LinkTimeoutError(
                    f"Your ssh did not log in to {self.name} within {timeout:.0f} s.",
                    f"Try: ssh {self.address.host}",
                ) from None
            self._judge(status, log)

    def _log(self) -> IO[bytes]:
        """Where ssh writes what it does; in our folder, where nobody else can put a file of that name."""
        return tempfile.NamedTemporaryFile(
            "ab+", dir=self.socket.parent, prefix=f"{self.socket.name}-", suffix=".log"
        )

    def _judge(self, status: int, log: IO[bytes]) -> None:
        log.seek(0)
        said = log.read(_LOG_BYTES).decode(errors="replace")
        if status or not self.is_up():
            raise ssh_words.failure(self.name, self.address.host, said)
        if ssh_words.needed_a_person(said):
            self._asks.touch()

    # -- command lines

    def command(self, command: str, *, terminal: bool = False) -> list[str]:
        """The words that run `command` (empty: a login shell) over it; they never log in by themselves."""
        quiet = [] if terminal else ["-o", "BatchMode=yes"]
        return [
            *self._ssh("none"), "-tt" if terminal else "-T", "-o", "LogLevel=ERROR", *quiet,
            # Where the master is gone ssh would connect by itself: this is a way that leads nowhere.
            "-o", "ControlMaster=no", "-o", "ProxyCommand=false", "--", self.address.host,
            *([command] if command else []),
        ]  # fmt: skip

    def through(self, host: str, port: int) -> list[str]:
        """The words that carry one connection, made by the host, over their own stdin and stdout."""
        return [
            *self._ssh("none"), "-T", "-W", f"{host}:{port}", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
            "-o", "ControlMaster=no", "-o", "ProxyCommand=false", "--", self.address.host,
        ]  # fmt: skip

    def control(self, what: str, *options: str) -> list[str]:
        """The words that ask the master itself: `check`, `exit`, `forward` with `-L ...`, `cancel`."""
        return [*self._ssh("none"), "-O", what, *options, "--", self.address.host]

    def _control(self, what: str) -> bool:
        try:
            done = subprocess.run(
                self.control(what), capture_output=True, stdin=subprocess.DEVNULL, timeout=ASK_S, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _login(self, log: IO[bytes], *options: str) -> list[str]:
        where = self.address
        words = ["-l", where.user] if where.user else []
        words += ["-p", str(where.port)] if where.port not in {0, 22} else []
        words += ["-i", where.key_file, "-o", "IdentitiesOnly=yes"] if where.key_file else []
        config = str(self.config) if self.config else ""
        return [
            *self._ssh(config), "-M", "-N", "-f", "-T", "-v", "-E", log.name,
            *_KEEPING, *options, *words, "--", where.host,
        ]  # fmt: skip

    def _ssh(self, config: str) -> list[str]:
        # A `%` in a ControlPath stands for something.
        return [_program(), *(["-F", config] if config else []), "-S", str(self.socket).replace("%", "%%")]

    @property
    def _lock(self) -> Path:
        """Held by who logs in."""
        return self.socket.with_suffix(".lock")

    @property
    def _asks(self) -> Path:
        """Its being there says that a login needs a person. It is gone when the machine restarts."""
        return self.socket.with_suffix(".asks")


def of(paths: Paths, address: Address, name: str, config: Path | None = None) -> Master:
    """The master of an address, for one home.

    Raises:
        BadInputError: no host or user that may be handed to ssh.
        RefusedError: the folder of its socket is not ours alone.
    """
    if not _HOST.fullmatch(address.host) or not _USER.fullmatch(address.user):
        who = ssh_words.quoted(f"{address.user}@{address.host}" if address.user else address.host)
        raise BadInputError(f"{who} is no host that your ssh can be given.", "Give a name of its Host lines.")
    words = (str(paths.home), address.host, address.user, str(address.port), address.key_file)
    name_of_socket = hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]
    return Master(name, address, _folder() / name_of_socket, config)


def _program() -> str:
    ssh = shutil.which("ssh")
    if ssh is None:
        raise UnreachableError("There is no ssh on this machine.", "Install OpenSSH's client.")
    return ssh


def _folder() -> Path:
    """Where sockets may be: short, and nobody else's.

    Raises:
        RefusedError: somebody else made it, or it lets others in.
    """
    user = os.getuid()
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}")
    usable = runtime.is_dir() and os.access(runtime, os.W_OK) and len(os.fsencode(runtime)) < _LONGEST_FOLDER
    folder = runtime / "cloudtui" if usable else Path(tempfile.gettempdir()) / f"cloudtui-{user}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or stat.S_IMODE(found.st_mode) & 0o077:
        raise RefusedError(
            f"{folder} is not a folder that only you may enter: no connection is kept there.",
            "Remove it; it is made anew.",
        )
    return folder
