"""Who may trust whom: our key, which machines let in, and their keys, which are made here before they are.

A machine's host key is known before the machine is, so nobody is asked at the first contact, and whoever
answers at its address with another key is refused. The key's private part is in the order's user-data
alone; that lies in the catalog until the machine was seen (`without_secrets`), for an order must be sent
again as it was. In the cloud, and on the machine, others can read it: it is changed after the first login
(`handlers/rekey.py`).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance, LinkState

COMMENT = "cloudtui"
_MARK = "PRIVATE KEY-----"
CHANGED, KEPT = "changed", "kept"
"""The comment of a pinned key that took the place of the first, and of a first one that cannot be changed."""
WIPED = "(wiped after the first login)"


@dataclass(frozen=True, slots=True)
class HostKey:
    """The key that a machine will show."""

    public: str
    """`ssh-ed25519 AAAA...`: what the instance's row pins."""
    private: str = field(repr=False)
    """In OpenSSH's format."""


def new_host_key() -> HostKey:
    """A key for one machine, never used for another."""
    private, public = _new_pair()
    return HostKey(public, private)


def key_file(paths: Paths) -> Path:
    """The private key of this installation; made, with its public half beside it, at the first call.

    Two processes that make it at once get the same one. Nobody but this user can read it.
    """
    path = paths.ssh_key
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private, _ = _new_pair()
        temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(private)
                file.flush()
                os.fsync(file.fileno())
            # A link is refused where the name is taken: who came first has made it.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    public = path.with_name(f"{path.name}.pub")
    if not public.exists():
        public.write_text(f"{_public_of(path)} {COMMENT}\n")
    return path


def authorized_key(paths: Paths) -> str:
    """The line of authorized_keys that lets us in."""
    return f"{_public_of(key_file(paths))} {COMMENT}"


def to_change(instances: Sequence[Instance]) -> Iterator[tuple[str, str]]:
    """(instance, key of an operation) of the machines whose first host key can be changed now. Pure."""
    for one in instances:
        if one.launch_id and one.link_state is LinkState.UP and is_first_key(one.host_key):
            yield one.id, f"instance.rekey:{one.id}:{one.link_since or 0:.3f}"


def is_first_key(pinned: str) -> bool:
    """Whether what is pinned is, or may still be, the key that went through the cloud."""
    return bool(pinned) and len(pinned.split("\n")[-1].split()) == 2


def settled(public: str, how: str) -> str:
    """What is pinned once nothing more is to be done about the key: `CHANGED` or `KEPT`."""
    return f"{public} {how}"


def without_secrets(payload: Mapping[str, Any]) -> dict[str, Any]:
    """An order's payload with every text gone that holds a private key, encoded or not.

    It cannot be sent any more; what it asked for stays readable.
    """
    return {key: _wiped(value) for key, value in payload.items()}


def has_secrets(payload: Mapping[str, Any]) -> bool:
    """Whether a private key is in an order's payload."""
    return without_secrets(payload) != dict(payload)


def wipe(catalog: Catalog, launch_id: str) -> None:
    """Take the private keys out of all requests of a launch of which nothing is sent any more."""
    for attempt in catalog.launches.attempts(launch_id):
        if has_secrets(attempt.payload):
            catalog.launches.rewrite_payload(launch_id, attempt.number, without_secrets(attempt.payload))


def _wiped(value: Any) -> Any:
    if isinstance(value, str):
        return WIPED if _holds_key(value) else value
    if isinstance(value, Mapping):
        return {key: _wiped(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [_wiped(one) for one in value]
    return value


def _holds_key(text: str) -> bool:
    if _MARK in text:
        return True
    # Some clouds take user-data in base64.
    try:
        return _MARK.encode() in base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False


def _new_pair() -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


def _public_of(path: Path) -> str:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_ssh_private_key(path.read_bytes(), password=None)
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )
