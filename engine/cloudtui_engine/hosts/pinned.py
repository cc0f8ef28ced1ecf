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
        line: `ssh-ed25519 AAAA...`; one that is no key lets nobody pass.
    """

    def __init__(self, line: str) -> None:
        words = line.split()
        self._type = words[0] if words else ""
        try:
            self._blob = base64.b64decode(words[1], validate=True) if len(words) > 1 else b""
        except (binascii.Error, ValueError):
            self._blob = b""

    def known_types(self, _host: str, _port: int) -> list[str]:
        """The type to be asked for."""
        return [self._type] if self._type else []

    def require(
        self, host: str, port: int, key_type: str, blob: bytes, *, name: str, accept: Collection[str] = ()
    ) -> None:
        """Return when it is the key; what anybody accepts makes no difference.

        Raises:
            HostKeyError: it is another one.
        """
        del accept
        if self._blob and key_type == self._type and hmac.compare_digest(blob, self._blob):
            return
        raise HostKeyError(
            f"What answers at {host} (port {port}) is not {name}: it shows the key {fingerprint(blob)}, and "
            f"{name} was made with {fingerprint(self._blob) if self._blob else 'none that can be read'}.",
            "Nothing was sent to it. Most likely the machine is gone and its address was given to another "
            "one: see what the cloud says of it.",
            fingerprint=fingerprint(blob),
            changed=True,
        )
