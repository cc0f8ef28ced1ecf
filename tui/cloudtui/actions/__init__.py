"""The one registry of what a person can do. Data only: both faces are made from it."""

from __future__ import annotations

from cloudtui.actions import dataset, home, instance, model, run
from cloudtui.actions.action import CLI, DESKTOP, Action, Argument

__all__ = ["ACTIONS", "CLI", "DESKTOP", "Action", "Argument", "for_noun", "get", "nouns"]

ACTIONS: tuple[Action, ...] = (
    *instance.ACTIONS,
    *dataset.ACTIONS,
    *run.ACTIONS,
    *model.ACTIONS,
    *home.ACTIONS,
)

_BY_ID = {action.id: action for action in ACTIONS}


def get(action_id: str) -> Action:
    """The action with this id; KeyError where there is none."""
    return _BY_ID[action_id]


def for_noun(noun: str, face: str | None = None) -> tuple[Action, ...]:
    """The actions of a noun in the order of its menu; with `face`, those which that face offers."""
    return tuple(a for a in ACTIONS if a.noun == noun and (face is None or face in a.faces))


def nouns(face: str | None = None) -> tuple[str, ...]:
    """The nouns in the order of the menus."""
    return tuple(dict.fromkeys(a.noun for a in ACTIONS if face is None or face in a.faces))
