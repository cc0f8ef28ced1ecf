"""The sources that have a name: what scikit-learn ships, and what is fetched once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cloudtui_engine.data import published, sklearn_tables
from cloudtui_engine.data.digits import open_digits
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.tables import Table

Opener = Callable[[Path, Progress], Opened | Table]

BUILT_IN: Mapping[str, str] = {
    "digits": "1,797 handwritten digits of 8 x 8 pixels, from scikit-learn",
    "breast-cancer": "569 tumours described by 30 numbers, two classes, from scikit-learn",
    "wine": "178 wines described by 13 numbers, three classes, from scikit-learn",
    "diabetes": "442 patients described by 10 numbers, a number to predict, from scikit-learn",
    "mnist": "70,000 handwritten digits of 28 x 28 pixels; fetched once, 12 MB",
    "fashion-mnist": "70,000 pieces of clothing of 28 x 28 pixels; fetched once, 31 MB, or Debian's package",
    "cifar10": "60,000 colour photos of 32 x 32 pixels, ten classes; fetched once, 170 MB",
    "adult": "48,842 people described by 14 columns, two classes; fetched once, 6 MB",
}
_OPENERS: Mapping[str, Opener] = {
    "digits": lambda _downloads, _progress: open_digits(),
    "breast-cancer": lambda _downloads, _progress: sklearn_tables.open_table("breast_cancer"),
    "wine": lambda _downloads, _progress: sklearn_tables.open_table("wine"),
    "diabetes": lambda _downloads, _progress: sklearn_tables.open_table("diabetes"),
    "mnist": published.open_mnist,
    "fashion-mnist": published.open_fashion,
    "cifar10": published.open_cifar10,
    "adult": published.open_adult,
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
