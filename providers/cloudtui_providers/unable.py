"""What an order may ask for that small clouds do not have, refused before anything is sent."""

from __future__ import annotations

from cloudtui_providers.base import Order
from cloudtui_providers.errors import InvalidOrderError


def refuse(order: Order, title: str) -> None:
    """Machines that can be taken back, and a firewall of one's own.

    Raises:
        InvalidOrderError: the order names either. A network that is named and not kept to would be worse.
    """
    if order.spot:
        raise InvalidOrderError(f"Of {title} no machines are rented that it may take back.")
    if order.ssh_from:
        raise InvalidOrderError(
            f"{title} cannot limit a machine's SSH port to {', '.join(order.ssh_from)}.",
            "Leave the networks out: who logs in needs our key all the same.",
        )
