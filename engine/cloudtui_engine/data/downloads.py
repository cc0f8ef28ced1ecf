"""Files fetched once from where they are published, and believed only by their sha256.

What came so far stays beside the place as `<name>.part`, and the next try goes on from there. The environment
variable CLOUDTUI_DOWNLOAD_URL names another server that has the same files as `<dataset>/<name>`.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from cloudtui_engine.data.manifest import file_hash
from cloudtui_engine.data.opened import Progress
from cloudtui_engine.errors import BadInputError, FailedError, RefusedError, UnreachableError, UsageError
from cloudtui_engine.sanitize import clean_line

ELSEWHERE = "CLOUDTUI_DOWNLOAD_URL"
TIMEOUT_S = 30.0
TRIES = 4
_PIECE = 1 << 18
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BROKEN = (http.client.HTTPException, OSError)  # URLError, timeouts and resets are OSErrors


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was published: its name, length and hash never change."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Publication:
    """The files of a dataset and the address below which they are found."""

    name: str
    url: str
    files: tuple[File, ...]


def fetch(publication: Publication, downloads: Path, progress: Progress) -> Path:
    """The folder with all files of a publication, each checked; what is missing is fetched.

    Raises:
        UnreachableError: the server cannot be reached or does not have a file.
        BadInputError: what came is not the file that was published.
        RefusedError: another process is fetching it.
        FailedError: it cannot be written.
    """
    folder = downloads / publication.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in publication.files:
            if not is_there(folder / file.name, file):
                _fetch(
                    file, _url(publication, file), folder / file.name, _Told(publication, folder, progress)
                )
    except PermissionError as error:
        raise FailedError(f"Cannot write to {clean_line(str(folder))}: {error.strerror}.") from None
    return folder


def is_there(path: Path, file: File) -> bool:
    """The file lies there as it was published."""
    try:
        return path.stat().st_size == file.size and file_hash(path) == file.sha256
    except FileNotFoundError:
        return False


def by_hand(publication: Publication, folder: Path) -> str:
    """What a person can do where nothing can be fetched."""
    names = ", ".join(file.name for file in publication.files)
    return (
        f"Without a network: fetch {names} from {publication.url} on another machine, put them in "
        f"{clean_line(str(folder))}, and try again."
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """Whom to tell, and what to say when it fails."""

    publication: Publication
    folder: Path
    progress: Progress

    def unreachable(self, url: str, why: str) -> UnreachableError:
        host = clean_line(url.split("/")[2] if url.count("/") > 2 else url, 100)
        return UnreachableError(
            f"Cannot fetch {self.publication.name} from {host}: {why}.",
            by_hand(self.publication, self.folder),
        )


def _url(publication: Publication, file: File) -> str:
    base = os.environ.get(ELSEWHERE, "")
    if not base:
        return publication.url + file.name
    if not base.lower().startswith(("http://", "https://")):
        raise UsageError(
            f"{ELSEWHERE} is not an http address.", "Give one such as https://mirror.example/data."
        )
    return f"{base.rstrip('/')}/{publication.name}/{file.name}"


def _fetch(file: File, url: str, target: Path, told: _Told) -> None:
    part = target.with_name(f"{target.name}.part")
    with part.open("ab") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError(
                f"Another process is fetching {file.name} just now.", "Wait for it, then try again."
            ) from None
        if is_there(target, file):  # by another process, since we looked
            part.unlink(missing_ok=True)
            return
        for left in reversed(range(TRIES)):
            before = out.tell()
            try:
                _go_on(file, url, out, told)
                break
            except urllib.error.HTTPError as error:
                raise told.unreachable(
                    url, f"it answers {error.code} {clean_line(error.reason, 60)}"
                ) from None
            except _BROKEN as error:
                if getattr(error, "errno", None) in _FULL:
                    raise FailedError(
                        f"The disk is full: {file.name} takes {file.size / 1e6:,.1f} MB.", "Free some space."
                    ) from None
                out.flush()
                if not left or out.tell() == before:
                    raise told.unreachable(url, _why(error)) from None
        out.flush()
        os.fsync(out.fileno())
        if file_hash(part) != file.sha256:
            part.unlink()
            raise BadInputError(
                f"What came as {file.name} is not the file that was published: its sha256 differs.",
                "Try again; if it stays so, the server or a proxy on the way changes it.",
            )
        part.replace(target)


def _go_on(file: File, url: str, out: IO[bytes], told: _Told) -> None:
    """Ask for what is missing and append it; at most as much as the file has."""
    start = out.tell()
    if start > file.size:
        start = _from_the_start(out)
    if start == file.size:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "cloudtui"})  # noqa: S310 - http alone, see _url
    if start:
        request.add_header("Range", f"bytes={start}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
        if start and not _goes_on_at(answer, start):
            start = _from_the_start(out)
        while piece := answer.read(_PIECE):
            start += len(piece)
            if start > file.size:
                _from_the_start(out)
                raise BadInputError(
                    f"The server sends more than {file.name} has: {file.size:,} bytes.",
                    "It is not the file that was published. Try again later.",
                )
            out.write(piece)
            told.progress(f"Fetching {file.name}", start, file.size)
    if start < file.size:
        raise http.client.IncompleteRead(b"", file.size - start)


def _goes_on_at(answer: http.client.HTTPResponse, start: int) -> bool:
    said = answer.headers.get("Content-Range", "")
    return answer.status == 206 and said.strip().lower().startswith(f"bytes {start}-")


def _from_the_start(out: IO[bytes]) -> int:
    out.seek(0)
    out.truncate()
    return 0


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} seconds"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke off"
    return clean_line(str(getattr(reason, "strerror", None) or reason), 120)


def content_hash(file: BinaryIO | gzip.GzipFile) -> str:
    """The sha256 of what an open file holds, read in pieces."""
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()
