"""Menus, keys and help of the desktop, all from the registry of actions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cloudtui.actions import DESKTOP, Action, for_noun, get, is_rebound
from cloudtui.actions.predicates import holds
from cloudtui_engine.sanitize import clean_line

NOUNS = ("instance", "dataset", "run", "model")
_TITLES = {"instance": "Instance", "dataset": "Dataset", "run": "Run", "model": "Model"}
_FILE = (
    "settings.set", "settings.reset", "budget.set", "budget.clear", "home.backup", "home.doctor",
    "engine.status", "engine.stop", "home.quit",
)  # fmt: skip
_VIEW = (
    "home.since", "home.questions", "home.actions", "home.filter", "home.palette", "home.command",
    "home.jump", "home.maximise", "home.picture", "view.columns", "view.save", "view.delete",
)  # fmt: skip
_EVERYWHERE = ("home.filter", "home.help")
_ANYWHERE = ("home", "engine", "view")
_BOUND = frozenset({"home"})
"""Nouns whose keys are bindings of the App, as long as the user has given them no others."""
OWN = {
    "home.actions": "way('actions')",
    "home.back": "back",
    "home.command": "way('command')",
    "home.context": "way('context')",
    "home.copy": "copy_command",
    "home.even": "way('even')",
    "home.filter": "filter",
    "home.help": "help",
    "home.jump": "way('jump')",
    "home.maximise": "way('maximise')",
    "home.narrower": "way('narrower')",
    "home.palette": "palette",
    "home.picture": "picture",
    "home.previous": "previous",
    "home.questions": "way('questions')",
    "home.quit": "leave",
    "home.since": "since",
    "home.wider": "way('wider')",
    "run.trash": "turn_trash",
    "view.theme": "toggle_theme",
}
"""What the screen does by itself: the names of the App's own actions."""


class Entry(NamedTuple):
    """A line of a menu."""

    action: str
    title: str
    key: str = ""
    enabled: bool = True


class Menu(NamedTuple):
    """A title and its lines."""

    title: str
    entries: tuple[Entry, ...]


def takes_target(action: Action) -> bool:
    """It acts on what is selected: its first argument is one or more objects of its own noun."""
    return bool(action.arguments) and action.arguments[0].kind == action.noun and action.arguments[0].required


def takes_two(action: Action) -> bool:
    """What is selected may be both of its objects: its second argument is one of the same noun."""
    return (
        takes_target(action)
        and sum(one.kind == action.noun and one.required for one in action.arguments) == 2
    )


def possible(action: Action, noun: str, selected: Sequence[object]) -> bool:
    """It can be carried out now, on what is selected in an area of `noun`."""
    if action.off and not action.lists:
        return False
    if not takes_target(action):
        return True
    if action.noun != noun or not selected:
        return False
    if action.arguments[0].many and len(selected) < action.arguments[0].least:
        return False
    if takes_two(action) and len(selected) > 2:
        return False
    return all(holds(action.when, record) for record in selected)


def why_not(action: Action, noun: str, selected: Sequence[Any]) -> str:
    """Why it is not `possible`, and what makes it so where something does."""
    if action.off:
        return f"{action.title}: {action.off}"
    if action.noun != noun or not selected:
        return f"{action.title}: select a {action.noun} first."
    if len(selected) < action.arguments[0].least:
        return f"{action.title}: mark two or more with space."
    if takes_two(action) and len(selected) > 2:
        return f"{action.title}: two at most."
    names = [one for one in selected if not holds(action.when, one)] or list(selected)
    return f"{action.title}: {clean_line(names[0].name, 60)} is not in a state for that."


def entry(action: Action, noun: str, selected: Sequence[object]) -> Entry:
    """Its line in a menu."""
    return Entry(action.id, action.title, shown_key(action), possible(action, noun, selected))


def of_selected(noun: str, selected: Sequence[object]) -> tuple[Entry, ...]:
    """The lines of a noun's own menu, those about what is selected first."""
    found = sorted(for_noun(noun, DESKTOP), key=lambda action: not takes_target(action))
    return tuple(entry(action, noun, selected) for action in found)


def menus(noun: str, selected: Sequence[object], areas: Sequence[tuple[str, str, str]]) -> tuple[Menu, ...]:
    """All menus; `areas` are (id, key, title)."""

    def named(*names: str) -> tuple[Entry, ...]:
        return tuple(entry(get(name), noun, selected) for name in names)

    view = [Entry(f"area.{area}", title, key) for area, key, title in areas]
    view += [*named(*_VIEW), Entry("view.theme", "Light or dark", "")]
    own = {one: tuple(entry(action, noun, selected) for action in for_noun(one, DESKTOP)) for one in NOUNS}
    return (
        Menu("File", named(*_FILE)),
        Menu("View", tuple(view)),
        *(Menu(_TITLES[one], entries) for one, entries in own.items()),
        Menu("Help", named("home.help")),
    )


def context(noun: str, selected: Sequence[object]) -> list[Action]:
    """What can be done here and now, in the order of the registry."""
    return [a for a in for_noun(noun, DESKTOP) if a.keys and possible(a, noun, selected)]


def by_key(noun: str, key: str, character: str | None) -> Action | None:
    """The action that this key means in an area of `noun`; what has a binding of its own is not asked."""
    anywhere = [
        one
        for group in _ANYWHERE
        for one in for_noun(group, DESKTOP)
        if group not in _BOUND or is_rebound(one)
    ]
    own = [one for one in anywhere if one.handler or one.id == "home.since"]
    for action in (*for_noun(noun, DESKTOP), *own):
        if key in action.keys or (character is not None and character in action.keys):
            return action
    return None


def bar(noun: str, selected: Sequence[object]) -> list[tuple[str, str, str]]:
    """(key, label, action id) for the status bar: what is used most first, and of that what is selected."""
    found = sorted(context(noun, selected), key=lambda action: (action.use, not takes_target(action)))
    keys = [(action.keys[0], _label(action), action.id) for action in found]
    return keys + [(shown_key(get(name)), get(name).title.lower(), name) for name in _EVERYWHERE]


def _label(action: Action) -> str:
    """One word where that says it: `add` in the list of machines is no riddle."""
    title = action.title.lower()
    plain = action.noun in NOUNS and title.startswith(f"{action.verb} a ")
    return action.verb if takes_target(action) or plain else title


def shown_key(action: Action) -> str:
    """Its first key, as it is written on the screen."""
    return action.keys[0] if action.keys else ""
