"""What the fleet's stories work with, and how a cloud's errors become ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, FailedError, RefusedError, UnreachableError
from cloudtui_engine.fleet import whose
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.sanitize import clean
from cloudtui_providers import registry
from cloudtui_providers.base import Provider
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CloudUnreachable,
    NotInstalledError,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 60.0
LONGEST_WISH_S = 600.0
"""A cloud that wants to be left alone for longer is asked all the same."""
_MOST_TEXT = 2000
_REFUSALS = (PermissionDenied, QuotaError, NotInstalledError)
_SILENCES = (CloudUnreachable, AuthError, AmbiguousError)
PASSING = (CloudUnreachable, ThrottledError, AmbiguousError)
"""Errors after which the same call may be made again, of calls that may be made twice."""


class Interrupted(Exception):  # noqa: N818 - no error: the engine ends, and the next one goes on
    """The engine is ending."""


class Question(Exception):  # noqa: N818 - no error: a person has to say something first
    """Only a person can say how to go on."""

    def __init__(self, question: Mapping[str, Any]) -> None:
        super().__init__(str(question.get("text", "")))
        self.question = dict(question)


def _nothing(_text: str) -> None:
    """For those who show no progress."""


@dataclass(frozen=True, slots=True)
class Means:
    """The engine, as far as the fleet uses it."""

    catalog: Catalog
    paths: Paths
    closing: threading.Event
    clock: Clock
    say: Callable[[str], None] = _nothing

    def cloud(self, name: str) -> Provider:
        """The provider of this name.

        Raises:
            CloudtuiError: it, or its library, is not installed; or it would be asked in another account, or
                nobody knows in which.
        """
        try:
            found = registry.provider(name)
            whose.require(self.catalog, name, found)
        except ProviderError as error:
            raise ours(error) from error
        return found

    def say_state(self, instance: Instance) -> None:
        """Say what the cloud says of a machine, or why it says nothing."""
        looks = self.catalog.listings.list(instance.provider)
        problem = next((one.problem for one in looks if one.region == instance.region), "")
        self.say(problem or f"The cloud says: {instance.cloud_state}")

    def wait(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            Interrupted: the engine is ending.
        """
        if self.clock.wait(seconds, self.closing):
            raise Interrupted


def patience(tries: int, error: ProviderError | None = None) -> float:
    """How long to wait before the call number `tries` (from 1) is made again."""
    wished = error.retry_after_s if isinstance(error, ThrottledError) else 0.0
    growing: float = FIRST_WAIT_S * 2.0 ** min(tries - 1, 10)
    return max(min(growing, LONGEST_WAIT_S), min(wished, LONGEST_WISH_S))


def as_row(error: ProviderError) -> dict[str, str]:
    """What is shown of a cloud's error; its words are data."""
    return {name: value for name, value in ours(error).as_dict().items() if name != "exit_status"}


def ours(error: ProviderError) -> CloudtuiError:
    """A cloud's error as a person sees it."""
    kind: type[CloudtuiError] = FailedError
    if isinstance(error, _REFUSALS):
        kind = RefusedError
    elif isinstance(error, _SILENCES):
        kind = UnreachableError
    return kind(clean(error.message[:_MOST_TEXT]), clean(error.hint[:_MOST_TEXT]), code=error.code)
