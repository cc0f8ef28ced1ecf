"""The files that a `put` is to receive, as its manifest names them."""

from __future__ import annotations

import re
from typing import Any, Dict, NamedTuple

from cloudtui_host import layout
from cloudtui_host.errors import HostError

_SHA = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """A file of the manifest."""

    path: str
    size: int
    sha256: str
    mode: int


def _whole(path: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 60:
        raise HostError("bad_request", "The size and mode of %s must be whole numbers." % path)
    return value


def check(raw: Any) -> Dict[str, Entry]:
    """The files of a manifest, or of a part of one, in its order, by path.

    Raises:
        HostError: it holds something that is no file to be received, or one twice.
    """
    if not isinstance(raw, list) or not raw:
        raise HostError("bad_request", "files must be a list of {path, size, sha256, mode}.")
    entries: Dict[str, Entry] = {}
    for one in raw:
        one = one if isinstance(one, dict) else {}
        path, sha = layout.relative(one.get("path"), "file"), one.get("sha256")
        size, mode = _whole(path, one.get("size")), _whole(path, one.get("mode", 0o644))
        if not isinstance(sha, str) or not _SHA.fullmatch(sha) or path in entries:
            raise HostError("bad_request", "%s has no sha256, or stands there twice." % path)
        entries[path] = Entry(path, size, sha, 0o700 if mode & 0o100 else 0o600)
    return entries
