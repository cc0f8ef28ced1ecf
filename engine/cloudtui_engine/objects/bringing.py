"""An address in a store of objects becomes a file or folder here, and the word on what was taken."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cloudtui_engine.data.sources import check_kind
from cloudtui_engine.errors import BadInputError, CloudtuiError, FailedError, NotFoundError, UnreachableError
from cloudtui_engine.fleet.means import ours
from cloudtui_engine.objects.address import Address
from cloudtui_engine.objects.fetching import PASSING, Fetching, Wait, patiently
from cloudtui_engine.objects.layout import Placed, placed
from cloudtui_engine.objects.stage import Stage
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers import registry
from cloudtui_providers.errors import AuthError, ObjectChanged, ObjectMissing, ProviderError
from cloudtui_providers.stores import ObjectStore, StoredObject

MOST_OBJECTS = 300_000
"""Their list takes the engine 170 MB, and each of them a request."""
TOLD_EVERY = 1000
MARGIN = 64 * 1024 * 1024
"""So much room stays free."""
_AGAIN = "What came is kept for a week: add it again, and it goes on from there."
Report = Callable[[str, int, int], None]
"""Told what is being done, how many bytes are here, and of how many (0: not known)."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What is here now."""

    path: Path
    """A file, or a folder."""
    taken: dict[str, Any]
    """As `records.dataset.Dataset.taken`."""


def bring(address: Address, stage: Stage, report: Report, wait: Wait) -> Brought:
    """Fetch what is there and not here yet.

    Args:
        address: of an object or a folder of them.
        stage: where it comes to be.
        report: told how far it is; what it raises ends it, and what came stays.
        wait: lets seconds pass before a store is asked again.

    Raises:
        NotFoundError: there is no such thing. BadInputError: it cannot be files here.
        UnreachableError: the store cannot be reached, or not with these credentials.
        RefusedError: a permission or a library is missing. FailedError: no room, or it changed on the way.
    """
    report(f"Looking at {address}", 0, 0)
    try:
        store = registry.store(address.scheme)
        address, objects = patiently(lambda: _looked(store, address, report), wait)
        files = placed(address, objects)
        _check_usable(address, files)
        return _fetched(store, address, stage, files, report)
    except ProviderError as error:
        raise _as_told(address, error) from None
    except OSError as error:
        raise FailedError(f"Cannot write to {stage.folder}: {error.strerror or error}.") from None


def amount(size: float) -> str:
    """`3.4 GB`."""
    units = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
    return next(
        (f"{size / least:,.1f} {unit}" for unit, least in units if size >= least), f"{size:.0f} bytes"
    )


def _looked(store: ObjectStore, address: Address, report: Report) -> tuple[Address, list[StoredObject]]:
    """The objects; what has no `/` at its end is one, or else a folder."""
    if not address.is_folder:
        try:
            return address, [store.find(address.bucket, address.key)]
        except ObjectMissing:
            folder = Address(address.scheme, address.bucket, f"{address.key}/")
            if not list(islice(store.below(folder.bucket, folder.key), 1)):
                raise
            address = folder
    found: list[StoredObject] = []
    for one in store.below(address.bucket, address.key):
        found.append(one)
        if len(found) % TOLD_EVERY == 0:
            report(f"Looking at {address}: {len(found):,} objects so far", 0, 0)
        if len(found) > MOST_OBJECTS:
            raise BadInputError(
                f"There are more than {MOST_OBJECTS:,} objects below {address}.",
                "Pack them into a zip or tar and give that, or give a folder further down.",
            )
    return address, found


def _check_usable(address: Address, files: Sequence[Placed]) -> None:
    """Before anything is fetched."""
    if not address.is_folder:
        check_kind(files[0].path)
    if not files:
        see = f"aws s3 ls {address}" if address.scheme == "s3" else "its console"
        raise NotFoundError(f"There is nothing below {address}.", f"See what there is: {see}")


def _fetched(
    store: ObjectStore, address: Address, stage: Stage, files: Sequence[Placed], report: Report
) -> Brought:
    total = sum(one.found.size for one in files)
    stage.open([one.found for one in files])
    fetching = Fetching(store, address.bucket, stage, files)
    _check_room(address, stage, len(files), total, total - fetching.bytes)
    of = f"{amount(total)} in {len(files):,} objects" if address.is_folder else amount(total)

    def told(whole: int, here: int) -> None:
        counted = f", {whole:,} whole" if address.is_folder else ""
        waits = f". {clean_line(fetching.trouble)} It is asked again." if fetching.trouble else ""
        report(f"Fetched {amount(here)} of {of}{counted}{waits}", here, total)

    told(fetching.whole, fetching.bytes)
    fetching.run(told)
    tree = stage.tree(files)
    return Brought(tree if address.is_folder else tree / files[0].path, _taken(address, files, total))


def _check_room(address: Address, stage: Stage, count: int, total: int, missing: int) -> None:
    free = shutil.disk_usage(stage.folder).free
    if free < missing + MARGIN:
        what = f"{count:,} objects, {amount(total)}" if address.is_folder else amount(total)
        raise FailedError(
            f"There is no room for {address} ({what}): {amount(missing)} are to be fetched, and "
            f"{amount(free)} are free.",
            "Free some space, or choose another home with --home.",
        )


def _taken(address: Address, files: Sequence[Placed], total: int) -> dict[str, Any]:
    taken: dict[str, Any] = {"objects": len(files), "bytes": total}
    if address.is_folder:
        return taken | {"listing": _listing(one.found for one in files)}
    found = files[0].found
    shown = {"etag": clean_line(found.tag.strip('"'), 200), "version": clean_line(found.version, 200)}
    return taken | {name: value for name, value in shown.items() if value}


def _listing(objects: Iterable[StoredObject]) -> str:
    digest = hashlib.sha256()
    for one in sorted(objects, key=lambda one: one.key):
        digest.update(f"{one.key}\0{one.size}\0{one.tag}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _as_told(address: Address, error: ProviderError) -> CloudtuiError:
    """A store's error as a person sees it, with what to do here."""
    if isinstance(error, ObjectMissing):
        return NotFoundError(clean_line(error.message), clean_line(error.hint) or "Look at its spelling.")
    if isinstance(error, ObjectChanged):
        return FailedError(
            f"{address} changed while it was fetched: nothing was made of it.",
            "Add it again when nobody writes there: what did not change is not fetched again.",
            code="changed",
        )
    if isinstance(error, PASSING):
        return UnreachableError(clean_line(error.message), f"Look at the network. {_AGAIN}", code=error.code)
    told = ours(error)
    if isinstance(error, AuthError):
        # Its environment is that of whoever started it.
        told.hint = f"{told.hint} An engine that runs knows no new AWS_ variables: cloudtui engine stop."
    return told
