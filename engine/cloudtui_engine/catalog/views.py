"""Saved views: filters of runs under names that people gave them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cloudtui_engine.catalog import finding
from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.catalog.query_tokens import quoted
from cloudtui_engine.errors import NotFoundError, RefusedError, UsageError
from cloudtui_engine.records.view import VIEWS, View
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog.catalog import Catalog

MOST = 100
"""So many are kept."""
_COLUMNS = "finding.view_columns"
_LONGEST = 60


def views(catalog: Catalog) -> list[View]:
    """All of them in the order of their names; what cannot be one is left out."""
    kept = catalog.settings.get(VIEWS, {})
    found = kept.items() if isinstance(kept, dict) else ()
    of = _kept_columns(catalog)
    fine = [
        View(name, text, _texts(of.get(name)))
        for name, text in found
        if _is_name(name) and isinstance(text, str)
    ]
    return sorted(fine, key=lambda view: (view.name.casefold(), view.name))


def _kept_columns(catalog: Catalog) -> dict[str, Any]:
    kept = catalog.settings.get(_COLUMNS, {})
    return kept if isinstance(kept, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def find(catalog: Catalog, name: str) -> View:
    """The view with this name; upper and lower case are alike where only one is meant.

    Raises:
        NotFoundError: there is none.
    """
    known = views(catalog)
    alike = [one for one in known if one.name.casefold() == name.casefold()]
    exact = [one for one in alike if one.name == name] or (alike if len(alike) == 1 else [])
    if not exact:
        raise NotFoundError(f"There is no view {clean_line(name, _LONGEST)!r}.", "See `cloudtui view list`.")
    return exact[0]


def called(catalog: Catalog, text: str, sort: str) -> str:
    """The name of the view that lists what this filter does, in its own order or else in `sort`; or ""."""
    wanted = compile_filter(text)
    listed = (wanted.rest.split(), wanted.order or sort)
    return next((one.name for one in views(catalog) if _lists(one, *listed)), "")


def _lists(view: View, words: list[str], order: str) -> bool:
    try:
        found = compile_filter(view.filter)
    except UsageError:  # the language is another one now
        return False
    return found.rest.split() == words and found.order in {"", order}


def save(
    catalog: Catalog, name: str, text: str, *, replace: bool = False, columns: Sequence[str] = ()
) -> View:
    """Keep a filter under a name, and what is to be told of the runs that it finds.

    Raises:
        UsageError: it cannot be a name, or the filter cannot be read.
        RefusedError: there is another view of that name, and nobody said `replace`; or there are too many.
    """
    view = View(name.strip(), text.strip(), tuple(columns))
    if not _is_name(view.name):
        raise UsageError(
            f"'{clean_line(name, _LONGEST)}' cannot be the name of a view.",
            f"It is one line of up to {_LONGEST} characters that does not begin with a hyphen.",
        )
    compile_filter(view.filter)
    if not view.filter and not view.columns:
        raise UsageError("A view of everything is none.", "Give a filter or an order, as sort:-cost.")
    with catalog.write():
        known = {one.name: one for one in views(catalog)}
        before = known.get(view.name, view)
        if before != view and not replace:
            raise RefusedError(
                f"There is a view {view.name}: {clean_line(before.filter, 200)}",
                "Replace it with --yes, or choose another name.",
                code="exists",
            )
        if view.name not in known and len(known) >= MOST:
            raise RefusedError(f"There are {MOST} views already.", "Delete one first.", code="too_many")
        _keep(catalog, {**known, view.name: view}.values())
    return view


def _keep(catalog: Catalog, all_views: Iterable[View]) -> None:
    known = list(all_views)
    catalog.settings.set(VIEWS, {one.name: one.filter for one in known})
    catalog.settings.set(_COLUMNS, {one.name: list(one.columns) for one in known if one.columns})


def delete(catalog: Catalog, name: str) -> View:
    """Forget a name; its filter goes to those that were used before.

    Raises:
        NotFoundError: there is none.
    """
    with catalog.write():
        gone = find(catalog, name)
        _keep(catalog, [one for one in views(catalog) if one.name != gone.name])
        finding.remember(catalog, gone.filter)
    return gone


def within(view: View, text: str) -> str:
    """The filter for what a filter finds in a view; its order comes before the view's."""
    if not text.strip():
        return view.filter
    wide, narrow = compile_filter(view.filter), compile_filter(text)
    order = narrow.order or wide.order
    conditions = [f"({one.rest})" for one in (wide, narrow) if one.rest.strip()]
    return " ".join([*conditions, *([f"sort:{quoted(order)}"] if order else [])])


def narrowed(catalog: Catalog, text: str, view: str = "", sort: str = "") -> str:
    """A filter within the view that is named, if one is; without its order where another one is given.

    Raises:
        NotFoundError: there is no such view.
        UsageError: the filter cannot be read.
    """
    wide = within(find(catalog, view), text) if view else text
    rest = compile_filter(wide).rest
    return rest if sort else wide


def _is_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and bool(name)
        and name == name.strip()
        and not name.startswith("-")
        and len(name) <= _LONGEST
        and clean_line(name, _LONGEST) == name
    )
