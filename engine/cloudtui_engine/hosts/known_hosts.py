"""Which keys hosts have: our own file, and the user's, line by line so that one odd line spoils nothing."""

from __future__ import annotations

import base64
import binascii
import fcntl
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cloudtui_engine.durable import replace_file
from cloudtui_engine.errors import HostKeyError

USER_FILES = (
    Path("~/.ssh/known_hosts"),
    Path("~/.ssh/known_hosts2"),
    Path("/etc/ssh/ssh_known_hosts"),
    Path("/etc/ssh/ssh_known_hosts2"),
)
_FILE_LIMIT = 8 * 1024 * 1024


class KeyState(StrEnum):
    """What is known of a key that a host shows."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class _Entry:
    patterns: str
    key_type: str
    blob: bytes
    revoked: bool


class KnownHosts:
    """Host keys that were confirmed.

    Args:
        own: our file; it need not exist.
        user_files: the user's, which are read at each check and never written.
    """

    def __init__(self, own: Path, user_files: Sequence[Path] = USER_FILES) -> None:
        self.own = own
        self.user_files = tuple(user_files)

    def check(self, host: str, port: int, key_type: str, blob: bytes) -> KeyState:
        """What is known of this key of this host.

        A host of which any key is known is `CHANGED` when it shows one that is not among them, of whichever
        type: a connection asks for the types that are known first.
        """
        name = host_name(host, port)
        mine = [entry for entry in self._entries() if _matches(entry.patterns, name)]
        if any(entry.revoked and entry.blob == blob for entry in mine):
            return KeyState.REVOKED
        good = [entry for entry in mine if not entry.revoked]
        if any(entry.blob == blob and entry.key_type == key_type for entry in good):
            return KeyState.KNOWN
        return KeyState.CHANGED if good else KeyState.UNKNOWN

    def known_types(self, host: str, port: int) -> list[str]:
        """The key types that are known of this host, to be asked for first."""
        name = host_name(host, port)
        found = [e.key_type for e in self._entries() if not e.revoked and _matches(e.patterns, name)]
        return list(dict.fromkeys(found))

    def require(
        self, host: str, port: int, key_type: str, blob: bytes, *, name: str, accept: Collection[str] = ()
    ) -> None:
        """Return when the key is known, or unknown but its fingerprint is in `accept` (then it is kept).

        Raises:
            HostKeyError: unknown, changed or revoked.
        """
        shown = fingerprint(blob)
        state = self.check(host, port, key_type, blob)
        if state is KeyState.KNOWN:
            return
        if state is KeyState.REVOKED:
            raise HostKeyError(
                f"{name} shows a key that is marked as revoked ({shown}).",
                "Nothing was sent to it. Ask whoever runs this machine for its new key.",
                fingerprint=shown,
                changed=True,
            )
        if state is KeyState.CHANGED:
            raise HostKeyError(
                f"The host key of {name} has changed: it now shows {shown}.",
                "Nothing was sent to it. The machine was set up anew there, or someone is in between. "
                f"When you know that it is right, remove the line of {host_name(host, port)} from {self.own} "
                "or from your known_hosts.",
                fingerprint=shown,
                changed=True,
            )
        if any(hmac.compare_digest(given.strip().encode(), shown.encode()) for given in accept):
            self.add(host, port, key_type, blob)
            return
        other = ", and it is not the one that was accepted" if accept else ""
        raise HostKeyError(
            f"The host key of {name} is not known yet: {shown}{other}.",
            "Compare it with what the machine's console or provider shows, then accept it: "
            f"--accept-host-key {shown}",
            fingerprint=shown,
        )

    def add(self, host: str, port: int, key_type: str, blob: bytes) -> None:
        """Keep a confirmed key; what is there stays. Two processes at once are fine."""
        line = f"{host_name(host, port)} {key_type} {base64.b64encode(blob).decode()}"
        self._rewrite(lambda lines: lines if line in lines else [*lines, line])

    def forget(self, host: str, port: int) -> None:
        """Drop our own lines of this host; the user's files are the user's."""
        name = host_name(host, port)
        self._rewrite(lambda lines: [line for line in lines if not _is_of(line, name)])

    def _rewrite(self, change: Callable[[list[str]], list[str]]) -> None:
        self.own.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(
            self.own.with_name(self.own.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            old = _read(self.own).splitlines()
            new = change(old)
            if new != old:
                replace_file(self.own, "".join(f"{line}\n" for line in new))
        finally:
            os.close(lock)

    def _entries(self) -> Iterator[_Entry]:
        for path in (self.own, *self.user_files):
            for line in _read(path.expanduser()).splitlines():
                entry = _parse(line)
                if entry is not None:
                    yield entry


def host_name(host: str, port: int) -> str:
    """As known_hosts names it."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def fingerprint(blob: bytes) -> str:
    """`SHA256:...` as ssh prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _parse(line: str) -> _Entry | None:
    """One line; None for comments, certificate authorities and whatever is no line of a host."""
    words = line.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or marker not in {"", "@revoked"}:
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    # The blob names its own type; a line that says another is damaged.
    size = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + size] != words[1].encode():
        return None
    return _Entry(words[0], words[1], blob, revoked=bool(marker))


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _matches_hash(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        negated = pattern.startswith("!")
        if _glob(name, pattern.lstrip("!")):
            if negated:
                return False
            found = True
    return found


def _glob(name: str, pattern: str) -> bool:
    """`*` and `?` are wild; brackets are of `[host]:port`."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _matches_hash(text: str, name: str) -> bool:
    parts = text.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, digest = base64.b64decode(parts[2], validate=True), base64.b64decode(parts[3], validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)


def _is_of(line: str, name: str) -> bool:
    entry = _parse(line)
    return entry is not None and _matches(entry.patterns, name)


def _read(path: Path) -> str:
    """The file's text; empty when it is missing or may not be read."""
    try:
        with path.open("rb") as file:
            return file.read(_FILE_LIMIT).decode(errors="replace")
    except OSError:
        return ""
