"""The help of what is focused, from the registry and the bindings of the focused widget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import Binding
from textual.widget import Widget

from cloudtui.actions import DESKTOP, for_noun
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.rail import Place

_KEYS = {
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def help_facts(noun: str, focused: Widget | None, places: Sequence[Place]) -> list[Fact]:
    """What can be done here, how to move, and what is everywhere."""
    facts: list[Fact] = []
    if noun:
        facts.append(Fact("Here", style="heading"))
        facts += [
            Fact(
                ", ".join(action.keys) or "menu",
                f"{action.title}: {action.help}",
                "" if action.keys else "muted",
            )
            for action in for_noun(noun, DESKTOP)
        ]
    if focused is not None:
        moves = _bindings(type(focused).__dict__.get("BINDINGS", ()))
        if moves:
            facts += [Fact("What is focused", style="heading"), *moves]
    facts.append(Fact("Everywhere", style="heading"))
    facts += [Fact(place.key, place.title) for place in places]
    facts += [
        Fact(", ".join(action.keys), f"{action.title}: {action.help}")
        for action in for_noun("home", DESKTOP)
        if action.keys
    ]
    facts += [
        Fact("[, ]", "Tab before, next tab"),
        Fact("tab", "The next part of the screen"),
        Fact("F10", "Menus"),
    ]
    return facts


def _bindings(bindings: Iterable[object]) -> list[Fact]:
    facts = []
    for binding in bindings:
        if isinstance(binding, Binding) and binding.description:
            keys = ", ".join(_KEYS.get(key, key) for key in binding.key.split(","))
            facts.append(Fact(keys, binding.description))
    return facts
