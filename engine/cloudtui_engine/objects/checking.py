"""What keeps data in stores of objects from being read here."""

from __future__ import annotations

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.fleet.means import ours
from cloudtui_engine.records.cloud import CloudCheck
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers import registry
from cloudtui_providers.errors import ProviderError


def check_all() -> dict[str, list[CloudCheck] | CloudtuiError]:
    """By scheme: what each store says of its credentials and permissions, or why it cannot be asked."""
    found: dict[str, list[CloudCheck] | CloudtuiError] = {}
    for scheme in registry.schemes():
        try:
            checks = registry.store(scheme).check()
        except ProviderError as error:
            found[scheme] = ours(error)
        else:
            found[scheme] = [
                CloudCheck(
                    clean_line(one.name, 80), one.ok, clean_line(one.text, 300), clean_line(one.hint, 300)
                )
                for one in checks
            ]
    return found
