"""A user's folder as it is now: what git would track, its commit and its diff, kept by content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pathspec

from cloudtui_engine.errors import BadInputError
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths

MOST_BYTES = 512 * 1024 * 1024
MOST_FILES = 20_000
_DIFF_LIMIT = 1024 * 1024
_ALWAYS_LEFT = (".git/", "__pycache__/", ".venv/", "venv/", ".mypy_cache/", ".pytest_cache/", "node_modules/")


def pack(paths: Paths, folder: Path) -> dict[str, Any]:
    """Copy the folder into the home by content.

    Returns:
        `{"sha256", "files": [{path, size, sha256, mode}], "size_bytes", "commit", "diff", "path"}`.

    Raises:
        BadInputError: no such folder, nothing in it, or more than can sensibly be shipped.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise BadInputError(f"{folder} is no folder.", "Give the folder of your script with --dir.")
    names = sorted(_tracked(folder))
    if not names:
        raise BadInputError(f"{folder} has no files to ship.", "Is all of it listed in .gitignore?")
    if len(names) > MOST_FILES:
        raise BadInputError(
            f"{folder} has {len(names):,} files to ship; {MOST_FILES:,} is the most.",
            "List data folders in .gitignore, or add them as a dataset.",
        )
    size = sum((folder / name).stat().st_size for name in names)
    if size > MOST_BYTES:
        raise BadInputError(
            f"{folder} has {size / 2**20:.0f} MiB to ship; {MOST_BYTES / 2**20:.0f} MiB is the most.",
            "List data and checkpoints in .gitignore, or add them as a dataset.",
        )
    files = [_describe(folder, name) for name in names]
    sha = hashlib.sha256(
        "".join(f"{f['path']}\0{f['mode']}\0{f['sha256']}\n" for f in files).encode()
    ).hexdigest()
    _keep(paths, folder, files, sha)
    return {"sha256": sha, "files": files, "size_bytes": size, "path": str(folder)} | _provenance(folder)


def _keep(paths: Paths, folder: Path, files: list[dict[str, Any]], sha: str) -> None:
    target = paths.scripts / sha
    if target.is_dir():
        return
    partial = paths.scripts / f".{sha[:16]}.{new_id()}"
    for file in files:
        copy = partial / file["path"]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file["path"], copy)
        if _sha256(copy) != file["sha256"]:
            shutil.rmtree(partial, ignore_errors=True)
            raise BadInputError(f"{folder / file['path']} changed while it was read.", "Try again.")
    try:
        partial.rename(target)
    except OSError:
        # Another process kept the same content first.
        shutil.rmtree(partial, ignore_errors=True)
        if not target.is_dir():
            raise


def _describe(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    return {
        "path": name,
        "size": path.stat().st_size,
        "sha256": _sha256(path),
        "mode": 0o755 if os.access(path, os.X_OK) else 0o644,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tracked(folder: Path) -> Iterator[str]:
    """Relative paths of regular files that .gitignore does not exclude; git is asked where it is there."""
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    found = _walk(folder) if listed is None else (name for name in listed.split("\0") if name)
    for name in set(found):
        path = folder / name
        if path.is_file() and not path.is_symlink():
            yield name


def _walk(folder: Path) -> Iterator[str]:
    ignored = folder / ".gitignore"
    lines = ignored.read_text(errors="replace").splitlines() if ignored.is_file() else []
    spec = pathspec.GitIgnoreSpec.from_lines([*_ALWAYS_LEFT, *lines])
    for parent, folders, names in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        folders[:] = [name for name in folders if not spec.match_file(f"{relative / name}/")]
        for name in names:
            path = (relative / name).as_posix()
            if not spec.match_file(path):
                yield path


def _provenance(folder: Path) -> dict[str, Any]:
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "diff": ""}
    diff = _git(folder, "diff", "HEAD", "--", ".") or ""
    return {"commit": commit.strip(), "diff": diff[:_DIFF_LIMIT]}


def _git(folder: Path, *words: str) -> str | None:
    """What git prints, or None where there is no git or no repository."""
    if shutil.which("git") is None:
        return None
    done = subprocess.run(
        ["git", "-c", "core.quotepath=off", *words], cwd=folder, capture_output=True, check=False, timeout=60
    )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
