"""What actions do: functions from a `Session` and plain arguments to records. Both faces call them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from cloudtui.actions.action import Action


def resolve(action: Action) -> Callable[..., Any]:
    """The handler of an action, its module imported now and not before."""
    module, _, name = action.handler.partition(":")
    handler: Callable[..., Any] = getattr(import_module(module), name)
    return handler
