"""The key that a machine of ours must show: made here before it was, bound to it and to no address."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Collection

from cloudtui_engine.errors import HostKeyError
from cloudtui_engine.hosts.known_hosts import fingerprint


class PinnedKey:
    """What `KnownHosts` is for machines that others made.

    No address plays a part, nor any file: an address is given to another machine as soon as this one is gone.

    Args:
        lines: `ssh-ed25519 AAAA...`; a second one while the machine's key is changed. What is no key lets
            nobody pass.
    """

    def __init__(self, lines: str) -> None:
        self._keys = [key for line in lines.splitlines() if (key := _key(line)) is not None]

    def add(self, line: str) -> None:
        """Let this key pass, too, from now on and wherever this object is used."""
        key = _key(line)
        if key is not None:
            self._keys = [*self._keys, key]

    def known_types(self, _host: str, _port: int) -> list[str]:
        """The types to be asked for."""
        return list(dict.fromkeys(name for name, _ in self._keys))

    def require(
        self, host: str, port: int, key_type: str, blob: bytes, *, name: str, accept: Collection[str] = ()
    ) -> None:
        """Return when it is the key; what anybody accepts makes no difference.

        Raises:
            HostKeyError: it is another one.
        """
        del accept
        if any(key_type == own and hmac.compare_digest(blob, pinned) for own, pinned in self._keys):
            return
        mine = " or ".join(fingerprint(pinned) for _, pinned in self._keys) or "none that can be read"
        raise HostKeyError(
            f"What answers at {host} (port {port}) is not {name}: it shows the key {fingerprint(blob)}, and "
            f"the key of {name} is {mine}.",
            "Nothing was sent to it. Most likely the machine is gone and its address was given to another "
            "one: see what the cloud says of it.",
            fingerprint=fingerprint(blob),
            changed=True,
        )


def _key(line: str) -> tuple[str, bytes] | None:
    """(type, key) of a line; None where it is none."""
    words = line.split()
    try:
        blob = base64.b64decode(words[1], validate=True) if len(words) > 1 else b""
    except (binascii.Error, ValueError):
        blob = b""
    return (words[0], blob) if blob else None
