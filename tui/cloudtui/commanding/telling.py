"""An action as the command that did it, for a log that many may see: no secret is in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui.actions import Action
from cloudtui.actions.command import command
from cloudtui.actions.preferences import preference
from cloudtui.reporting.scrub import SECRET, is_secret, without_secrets, without_told
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.sanitize import clean_line

_SHORTEST = 6
"""A shorter value of the environment, such as 8 or cuda, is no secret."""
LONGEST = 1000


def told(action: Action, arguments: Mapping[str, Any]) -> str:
    """The command on one line, with a mark in place of each secret."""
    return clean_line(without_told(command(action, hidden(action, arguments))), LONGEST)


def hidden(action: Action, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with a mark in place of each secret: in variables, hyperparameters and addresses."""
    shown = dict(arguments)
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            guarded = _variable if name == "env" else without_secrets
            shown[name] = {key: guarded(str(key), one) for key, one in value.items()}
    if action.id == "settings.set":
        shown["value"] = _setting(str(arguments.get("key", "")), arguments.get("value"))
    return shown


def tells_nothing(action: Action, arguments: Mapping[str, Any], line: str) -> bool:
    """The line may be kept as it was typed."""
    return hidden(action, arguments) == dict(arguments) and without_told(line) == line


def _variable(key: str, value: Any) -> Any:
    return SECRET if is_secret(key) or len(str(value)) >= _SHORTEST else value


def _setting(key: str, value: Any) -> Any:
    """An address is as good as a password but for its host."""
    try:
        about = preference(key)
    except NotFoundError:
        return value
    return about.shown(value) if about.kind == "address" else value
