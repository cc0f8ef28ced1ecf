"""An action with its arguments, as the command line that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui.actions.action import Action, Argument


def command(action: Action, arguments: Mapping[str, Any]) -> str:
    """The command, quoted for a shell; what equals its default is left out."""
    words = ["cloudtui", *action.command]
    last: list[str] = []
    for argument in action.arguments:
        value = arguments.get(argument.name)
        if value is None or value in ("", (), [], {}) or value is False:
            continue
        if argument.kind == "words":
            last = ["--", *map(str, value)]
        elif argument.required or value != argument.default:
            words += _words(argument, value)
    return shlex.join(words + last)


def _words(argument: Argument, value: Any) -> list[str]:
    if argument.kind == "flag":
        return [argument.option or ""]
    if argument.kind == "pairs":
        values = [f"{key}={part}" for key, part in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        values = [str(part) for part in value]
    else:
        values = [str(value)]
    if argument.option is None:
        return values
    if argument.kind == "instance":
        values = [",".join(values)]
    return [word for part in values for word in (argument.option, part)]
