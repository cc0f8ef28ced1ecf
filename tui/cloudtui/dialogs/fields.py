"""What a form asks for, from the registry: fields, values, and the command that does the same. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui.actions import CLI, Action, Argument
from cloudtui.actions.command import command
from cloudtui.dialogs.form_field import FormField, Option, problem
from cloudtui.dialogs.train_params import MODELS, TRAIN_PARAMS
from cloudtui_engine.errors import UsageError

_HIDDEN = frozenset({"follow", "yes", "remove", "onto"})
_OBJECTS = frozenset({"instance", "dataset", "model", "run", "views"})


_PARAMS = {"run.start": TRAIN_PARAMS}
_MORE = frozenset({
    "root", "accept_host_key", "gpus", "task", "model", "python", "setup", "env", "secret", "weights", "pull",
    "pull_max", "then", "then_max_drop", "leave_out", "split_column", "no_header", "seed", "params",
})  # fmt: skip


def fields_of(
    action: Action, known: Mapping[str, Any], options: Mapping[str, Sequence[Option]]
) -> list[FormField]:
    """The fields for what an action still needs.

    Args:
        action: of the registry.
        known: arguments that have a value already; they are not asked for.
        options: for each kind of object what there is to choose from.
    """
    fields: list[FormField] = []
    for argument in action.arguments:
        if argument.name in known or argument.name in _HIDDEN:
            continue
        if argument.kind == "pairs" and action.id in _PARAMS:
            fields += _PARAMS[action.id]
        elif action.id == "run.start" and argument.name == "model":
            fields.append(_architecture(argument))
        else:
            fields.append(_field(argument, options))
    return sorted(fields, key=lambda field: field.more)


def _architecture(argument: Argument) -> FormField:
    named = tuple(Option(one, one, (task,)) for task, models in MODELS.items() for one in models)
    return FormField(
        "model", "Model", "choice", "", argument.help, (Option("", "default for the data"), *named)
    )


_NOTHING = {"weights": "none", "then": "nothing"}
"""What an empty choice is called, where it is not the default of something."""
_LABELS = {
    "ssh": "SSH",
    "on": "On",
    "remote": "Port there",
    "local": "Port here",
    "pull": "Fetch",
    "pull_max": "Fetch at most",
    "weights": "Begin from",
    "max_drop": "May lose, points",
    "then_max_drop": "May lose, points",
}


_RANGES: Mapping[str, tuple[float, float]] = {"count": (1, 64), "disk": (1, 65_536), "local": (1, 65_535)}
"""Of numbers; the others are 0 or more."""
_MOST = 1e9


def _field(argument: Argument, options: Mapping[str, Sequence[Option]]) -> FormField:
    label = _LABELS.get(argument.name) or argument.name.replace("_", " ").capitalize()
    more = argument.name in _MORE and not argument.required
    if argument.kind == "flag":
        return FormField(argument.name, label, "flag", "", argument.help, more=more)
    default = argument.default
    value = default[0] if isinstance(default, tuple) and default else "" if default is None else str(default)
    if argument.kind in _OBJECTS:
        found = tuple(options.get(argument.kind, ()))
        if not argument.required and argument.default is None:
            found = (Option("", _NOTHING.get(argument.name, "default")), *found)
        value = value if any(option.value == value for option in found) else found[0].value if found else ""
        return FormField(argument.name, label, "choice", value, argument.help, found, argument.required, more)
    if argument.kind == "choice":
        words = tuple(Option(word, word) for word in argument.choices)
        found = words if value else (Option("", _NOTHING.get(argument.name, "default")), *words)
        return FormField(argument.name, label, "choice", value, argument.help, found, argument.required, more)
    low, high = _RANGES.get(argument.name, (0, _MOST)) if argument.kind in {"int", "float"} else (None, None)
    return FormField(
        argument.name, label, "text", value, argument.help, (), argument.required, more,
        low=low, high=high, whole=argument.kind == "int",
    )  # fmt: skip


def arguments_of(action: Action, fields: Sequence[FormField], values: Mapping[str, str]) -> dict[str, Any]:
    """What was filled in, as the handler's arguments.

    Raises:
        UsageError: something that is needed is missing, or is of the wrong kind.
    """
    found: dict[str, Any] = {}
    kinds = {argument.name: argument for argument in action.arguments}
    for field in fields:
        text = values.get(field.name, "").strip()
        if field.required and not text:
            raise UsageError(f"{field.label} is missing.", field.help[:1].upper() + field.help[1:] + ".")
        wrong = problem(field, text)
        if wrong:
            raise UsageError(f"{field.label} cannot be “{text}”.", f"It takes {wrong}.")
        group, _, name = field.name.partition(".")
        if not text:
            continue
        if name:
            found.setdefault(group, {})[name] = text
        else:
            found[field.name] = _value(kinds[field.name], field, text)
    return found


def _value(argument: Argument, field: FormField, text: str) -> Any:
    try:
        if argument.kind == "flag":
            return text == "yes"
        if argument.kind == "int":
            return int(text)
        if argument.kind == "float":
            return float(text)
        if argument.kind == "pairs":
            return dict(word.split("=", 1) for word in shlex.split(text))
        if argument.kind == "words" or (argument.many and argument.kind not in _OBJECTS):
            return shlex.split(text)
    except ValueError:
        raise UsageError(
            f"{field.label} cannot be “{text}”.", field.help[:1].upper() + field.help[1:] + "."
        ) from None
    return [text] if argument.many else text


def preview(
    action: Action, fields: Sequence[FormField], values: Mapping[str, str], known: Mapping[str, Any]
) -> str:
    """The command line that does the same, as far as the form is filled in; what has none says nothing."""
    if CLI not in action.faces:
        return ""
    try:
        return command(action, {**known, **arguments_of(action, fields, values)})
    except UsageError as error:
        return error.message
