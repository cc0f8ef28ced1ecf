"""The firewall of a rented machine, opened to this machine where that is now.

Firewalls are opened to the address from which a machine was ordered. Who takes the laptop elsewhere is shut
out until the next launch; this lets him in without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.fleet import installation
from cloudtui_engine.fleet.means import Means, Question, ours
from cloudtui_providers.errors import ProviderError


def let_in(means: Means, instance_id: str) -> Mapping[str, Any]:
    """Open it, by the networks that the machine's order named; any number of times.

    Returns:
        `{"network"}`: this machine's address.

    Raises:
        CloudtuiError: its cloud has no such firewall, or does not change it.
    """
    catalog = means.catalog
    if installation.is_copy(catalog, means.paths):
        raise Question(installation.question(catalog, means.paths))
    instance = catalog.instances.get(instance_id)
    ssh_from = catalog.launches.get(instance.launch_id).wish.ssh_from if instance.launch_id else ()
    try:
        network = means.cloud(instance.provider).let_in(
            instance.region, installation.owner(catalog), ssh_from
        )
    except ProviderError as error:
        raise ours(error) from error
    catalog.events.add(instance_id, "info", "let_in", f"Its firewall is open to {network}, this machine.")
    return {"network": network}
