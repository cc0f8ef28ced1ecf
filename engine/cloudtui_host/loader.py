"""Puts this package on a host and runs one of its lanes.

The bootstrap execs this very text, before any of the package is there: it stands alone. Its globals hold
`header` (see the wire in DESIGN.md); the zip follows on stdin.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import re
import sys
from typing import Any, BinaryIO, Dict, Tuple

_HINTS = {
    errno.ENOSPC: ("disk_full", "Free some space on the host, or choose a root on another disk with --root."),
    errno.EDQUOT: ("disk_full", "Your quota on the host is used up; choose another root with --root."),
    errno.EACCES: ("no_permission", "Choose a root that this user may write to with --root."),
    errno.EPERM: ("no_permission", "Choose a root that this user may write to with --root."),
    errno.EROFS: ("read_only", "The file system is mounted read-only; choose another root with --root."),
}


class LoadError(Exception):
    """Why no lane can be served: code, message, hint."""


def find_root(wanted: str) -> str:
    """The absolute path of the root; `wanted` empty means ~/.cloudtui.

    Raises:
        LoadError: there is no home to put it into, or `wanted` is not absolute.
    """
    if wanted and not wanted.startswith("~"):
        if not os.path.isabs(wanted):
            raise LoadError(
                "bad_root", "The root must be an absolute path: %r." % wanted, "For instance /scratch/you."
            )
        return os.path.normpath(wanted)
    home = os.path.expanduser("~")
    if not os.path.isabs(home) or not os.path.isdir(home):
        raise LoadError(
            "home_missing", "The home folder %s does not exist on the host." % home, "Choose --root."
        )
    path = os.path.expanduser(wanted) if wanted else os.path.join(home, ".cloudtui")
    return os.path.normpath(path)


def read_zip(stream: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes.

    Raises:
        LoadError: the engine's end closed before.
    """
    content = stream.read(size)
    if len(content) != size:
        raise LoadError("cut", "The connection ended while the host's part was sent.", "")
    return content


def _bad_package(error: Exception) -> Tuple[str, str, str]:
    return "bad_package", "The host's part could not be unpacked: %s." % error, ""


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # Some network file systems refuse it for folders.
    finally:
        os.close(descriptor)


def _unpack(content: bytes, target: str) -> None:
    import io  # Mostly the package is there already: a session then starts without these.
    import zipfile

    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise LoadError(*_bad_package(error)) from None
    with archive:
        for name in archive.namelist():
            if not re.fullmatch(r"cloudtui_host/(for_scripts/)?[a-z0-9_]+\.py", name):
                raise LoadError("bad_package", "The host's part holds a strange name: %r." % name, "")
            path = os.path.join(target, name)
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(path, "xb") as handle:
                handle.write(archive.read(name))
                handle.flush()
                os.fsync(handle.fileno())
    for folder, _, _ in os.walk(target):
        _sync(folder)


def install(root: str, sha: str, content: bytes) -> str:
    """Put the package in place where it is missing; others may do the same at the same time.

    Returns:
        The folder to import it from.
    """
    if not re.fullmatch(r"[0-9a-f]{8,64}", sha):
        raise LoadError("bad_package", "The host's part has a strange hash: %r." % sha, "")
    base = os.path.join(root, "host")
    folder = os.path.join(base, sha)
    if os.path.exists(os.path.join(folder, "cloudtui_host", "serve.py")):
        return folder
    import shutil

    os.makedirs(root, mode=0o700, exist_ok=True)
    os.makedirs(base, mode=0o700, exist_ok=True)
    temporary = os.path.join(base, ".new-%s-%d-%s" % (sha[:12], os.getpid(), os.urandom(4).hex()))
    try:
        os.mkdir(temporary, 0o700)
        _unpack(content, temporary)
        try:
            os.rename(temporary, folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        _sync(base)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def prepare(header: Dict[str, Any]) -> str:
    """Install where that is needed, and make the package importable; returns the root."""
    # All of it first: an engine that still sends would see a broken pipe, and not why.
    content = read_zip(sys.stdin.buffer, int(header["zip"]))
    root = find_root(str(header.get("root") or ""))
    sys.path.insert(0, install(root, str(header["sha"]), content))
    return root


def say(code: str, message: str, hint: str) -> None:
    """Tell the engine why no frames will come."""
    line = "\ncloudtui-error %s\n" % json.dumps({"code": code, "message": message, "hint": hint})
    with contextlib.suppress(OSError):
        sys.stdout.write(line)
        sys.stdout.flush()


def main(header: Dict[str, Any]) -> None:
    """Serve the lane that `header` names, or say why that cannot be."""
    try:
        root = prepare(header)
    except LoadError as error:
        say(*error.args)
    except OSError as error:
        code, hint = _HINTS.get(error.errno or 0, ("os_error", ""))
        where = " (%s)" % error.filename if isinstance(error.filename, str) else ""
        say(code, "Could not set up on the host: %s%s." % (error.strerror or error, where), hint)
    except (KeyError, ValueError, TypeError) as error:
        say(*_bad_package(error))
    else:
        lane = "bulk" if header.get("lane") == "bulk" else "serve"
        importlib.import_module("cloudtui_host." + lane).main(root)


if "header" in globals():
    main(globals()["header"])
