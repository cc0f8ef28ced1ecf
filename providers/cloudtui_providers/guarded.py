"""A provider as the engine is given it: whatever goes wrong inside, one of our errors comes out, and in time.

A defect of one cloud's module, a setting that it cannot read, or an answer that drips for hours must not be
the end of the engine, which ends the machines of all clouds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from cloudtui_providers.base import Provider
from cloudtui_providers.errors import AmbiguousError, CloudUnreachable, ProviderError

log = logging.getLogger(__name__)

LONGEST_S = 900.0
"""No call takes as long, though a launch that is waited for, or prices asked for one by one, take minutes."""
CHANGES = frozenset({"launch", "terminate", "stop", "start", "set_deadline"})
"""Nobody knows what became of one without an answer; all other calls may be made again."""


def guarded(inner: Provider) -> Provider:
    """The same provider, which raises nothing but `ProviderError`, and answers within `LONGEST_S`.

    What is written of it (`capabilities` and the like) is read once. Its calls of itself stay its own.
    """
    body: dict[str, Any] = {name: getattr(inner, name) for name in Provider.__annotations__}
    for name, member in vars(Provider).items():
        if callable(member) and not name.startswith("_"):
            body[name] = _method(inner, name, changes=name in CHANGES)
    made: Provider = type(type(inner).__name__, (Provider,), body)()
    return made


def _method(inner: Provider, name: str, *, changes: bool) -> Callable[..., Any]:
    def call(_self: Provider, *arguments: Any, **named: Any) -> Any:
        answer: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

        def ask() -> None:
            try:
                answer.put((getattr(inner, name)(*arguments, **named), None))
            except BaseException as error:  # noqa: BLE001 - whatever it is, somebody waits for it
                answer.put((None, error))

        # A daemon: neither the one who asked nor an engine that ends waits for it for ever.
        threading.Thread(target=ask, name=f"{inner.name}.{name}", daemon=True).start()
        try:
            told, error = answer.get(timeout=LONGEST_S)
        except Empty:
            raise _unsure(f"{inner.title} has not answered {name} in time.", changes=changes) from None
        if error is None:
            return told
        if isinstance(error, ProviderError):
            raise error
        log.error("%s.%s", inner.name, name, exc_info=error)
        raise _defect(inner.name, name, error, changes=changes) from None

    return call


def _unsure(message: str, *, changes: bool) -> ProviderError:
    return AmbiguousError(message) if changes else CloudUnreachable(message, "It is asked again.")


def _defect(provider: str, name: str, error: BaseException, *, changes: bool) -> ProviderError:
    """Its words are not passed on: they may quote anything."""
    message = f"A defect in the provider {provider}, in {name}: {type(error).__name__}."
    return AmbiguousError(message) if changes else ProviderError(message, "The engine's log says more.")
