"""Settings read and changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cloudtui.actions import settled
from cloudtui.actions.preferences import ASKED, Preference, preference
from cloudtui.actions.settled import Setting

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session


def list_all(session: Session) -> list[Setting]:
    """All settings."""
    return settled.settings(session.catalog.settings.all())


def get_value(session: Session, key: str) -> Setting:
    """One setting.

    Raises:
        NotFoundError: there is none with this key.
    """
    preference(key)
    return next(one for one in list_all(session) if one.id == key)


def set_value(session: Session, key: str, value: str) -> Setting:
    """Change a setting. `-` asks for an address, or reads it from a pipe: a command line is seen by others.

    Raises:
        NotFoundError: there is none with this key. UsageError: it cannot be this.
    """
    about = preference(key)
    if value == ASKED and about.kind == "address" and session.wait:
        value = _said(session, about)
    session.catalog.settings.set(key, about.parse(value))
    return get_value(session, key)


def _said(session: Session, about: Preference) -> str:
    if session.ask_secret is not None:
        return session.ask_secret(about.title) or ""
    return sys.stdin.readline()


def reset(session: Session, key: str) -> Setting:
    """Back to what it is without the user.

    Raises:
        NotFoundError: there is none with this key.
    """
    preference(key)
    session.catalog.settings.unset(key)
    return get_value(session, key)
