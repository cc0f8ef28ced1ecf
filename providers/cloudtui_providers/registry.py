"""Which clouds and stores there are: by entry point, so that others can publish theirs; loaded when used."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cloudtui_providers.base import Provider
from cloudtui_providers.errors import NotInstalledError, ProviderError
from cloudtui_providers.guarded import guarded
from cloudtui_providers.stores import ObjectStore

log = logging.getLogger(__name__)

GROUP = "cloudtui.providers"
STORES = "cloudtui.stores"
"""Named by the scheme of their addresses."""
EXTRAS = {"s3": "aws"}
"""What installs the library of a store that is one of ours."""

_logged: set[str] = set()
"""What could not be made, and is logged once: who needs it asks for it every second."""


@cache
def names() -> tuple[str, ...]:
    """The names of all providers that are installed, in order; none of them is imported for it."""
    return tuple(sorted(_found(GROUP)))


@cache
def provider(name: str) -> Provider:
    """The provider of this name, made once a process; its calls raise nothing but `ProviderError`.

    Raises:
        NotInstalledError: there is none, or its library is missing.
        ProviderError: it cannot be made.
    """
    made = _made(GROUP, name, "provider")
    if not isinstance(made, Provider):
        raise NotInstalledError(f"The provider {name} does not follow the contract.")
    return guarded(made)


@cache
def schemes() -> tuple[str, ...]:
    """Of the addresses that can be read, in order; nothing is imported for it."""
    return tuple(sorted(_found(STORES)))


@cache
def store(scheme: str) -> ObjectStore:
    """The store whose addresses begin so, made once a process.

    Raises:
        NotInstalledError: there is none, or its library is missing.
    """
    made = _made(STORES, scheme, "store")
    if not isinstance(made, ObjectStore):
        raise NotInstalledError(f"The store {scheme} does not follow the contract.")
    return made


def _made(group: str, name: str, what: str) -> Any:
    found = _found(group)
    if name not in found:
        known = ", ".join(sorted(found)) or "none is installed"
        raise NotInstalledError(f"There is no {what} {name!r}.", f"{what.capitalize()}s: {known}.")
    try:
        return found[name].load()()
    except ImportError as error:
        raise NotInstalledError(
            f"The library of {name} is not installed: {error.name} is missing.",
            f"pip install 'cloudtui[{EXTRAS.get(name, name)}]'",
        ) from error
    except ProviderError:
        raise
    except Exception as error:  # broad: it is anybody's code, and must not be the end of all other clouds
        if name not in _logged:
            _logged.add(name)
            log.exception("%s cannot be made", name)
        raise ProviderError(
            f"The {what} {name} cannot be used: {type(error).__name__} as it was made.",
            "Look at what is set for it in the environment; the engine's log says more.",
        ) from error


def _found(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
