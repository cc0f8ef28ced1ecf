"""On which kind of file system a path lies. SQLite's locks and WAL do not work over a network."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre",
     "gpfs", "beegfs", "ncpfs", "fuse.sshfs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone",
     "fuse.gcsfuse", "fuse.davfs2"}
)  # fmt: skip
_MOUNTS = Path("/proc/self/mountinfo")


def read_mounts() -> str:
    """The mount table of this process; empty where the system has none to read (macOS)."""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def network_file_system(path: Path, mounts: str) -> str | None:
    """The type of the file system that `path` lies on, if that is one of the network."""
    place = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields, kinds = left.split(" "), right.split(" ")
        if len(fields) < 5 or not kinds[0]:
            continue
        point = Path(_unescape(fields[4]))
        # A later mount over the same point hides the earlier one.
        if (place == point or point in place.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), kinds[0]
    return kind if kind in NETWORK else None


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
