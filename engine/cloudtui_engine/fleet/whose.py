"""In whose account of a cloud the machines are that have rows here.

Credentials change: another profile, another shell, another key. A cloud that is asked in another account
knows none of our machines, and says so: they would be ended by its word, and live on, paid for. So nothing of
what it says then is believed, and nothing is told to it, until it shows a machine that has a row here (a new
key of the same account does), or a person says that it is the same one.
"""

from __future__ import annotations

import hashlib

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_providers.base import Provider
from cloudtui_providers.errors import ProviderError

ACCOUNT = "fleet.account."
"""The setting `fleet.account.aws` holds what tells that account from others."""
_NEXT = "next"
"""In its place: whichever it is asked in next, by a person's word."""


def require(catalog: Catalog, name: str, cloud: Provider) -> None:
    """See that a cloud is asked in the account that our machines there are in; without any, in whichever.

    Raises:
        RefusedError: it is another one, or nobody can tell; its code is `account`.
        ProviderError: it is not known now, and something lives there.
    """
    try:
        account = cloud.account()
    except ProviderError:
        if _living(catalog, name):
            raise
        return
    if not account:
        raise RefusedError(
            f"The provider {name} does not say in whose account it asks.",
            "Without that nobody knows whether a machine has ended or is another account's. Ask its author.",
            code="account",
        )
    told_by = hashlib.sha256(account.encode()).hexdigest()[:16]
    if catalog.settings.get(ACCOUNT + name) == told_by:
        return
    seen = _sees_ours(catalog, name, cloud)  # asked outside of the transaction
    with catalog.write("setting", durable=True):
        if not seen and catalog.settings.get(ACCOUNT + name) != _NEXT and _living(catalog, name):
            raise RefusedError(
                f"The credentials are of another account of {name} than the machines that were rented there, "
                "or none of these is left.",
                "Go back to those from before until the last of these has ended; the engine takes others up "
                "when it starts anew: cloudtui engine stop. Where it is the same account with a new key, and "
                f"these are gone: cloudtui provider claim {name}",
                code="account",
            )
        catalog.settings.set(ACCOUNT + name, told_by)


def claim(catalog: Catalog, name: str) -> None:
    """A person's word: the account that this cloud is asked in next is the one that our machines are in."""
    catalog.settings.set(ACCOUNT + name, _NEXT)


def _sees_ours(catalog: Catalog, name: str, cloud: Provider) -> bool:
    """Whether it lists a machine that has a row, whoever's mark it bears, or that a request here has made."""
    known = _living(catalog, name)
    for region in sorted({region for region, _ in known}):
        for machine in cloud.machines(region, "").machines:
            if {(region, machine.id), (region, machine.token)} & known:
                return True
    return False


def _living(catalog: Catalog, name: str) -> set[tuple[str, str]]:
    """Region and id of what lives there as far as is known, and region and token of what may."""
    rows = catalog.instances.rented()
    return {(one.region, one.token) for one in catalog.launches.may_live(name)} | {
        (one.region, one.cloud_id)
        for one in rows
        if one.provider == name and one.cloud_id and not one.is_gone
    }
