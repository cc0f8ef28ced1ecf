"""What a person asks who has lost a home: which machines of any home run in the clouds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloudtui.handlers.session import Session
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.survey import Stranger, Surveyed
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

SHORT = 8
"""So much of a home's id tells it from another."""


@dataclass(frozen=True, slots=True)
class Everyone:
    """The machines of every home, as far as this machine's credentials reach."""

    clouds: tuple[Surveyed, ...]
    here: str = ""
    """The id of this home; empty: it has none yet."""

    @property
    def found(self) -> list[Stranger]:
        """Of all clouds."""
        return [one for cloud in self.clouds for one in cloud.found]

    @property
    def silent(self) -> list[Surveyed]:
        """The clouds that should have answered and did not, or not in every region."""
        return [one for one in self.clouds if not one.is_whole and not one.is_unused]

    def whose(self, one: Stranger) -> str:
        """`this home`, the beginning of another's id, or nothing where its cloud does not say."""
        return "this home" if one.owner and one.owner == self.here else clean_line(one.owner[:SHORT])


def known(catalog: Catalog) -> Everyone:
    """What the clouds said last; a price is the one that is known of the type."""
    from cloudtui.handlers.orphans import price_of
    from cloudtui_engine.fleet import survey

    def priced(one: Stranger) -> Stranger:
        return replace(one, machine=replace(one.machine, price=price_of(catalog, one.machine)))

    clouds = [replace(one, found=tuple(priced(each) for each in one.found)) for one in survey.newest(catalog)]
    return Everyone(tuple(clouds), str(catalog.settings.get("installation.id") or ""))


def ask(session: Session) -> Everyone:
    """Have every cloud asked, in all regions; who waits is told how far each is."""
    from cloudtui_engine.fleet import survey

    asked = survey.submit(session.catalog)
    if not session.wait:
        session.ensure_engine()
    for operation in asked if session.wait else ():
        try:
            session.finish(operation)
        except CloudtuiError as error:
            if error.code == "interrupted":
                raise
            session.on_progress(f"{operation.target}: {error.message}", None)
    return known(session.catalog)


def find(catalog: Catalog, text: str) -> Stranger:
    """The one with this id, by the newest answers.

    Raises:
        CloudtuiError: there is none, or more than one.
    """
    from cloudtui_engine.fleet import survey

    return survey.find(catalog, text)


def warning(one: Stranger, here: str) -> str:
    """Whose it may be: an account can be shared."""
    if one.owner and one.owner == here:
        return "It bears the mark of this home."
    if not one.owner:
        return "Its cloud does not say which home launched it: it may be a colleague's."
    mark = clean_line(one.owner[:SHORT])
    return f"It bears the mark of another home ({mark}), which may be a colleague's: accounts are shared."


def after(one: Stranger, here: str) -> list[str]:
    """What somebody has to know who takes one up that another home launched."""
    if one.owner and one.owner == here:
        return []
    own = ""
    if one.deadline_at is not None:
        own = f", {time.strftime('%Y-%m-%d %H:%M', time.localtime(one.deadline_at))} by its tag"
    return [
        "The other home, where it lives, still knows it and ends it as it was told there; so does a switch on"
        f" it, at its own deadline{own}.",
        "This home's SSH key is not on it: it is watched, stopped and ended from here; to log in takes the"
        " key of its home.",
    ]
