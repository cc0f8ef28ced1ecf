"""The user's keys: what is offered to a host, and in which order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from cloudtui_engine.errors import AuthError

OFFERED_AT_MOST = 5
"""sshd ends a connection after 6 tries (MaxAuthTries), and counts them against this address."""
AGENT_TIMEOUT_S = 30.0
"""An agent may ask the user before it signs."""


class PassphraseError(AuthError):
    """A key file needs a passphrase; the engine turns it into a question."""

    def __init__(self, message: str, hint: str, key_file: str) -> None:
        super().__init__(message, hint)
        self.key_file = key_file


@dataclass(slots=True)
class Keys:
    """Unlocked keys by file, kept in memory only, shared by the connections to one host."""

    passphrase: Callable[[str], str | None] = lambda _path: None
    """Asked once a file; None when the user was not asked yet."""
    unlocked: dict[str, paramiko.PKey] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """Why files were left out: sentences for an error message."""
    locked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def offers(
        self, key_file: str, identity_files: Sequence[str], identities_only: bool
    ) -> Generator[tuple[str, paramiko.PKey], None, None]:
        """(name, key) in the order to try: the agent's of the named files, the files, the agent's rest."""
        self.problems.clear()
        self.locked.clear()
        seen: set[bytes] = set()
        with _agent() as agent:
            for name, key in self._candidates(agent, key_file, identity_files, identities_only):
                blob = key.asbytes()
                if blob in seen:
                    continue
                if len(seen) == OFFERED_AT_MOST:
                    self.problems.append(f"only the first {len(seen)} keys were tried")
                    return
                seen.add(blob)
                yield name, key

    def _candidates(
        self,
        agent: Sequence[paramiko.AgentKey],
        key_file: str,
        identity_files: Sequence[str],
        identities_only: bool,
    ) -> Iterator[tuple[str, paramiko.PKey]]:
        files = [key_file] if key_file else list(identity_files)
        named = {blob for path in files if (blob := _public_blob(path))}
        for key in agent:
            if key.asbytes() in named:
                yield f"agent: {key.comment}", key
        for path in files:
            yield from self._file(path, required=bool(key_file))
        if not identities_only and not key_file:
            for key in agent:
                yield f"agent: {key.comment}", key

    def _file(self, path: str, *, required: bool) -> Iterator[tuple[str, paramiko.PKey]]:
        with self.lock:
            if path not in self.unlocked:
                key = self._load(path, required=required)
                if key is None:
                    return
                self.unlocked[path] = key
            yield path, self.unlocked[path]

    def _load(self, path: str, *, required: bool) -> paramiko.PKey | None:
        file = Path(path).expanduser()
        try:
            return paramiko.PKey.from_path(file)
        except FileNotFoundError:
            if required:
                self.problems.append(f"there is no key file {path}")
        except PermissionError:
            self.problems.append(f"the key file {path} may not be read by this user")
        except (paramiko.PasswordRequiredException, TypeError):
            return self._unlock(path, file)
        except (
            OSError,
            ValueError,
            paramiko.SSHException,
            UnsupportedAlgorithm,
            paramiko.pkey.UnknownKeyType,
        ) as error:
            self.problems.append(f"the key file {path} cannot be used ({type(error).__name__})")
        return None

    def _unlock(self, path: str, file: Path) -> paramiko.PKey | None:
        phrase = self.passphrase(path)
        if phrase is None:
            self.locked.append(path)
            return None
        try:
            return paramiko.PKey.from_path(file, phrase.encode())  # type: ignore[arg-type]  # it takes bytes
        except (ValueError, TypeError, paramiko.SSHException):
            self.locked.append(path)
            self.problems.append(f"the passphrase for {path} is wrong")
            return None


@contextlib.contextmanager
def _agent() -> Iterator[tuple[paramiko.AgentKey, ...]]:
    """The agent's keys, which can sign while this is open; none without an agent or with a silent one."""
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError):
        yield ()
        return
    with contextlib.closing(agent):
        with contextlib.suppress(AttributeError, OSError):
            # paramiko gives the agent's socket no deadline.
            agent._conn.settimeout(AGENT_TIMEOUT_S)  # type: ignore[attr-defined]
        yield agent.get_keys()


def _public_blob(path: str) -> bytes | None:
    """The public half beside a key file, which can be read even when the file is locked."""
    try:
        words = Path(f"{path}.pub").expanduser().read_text().split()
        return paramiko.pkey.PublicBlob.from_string(" ".join(words)).key_blob
    except (OSError, ValueError, UnicodeDecodeError):
        return None
