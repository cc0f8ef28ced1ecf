"""A home of the size that the desktop promises to bear; made once, and copied for each measurement."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bench import screen
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths

_BYTES = 16
"""A point takes at most so much of the disk, its share of the runs included."""


class Size(NamedTuple):
    """How much there is."""

    runs: int = 10_000
    points: int = 50_000_000
    instances: int = 200


@contextmanager
def home(size: Size) -> Iterator[Path]:
    """A home of one's own with so much in it, gone afterwards; what it is copied from is kept.

    Raises:
        OSError: there is no room for both.
    """
    kept = _kept(size)
    with tempfile.TemporaryDirectory(prefix="cloudtui-desk-") as folder:
        _see_room(_bytes(kept))
        shutil.copytree(kept, Path(folder) / "home")
        yield Path(folder) / "home"


def _kept(size: Size) -> Path:
    """The folder that is copied; it has its name only once it is whole."""
    kept = Path(tempfile.gettempdir()) / "cloudtui-bench-desk-{}-{}-{}".format(*size)
    if not kept.exists():
        _see_room(size.points * _BYTES)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="cloudtui-desk-new-") as folder:
            made = Path(folder) / "home"
            _make(made, size)
            made.rename(kept)
    return kept


def _make(made: Path, size: Size) -> None:
    from tests.support import seed

    seeded = seed.many(made, size.runs - 1, max(0, size.points - screen.MILLION))
    catalog, box = seeded.catalog, seeded.instances[1]
    screen.long_run(seeded)
    with catalog.write("instance"):
        for number in range(len(seeded.instances), size.instances):
            catalog.instances.add(replace(box, id=new_id(), name=f"node-{number}"))
    catalog.close()
    _write_back(made)


def _write_back(made: Path) -> None:
    """The write-ahead log goes into the file: a copy is of one file, as after a while of use."""
    catalog = Catalog.open(Paths(made))
    with catalog.read() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    catalog.close()


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _see_room(needed: int) -> None:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < 2 * needed:
        raise OSError(f"The temp folder has {free >> 20} MiB free; {2 * needed >> 20} MiB are asked for.")
