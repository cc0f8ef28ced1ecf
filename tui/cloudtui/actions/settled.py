"""Settings as they are: what the user set over what they are without, with what is wrong about them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui import actions
from cloudtui.actions import keys
from cloudtui.actions.preferences import KEYS, THEME, Preference, every, preference


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is."""

    preference: Preference
    value: Any
    changed: bool
    """The user set it."""
    problem: str = ""

    @property
    def id(self) -> str:
        """Its key."""
        return self.preference.key

    @property
    def name(self) -> str:
        """What a command calls it."""
        return self.preference.key

    @property
    def shown(self) -> str:
        """Its value for people."""
        return self.preference.shown(self.value)


def settings(kept: Mapping[str, Any]) -> list[Setting]:
    """All of them; `kept` is what the catalog has."""
    problems = key_problems(kept)
    return [
        Setting(one, value(kept, one), one.key in kept, problems.get(one.key.removeprefix(KEYS), ""))
        for one in every()
    ]


def value(kept: Mapping[str, Any], one: Preference | str) -> Any:
    """A setting, or what it is without the user."""
    if isinstance(one, str):
        one = preference(one)
    found = kept.get(one.key)
    if one.key == THEME and isinstance(found, str):
        found = found.removeprefix("cloudtui-")
    return one.valid(found)


def rebound(kept: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The keys that the user gave to actions, by the action's id."""
    known = {one.id for one in actions.bindable()}
    return {
        key.removeprefix(KEYS): tuple(value(kept, key))
        for key in kept
        if key.startswith(KEYS) and key.removeprefix(KEYS) in known
    }


def key_problems(kept: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the keys of actions, by the action's id."""
    found = keys.clashes(actions.with_keys(rebound(kept)))
    return {one: keys.problem(found, one) for one, _, _ in found}
