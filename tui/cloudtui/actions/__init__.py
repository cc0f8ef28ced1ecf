"""The one registry of what a person can do. Data only: both faces are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cloudtui.actions import access, dataset, fleet, home, instance, model, money, run, settings, view
from cloudtui.actions.action import CLI, DESKTOP, Action, Argument

__all__ = [
    "ACTIONS",
    "CLI",
    "DESKTOP",
    "Action",
    "Argument",
    "adapt",
    "bindable",
    "changes",
    "for_noun",
    "get",
    "is_rebound",
    "nouns",
    "with_keys",
]

ACTIONS: tuple[Action, ...] = (
    *instance.ACTIONS,
    *fleet.ACTIONS,
    *access.ACTIONS,
    *dataset.ACTIONS,
    *run.ACTIONS,
    *model.ACTIONS,
    *money.ACTIONS,
    *fleet.PROVIDER_ACTIONS,
    *view.ACTIONS,
    *settings.ACTIONS,
    *home.ACTIONS,
)
"""As they are without the user."""

_READING = frozenset(
    {
        "list",
        "offers",
        "show",
        "logs",
        "metrics",
        "status",
        "doctor",
        "cost",
        "compare",
        "diff",
        "backup",
        "export",
    }
)
_FIXED = frozenset({"home.open", "home.back", "home.mark"})

_as_set = {action.id: action for action in ACTIONS}


def adapt(keys: Mapping[str, tuple[str, ...]], *, read_only: str = "", sealed: bool = False) -> None:
    """Let all faces of this process see the user's keys, and what a read-only desktop does not do.

    The one place where actions become what a user made of them: menus, palette, help, footer and bindings
    read the registry.

    Args:
        keys: by action.
        read_only: why nothing is changed; empty: all can be.
        sealed: not even settings are.
    """
    for action in with_keys(keys):
        off = read_only if changes(action) and (sealed or action.noun != "settings") else ""
        _as_set[action.id] = replace(action, off=off) if off else action


def with_keys(keys: Mapping[str, tuple[str, ...]]) -> list[Action]:
    """All actions with the user's keys."""
    return [replace(one, keys=keys[one.id]) if one.id in keys else one for one in ACTIONS]


def changes(action: Action) -> bool:
    """It changes something: whatever is not known to read only does."""
    return bool(action.handler) and action.verb not in _READING


def is_rebound(action: Action) -> bool:
    """The user gave it other keys."""
    return any(one.id == action.id and one.keys != action.keys for one in ACTIONS)


def bindable() -> tuple[Action, ...]:
    """The actions whose keys can be changed, with the keys that they have without the user."""
    return tuple(one for one in ACTIONS if DESKTOP in one.faces and one.id not in _FIXED)


def get(action_id: str) -> Action:
    """The action with this id; KeyError where there is none."""
    return _as_set[action_id]


def for_noun(noun: str, face: str | None = None) -> tuple[Action, ...]:
    """The actions of a noun in the order of its menu; with `face`, those which that face offers."""
    return tuple(a for a in _as_set.values() if a.noun == noun and (face is None or face in a.faces))


def nouns(face: str | None = None) -> tuple[str, ...]:
    """The nouns in the order of the menus."""
    return tuple(dict.fromkeys(a.noun for a in ACTIONS if face is None or face in a.faces))
