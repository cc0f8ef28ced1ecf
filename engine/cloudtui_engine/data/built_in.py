"""The sources that have a name: what scikit-learn ships, and what is fetched once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cloudtui_engine.data import sklearn_tables
from cloudtui_engine.data.digits import open_digits
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.tables import Table

Opener = Callable[[Path, Progress], Opened | Table]

BUILT_IN: Mapping[str, str] = {
    "digits": "1,797 handwritten digits of 8 x 8 pixels, from scikit-learn",
    "breast-cancer": "569 tumours described by 30 numbers, two classes, from scikit-learn",
    "wine": "178 wines described by 13 numbers, three classes, from scikit-learn",
    "diabetes": "442 patients described by 10 numbers, a number to predict, from scikit-learn",
}
_OPENERS: Mapping[str, Opener] = {
    "digits": lambda _downloads, _progress: open_digits(),
    "breast-cancer": lambda _downloads, _progress: sklearn_tables.open_table("breast_cancer"),
    "wine": lambda _downloads, _progress: sklearn_tables.open_table("wine"),
    "diabetes": lambda _downloads, _progress: sklearn_tables.open_table("diabetes"),
}


def is_known(source: str) -> bool:
    """The name of one of them; an underscore will do for a dash."""
    return source.replace("_", "-") in BUILT_IN


def open_built_in(source: str, downloads: Path, progress: Progress) -> Opened | Table:
    """Look at a built-in source.

    Args:
        source: its name.
        downloads: where fetched files are kept.
        progress: told how far fetching is.

    Raises:
        BadInputError: a library is missing, or what lies in `downloads` is not what it should be.
        UnreachableError: it cannot be fetched.
    """
    return _OPENERS[source.replace("_", "-")](downloads, progress)
