"""What an action does, in a thread: on each of its targets, logged as the command that does the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudtui.actions import Action, get
from cloudtui.areas.compare import chosen
from cloudtui.areas.evaluation import beside
from cloudtui.comparing import Comparison
from cloudtui.differing import ModelDifference, identity
from cloudtui.handlers import resolve
from cloudtui.menus import takes_target, takes_two
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.model import Model

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session

BY = "desktop"
"""Who did it, as the action log has it."""


class Outcome(NamedTuple):
    """What came of an action on several objects."""

    done: list[Any]
    refused: list[tuple[int, CloudtuiError]]
    """The place of each one that did not, and why."""


def called(record: Any) -> str:
    """What a command calls it: a model by its version, for others may have its name."""
    return record.label if isinstance(record, Model) else str(record.name)


def _named(target: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What an action is on, with names in place of ids."""
    return {
        key: [names.get(one, one) for one in value] if isinstance(value, list) else names.get(value, value)
        for key, value in target.items()
    }


def targets_of(action: Action, selected: Sequence[Any]) -> list[dict[str, Any]]:
    """The arguments that name what is selected: one set for each time that the action is done."""
    if not takes_target(action):
        return []
    first = action.arguments[0]
    if takes_two(action) and len(selected) == 2:
        both = [one.name for one in action.arguments if one.kind == action.noun]
        return [{name: record.id for name, record in zip(both, selected, strict=False)}]
    if first.many:
        return [{first.name: [record.id for record in selected]}]
    return [{first.name: record.id} for record in selected]


def carry_out(
    session: Session,
    action: Action,
    targets: Sequence[Mapping[str, Any]],
    arguments: Mapping[str, Any],
    names: Mapping[str, str],
) -> Outcome:
    """Do it. Of several, one that refuses stops no other.

    Args:
        session: whose catalog it is done in.
        action: of the registry.
        targets: the arguments that differ from one time to the next.
        arguments: those that are the same each time.
        names: what ids are called, for the log.

    Raises:
        CloudtuiError: the only one refused.
    """
    from cloudtui.handlers.acting import logged

    handler = resolve(action)
    arguments = _with_data(session, arguments) if action.id == "run.start" else arguments
    outcome = Outcome([], [])
    for index, target in enumerate(targets):
        try:
            with logged(session, action, {**_named(target, names), **arguments}, BY):
                result = handler(session, **target, **arguments)
            _remember(session, result)
            outcome.done.append(result)
        except CloudtuiError as error:
            if len(targets) == 1:
                raise
            outcome.refused.append((index, error))  # what others did stays done: it is told of
    return outcome


def _remember(session: Session, result: Any) -> None:
    """What was compared is what the areas show from now on."""
    if isinstance(result, Comparison):
        chosen.begin(session.catalog, [run.id for run in result.runs])
    if isinstance(result, ModelDifference):
        beside.begin(session.catalog, identity(result.first), identity(result.second))


def _with_data(session: Session, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Built-in data that a training names are added first, by the command that its form told."""
    from cloudtui.dialogs.training import built_in
    from cloudtui.handlers import dataset
    from cloudtui.handlers.acting import logged

    name = built_in(str(arguments.get("dataset", "")))
    if name is None:
        return arguments
    with logged(session, get("dataset.add"), {"name": name, "source": name}, BY):
        added = dataset.add_here(session, name, name)
    return {**arguments, "dataset": f"{name}@{added.version}"}
