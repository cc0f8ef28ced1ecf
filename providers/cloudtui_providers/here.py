"""From where this machine is seen by clouds: what their firewalls are opened to, and to nothing else."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import urlopen

from cloudtui_providers.errors import CloudUnreachable, InvalidOrderError

ASKED = "https://checkip.amazonaws.com"
"""It answers with the address of who asks, one line. CLOUDTUI_ADDRESS_URL names another one."""
TIMEOUT_S = 5
MOST_BYTES = 64


def reached_from(given: Sequence[str]) -> list[str]:
    """The networks of an order, or, where it names none, this machine's address alone.

    Raises:
        CloudUnreachable: it cannot be found out. No machine is opened to everybody instead.
    """
    return list(given) or [_own()]


def present(*, only_ipv4: bool = False) -> str:
    """This machine's address now, as the network that it alone is in.

    Raises:
        CloudUnreachable: it cannot be found out.
        InvalidOrderError: it is one of IPv6, which the machines do not have.
    """
    found = _own()
    if only_ipv4 and ":" in found:
        raise InvalidOrderError(f"The machines have addresses of IPv4; this one is seen at {found}.")
    return found


def _own() -> str:
    try:
        with urlopen(os.environ.get("CLOUDTUI_ADDRESS_URL") or ASKED, timeout=TIMEOUT_S) as reply:  # noqa: S310
            address = ipaddress.ip_address(reply.read(MOST_BYTES).decode("ascii", "replace").strip())
    except (URLError, OSError, ValueError) as error:
        raise CloudUnreachable(
            f"This machine's public address cannot be found out ({type(error).__name__}).",
            "Name the networks that may reach the machine's SSH port.",
        ) from None
    return f"{address}/{address.max_prefixlen}"
