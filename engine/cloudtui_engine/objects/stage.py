"""Where objects are until a dataset was made of them: by content below `downloads/objects/` of the home.

A file is named by the key, tag and size of its object, so what lies here already is what would be fetched. A
size is all that is checked of it: what a power cut leaves of a file is shorter, and is fetched again.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from cloudtui_engine.objects.address import Address
from cloudtui_engine.objects.layout import Placed
from cloudtui_providers.stores import StoredObject

KEPT_S = 7 * 86400.0
"""So long what came of a fetch that failed stays, to be gone on with."""
_TREE = "tree"


class Stage:
    """What is here of one address.

    Args:
        downloads: the home's.
        address: of the object or folder.
    """

    def __init__(self, downloads: Path, address: Address) -> None:
        whole = f"{address.scheme}://{address.bucket}/{address.key}"
        self._all = downloads / "objects"
        self.folder = self._all / hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()[:32]

    def open(self, objects: Iterable[StoredObject]) -> None:
        """Make room for these objects: what belongs to none of them, or is old, goes.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        wanted = {name for one in objects for name in (self.whole(one).name, self.part(one).name)}
        for path in self.folder.iterdir():
            if path.name == _TREE:
                shutil.rmtree(path)
            elif path.name not in wanted:
                path.unlink()
        self.folder.touch()
        for other in self._all.iterdir():
            if other.stat().st_mtime < time.time() - KEPT_S:
                shutil.rmtree(other, ignore_errors=True)

    def whole(self, found: StoredObject) -> Path:
        """Its file, once all of it is here."""
        named = f"{found.key}\0{found.tag}\0{found.size}"
        return self.folder / hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest()[:40]

    def part(self, found: StoredObject) -> Path:
        """What of it is here so far."""
        return self.whole(found).with_suffix(".part")

    def held(self, found: StoredObject) -> int:
        """How many of its bytes are here."""
        whole = _size(self.whole(found))
        if whole == found.size:
            return found.size
        self.whole(found).unlink(missing_ok=True)
        part = _size(self.part(found))
        return part if part is not None and part <= found.size else 0

    def tree(self, files: Iterable[Placed]) -> Path:
        """A folder with all of them under their own names, as links to the files here.

        Raises:
            OSError: it cannot be written.
        """
        root = self.folder / _TREE
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        for one in files:
            path = root / one.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(self.whole(one.found))
        return root

    def remove(self) -> None:
        """Nothing of it is needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
