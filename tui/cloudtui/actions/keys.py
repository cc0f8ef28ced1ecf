"""Which keys clash within a context: an area of a noun with what is everywhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cloudtui.actions.action import Action

FIXED = {
    "escape": "Back", "enter": "Open", "space": "Mark", "tab": "the next part of the screen",
    "shift+tab": "the part before", "[": "the tab before", "]": "the next tab",
    "f10": "the menu", "f1": "Help",
    **{str(digit): "an area" for digit in range(10)},
    **dict.fromkeys(("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "j", "k", "g", "G"),
                    "moving"),
}  # fmt: skip
"""Keys of the screen itself, and what they do; no action can have one of them."""
_EVERYWHERE = frozenset({"home", "engine", "view"})


def clashes(actions: Iterable[Action]) -> list[tuple[str, str, str]]:
    """(action id, key, what has it already) for each key that would do two things in one place."""
    all_of_them = [action for action in actions if action.keys]
    found = []
    for place, action in enumerate(all_of_them):
        for key in action.keys:
            if key in FIXED and action.id not in _OWN_FIXED:
                found.append((action.id, key, FIXED[key]))
            for other in all_of_them[:place]:
                if key in other.keys and _meet(action, other):
                    found += [(action.id, key, other.id), (other.id, key, action.id)]
    return found


def problem(clashing: Sequence[tuple[str, str, str]], action_id: str) -> str:
    """What is wrong with the keys of one action, in a few words; empty where nothing is."""
    return ", ".join(f"{key} is {other}" for one, key, other in clashing if one == action_id)


def _meet(one: Action, other: Action) -> bool:
    return one.noun == other.noun or bool({one.noun, other.noun} & _EVERYWHERE)


_OWN_FIXED = frozenset({"home.open", "home.back", "home.mark"})
