"""The packages that go to hosts: found, hashed and packed, never imported."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cloudtui_engine.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Packed:
    """A package as it travels."""

    sha: str
    """Of the sorted names and contents: the same sources have the same hash on every machine."""
    data: bytes
    """A zip, the same bytes for the same sources."""


def files_of(package: str) -> tuple[tuple[str, Path], ...]:
    """(name below `sys.path`, file) of each Python source of a package, sorted by name.

    Raises:
        NotFoundError: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotFoundError(
            f"The package {package} is not installed beside cloudtui.",
            "Install cloudtui again: pip install cloudtui",
        )
    folder = Path(spec.submodule_search_locations[0])
    found = ((path.relative_to(folder.parent).as_posix(), path) for path in folder.rglob("*.py"))
    return tuple(sorted(found))


@functools.cache
def pack(package: str) -> Packed:
    """The package as a zip, read once a process."""
    digest = hashlib.sha256()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files_of(package):
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
            info = zipfile.ZipInfo(name)  # A fixed date, so that the bytes depend on nothing else.
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return Packed(digest.hexdigest(), target.getvalue())
