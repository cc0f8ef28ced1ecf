"""The help of what is focused, from the registry and the bindings of the focused widget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import Binding
from textual.widget import Widget

from cloudtui.actions import DESKTOP, for_noun, is_rebound
from cloudtui.menus import OWN
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.rail import Place

_KEYS = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "colon": ":",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "vertical_line": "|",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def help_facts(
    noun: str, focused: Widget | None, places: Sequence[Place], bindings: Iterable[object] = ()
) -> list[Fact]:
    """What can be done here, how to move, and what is everywhere; `bindings` are those of the App."""
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
    bound = {one.action: one for one in bindings if isinstance(one, Binding)}
    for action in for_noun("home", DESKTOP):
        own = bound.pop(OWN.get(action.id, ""), None)
        keys = _shown(own) if own and not is_rebound(action) else ", ".join(action.keys)
        if keys:
            facts.append(Fact(keys, f"{action.title}: {action.help}"))
    facts.append(Fact("tab", "The next part of the screen"))
    facts += _bindings(one for name, one in bound.items() if not name.startswith("area("))
    return facts


def _bindings(bindings: Iterable[object]) -> list[Fact]:
    return [
        Fact(_shown(one), one.description) for one in bindings if isinstance(one, Binding) and one.description
    ]


def _shown(binding: Binding) -> str:
    return ", ".join(_KEYS.get(key, key) for key in binding.key.split(","))
