"""Settings read and changed, with what is wrong about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudtui import actions
from cloudtui.actions import keys as clashing
from cloudtui.actions.preferences import KEYS, THEME, Preference, every, preference

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session
    from cloudtui_engine.catalog import Catalog


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
        """What it is called in a list."""
        return self.preference.title

    @property
    def shown(self) -> str:
        """Its value for people."""
        return self.preference.shown(self.value)


def read(catalog: Catalog) -> list[Setting]:
    """All settings in one read, with the clashes of keys beside them."""
    kept = catalog.settings.all()
    problems = key_problems(kept)
    return [
        Setting(one, _valid(one, kept), one.key in kept, problems.get(one.key.removeprefix(KEYS), ""))
        for one in every()
    ]


def value_of(catalog: Catalog, key: str) -> Any:
    """A setting, or what it is without the user."""
    one = preference(key)
    return _valid(one, {key: catalog.settings.get(key)})


def rebound(kept: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The keys that the user gave to actions, by the action's id."""
    return {
        key.removeprefix(KEYS): tuple(preference(key).valid(value))
        for key, value in kept.items()
        if key.startswith(KEYS) and key.removeprefix(KEYS) in {one.id for one in actions.bindable()}
    }


def key_problems(kept: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the keys of actions, by the action's id."""
    found = clashing.clashes(actions.with_keys(rebound(kept)))
    return {one: clashing.problem(found, one) for one, _, _ in found}


def list_all(session: Session) -> list[Setting]:
    """All settings."""
    return read(session.catalog)


def get_value(session: Session, key: str) -> Setting:
    """One setting."""
    preference(key)
    return next(one for one in read(session.catalog) if one.id == key)


def set_value(session: Session, key: str, value: str) -> Setting:
    """Change a setting.

    Raises:
        NotFoundError: there is none with this key. UsageError: it cannot be this.
    """
    session.catalog.settings.set(key, preference(key).parse(value))
    return get_value(session, key)


def reset(session: Session, key: str) -> Setting:
    """Back to what it is without the user.

    Raises:
        NotFoundError: there is none with this key.
    """
    preference(key)
    session.catalog.settings.unset(key)
    return get_value(session, key)


def _valid(one: Preference, kept: Mapping[str, Any]) -> Any:
    value = kept.get(one.key)
    if one.key == THEME and isinstance(value, str):
        value = value.removeprefix("cloudtui-")
    return one.valid(value)
