"""In whose account of a cloud the machines are that have rows here.

Credentials change: another profile, another shell, another key. A cloud that is asked in another account
knows none of our machines, and says so: they would be ended by its word, and live on, paid for. So nothing of
what it says then is believed, and nothing is told to it.
"""

from __future__ import annotations

import hashlib

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_providers.base import Provider

ACCOUNT = "fleet.account."
"""The setting `fleet.account.aws` holds what tells that account from others."""


def require(catalog: Catalog, name: str, cloud: Provider) -> None:
    """See that a cloud is asked in the account that our machines there are in; without any, in whichever.

    Raises:
        RefusedError: it is another one; its code is `account`.
    """
    account = cloud.account()
    if not account:
        return
    told_by = hashlib.sha256(account.encode()).hexdigest()[:16]
    if catalog.settings.get(ACCOUNT + name) == told_by:
        return
    with catalog.write("setting", durable=True):
        if catalog.settings.get(ACCOUNT + name) is not None and _something_lives(catalog, name):
            raise RefusedError(
                f"The credentials are of another account of {name} than the machines that were rented there.",
                "Go back to those from before until the last of these has ended. The engine takes others up "
                "when it starts anew: cloudtui engine stop",
                code="account",
            )
        catalog.settings.set(ACCOUNT + name, told_by)


def _something_lives(catalog: Catalog, name: str) -> bool:
    rows = catalog.instances.rented()
    return bool(catalog.launches.may_live(name)) or any(
        one.provider == name and one.cloud_id and not one.is_gone for one in rows
    )
