"""Which providers there are: by entry point, so that others can publish theirs; loaded only when used."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from cloudtui_providers.base import Provider
from cloudtui_providers.errors import NotInstalledError

GROUP = "cloudtui.providers"


@cache
def names() -> tuple[str, ...]:
    """The names of all that are installed, in order; none of them is imported for it."""
    return tuple(sorted(_found()))


@cache
def provider(name: str) -> Provider:
    """The provider of this name, made once a process.

    Raises:
        NotInstalledError: there is none, or its library is missing.
    """
    found = _found().get(name)
    if found is None:
        raise NotInstalledError(f"There is no provider {name!r}.", f"Providers: {', '.join(names())}.")
    try:
        made = found.load()()
    except ImportError as error:
        raise NotInstalledError(
            f"The library of {name} is not installed: {error.name} is missing.",
            f"pip install 'cloudtui[{name}]'",
        ) from error
    if not isinstance(made, Provider):
        raise NotInstalledError(f"{found.value} is no provider: it does not follow the contract.")
    return made


def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
