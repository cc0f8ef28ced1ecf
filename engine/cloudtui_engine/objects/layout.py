"""What objects are called as files here. Keys are a stranger's words: a bad one refuses the whole folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from cloudtui_engine.data.member_names import why_not
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.objects.address import Address
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers.stores import StoredObject

_HINT = "Rename it in the bucket, or give a folder without it."


@dataclass(frozen=True, slots=True)
class Placed:
    """An object, and its path below the folder that they all come to."""

    path: str
    found: StoredObject


def placed(address: Address, objects: Iterable[StoredObject]) -> list[Placed]:
    """Where each is put, below one folder: none outside of it, no two at one place.

    Objects without content whose keys end in `/` are folders of consoles, and passed over.

    Raises:
        BadInputError: a key cannot be the path of a file here.
    """
    prefix = address.key if address.is_folder else address.key.rpartition("/")[0]
    cut = len(prefix) + (not address.is_folder and bool(prefix))
    found = [one for one in objects if not (one.key.endswith("/") and one.size == 0)]
    files = [Placed(_path(address, one.key, one.key[cut:]), one) for one in found]
    _check_apart(address, files)
    return files


def _path(address: Address, key: str, rest: str) -> str:
    if why := why_not(rest):
        raise BadInputError(
            f"An object of {address} cannot be a file here: {why}. Its key is {clean_line(ascii(key), 200)}.",
            _HINT,
        )
    return rest


def _check_apart(address: Address, files: Iterable[Placed]) -> None:
    """No two at one place, nor one where another needs a folder; some file systems know no upper case."""
    names: dict[str, str] = {}
    folders: dict[str, str] = {}
    for one in files:
        place = _folded(one.path)
        twin = names.setdefault(place, one.found.key)
        parts = place.split("/")
        for depth in range(1, len(parts)):
            folders.setdefault("/".join(parts[:depth]), one.found.key)
        if twin != one.found.key:
            raise _clash(address, twin, one.found.key)
    both = next((place for place in names if place in folders), None)
    if both is not None:
        raise _clash(address, names[both], folders[both])


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _clash(address: Address, first: str, second: str) -> BadInputError:
    one, other = (clean_line(ascii(key), 120) for key in (first, second))
    return BadInputError(f"Two objects of {address} would be one file here: {one} and {other}.", _HINT)
