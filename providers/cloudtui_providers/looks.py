"""Checks of a cloud that is asked over HTTP: one look after the other, until one says all there is to say."""

from __future__ import annotations

from collections.abc import Callable

from cloudtui_providers.base import Check
from cloudtui_providers.errors import (
    AuthError,
    CloudUnreachable,
    NotInstalledError,
    ProviderError,
    ThrottledError,
)

Look = tuple[str, Callable[[], str]]
"""Its name, and what it finds, a sentence; it raises what is missing."""
NO_FURTHER = (AuthError, CloudUnreachable, NotInstalledError, ThrottledError)


def checks(*looks: Look) -> list[Check]:
    """What the looks find. Where the first is refused for what holds for all, it is the last."""
    found: list[Check] = []
    for name, look in looks:
        try:
            found.append(Check(name, True, look()))
        except ProviderError as error:
            found.append(Check(name, False, error.message, error.hint))
            if isinstance(error, NO_FURTHER):
                break
    return found
