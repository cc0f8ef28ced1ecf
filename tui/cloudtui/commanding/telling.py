"""An action as the command that did it, for a log that many may see: no secret is in it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from cloudtui.actions import Action
from cloudtui.actions.command import command
from cloudtui.actions.preferences import ASKED, preference
from cloudtui.secrecy import SECRET, is_secret, without_secrets, without_told
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

_SHORTEST = 6
"""A shorter value of the environment, such as 8 or cuda, is no secret."""
LONGEST = 1000


def told(action: Action, arguments: Mapping[str, Any]) -> str:
    """The command on one line, with a mark in place of each secret."""
    words = shlex.split(command(action, hidden(action, arguments)))
    return clean_line(shlex.join(guarded(words, {one.option for one in action.arguments})), LONGEST)


def hidden(action: Action, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with a mark in place of each secret: in variables, hyperparameters and addresses."""
    shown = dict(arguments)
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            guarded = _variable if name == "env" else without_secrets
            shown[name] = {key: guarded(str(key), one) for key, one in value.items()}
    if isinstance(names := arguments.get("secret"), list | tuple):
        shown["secret"] = [_name_alone(str(name)) for name in names]
    if action.id == "settings.set":
        shown["value"] = _setting(str(arguments.get("key", "")), arguments.get("value"))
    return shown


def tells_nothing(action: Action, arguments: Mapping[str, Any], line: str) -> bool:
    """The line may be kept as it was typed."""
    plain = clean_line(command(action, arguments), LONGEST)
    return told(action, arguments) == plain and without_told(line) == line


def guarded(words: Sequence[str], own: Set[str | None] = frozenset()) -> Iterator[str]:
    """Each word of a command without what it tells, and without what follows a flag such as `--api-key`.

    Args:
        words: of the command.
        own: flags of our own, after which no secret comes.
    """
    before = ""
    for word in words:
        counts = before.endswith("tokens") and word.replace(".", "", 1).isdigit()
        flagged = before.startswith("-") and before not in own and is_secret(before)
        yield SECRET if flagged and "=" not in before and not counts else without_told(word)
        before = word


def _variable(key: str, value: Any) -> Any:
    return SECRET if is_secret(key) or len(str(value)) >= _SHORTEST else value


def _name_alone(text: str) -> str:
    """Of a secret only its name is wanted, and some say its value, too."""
    name, said, _ = text.partition("=")
    return f"{name}={SECRET}" if said else name


def _setting(key: str, value: Any) -> Any:
    """An address is as good as a password but for its host, and so may be what a mistyped name was given."""
    if value == ASKED:
        return value
    try:
        about = preference(key)
        return about.shown(about.parse(str(value))) if about.kind == "address" else value
    except CloudtuiError:
        return SECRET
