"""Where everything of a root lies, and the only doors from names to paths.

No text of a request becomes part of a path before a function here has checked it.
"""

from __future__ import annotations

import os
import re
from typing import Any, List

from cloudtui_host.errors import HostError

_JOB = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ATTEMPT = re.compile(r"a([0-9]{4})")
_COMPONENT = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")
_CONTENT = re.compile(r"(data|trainer|script|model|env|wheels)/[0-9a-f]{8,64}")
_OF_ATTEMPT = re.compile(r"jobs/[a-z0-9][a-z0-9-]{0,63}/a[0-9]{4}/(artifacts|checkpoints)")
TOP = 9999
"""The highest attempt number."""

SOURCES = {
    "trainer": "journal/trainer.jsonl",
    "system": "journal/system.jsonl",
    "console": "console.log",
}
"""What can be followed of an attempt, by name."""


def job_folder(root: str, job: Any) -> str:
    """The folder of a job.

    Raises:
        HostError: `job` is no job id.
    """
    if not isinstance(job, str) or not _JOB.fullmatch(job):
        raise HostError("bad_job", "A job id is up to 64 of a-z, 0-9 and -, and this is none: %r." % (job,))
    return os.path.join(root, "jobs", job)


def attempt_number(value: Any) -> int:
    """`value` where it is an attempt's number.

    Raises:
        HostError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= TOP:
        raise HostError("bad_attempt", "An attempt is a number from 1 to %d, not %r." % (TOP, value))
    return value


def attempt_folder(root: str, job: Any, attempt: Any) -> str:
    """The folder of an attempt; it need not exist."""
    return os.path.join(job_folder(root, job), "a%04d" % attempt_number(attempt))


def attempts(root: str, job: Any) -> List[int]:
    """The numbers of a job's attempts, oldest first."""
    try:
        names = os.listdir(job_folder(root, job))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [_ATTEMPT.fullmatch(name) for name in names]
    return sorted(int(match.group(1)) for match in found if match)


def jobs(root: str) -> List[str]:
    """The ids of all jobs, sorted."""
    try:
        names = os.listdir(os.path.join(root, "jobs"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if _JOB.fullmatch(name))


def source_path(root: str, job: Any, attempt: Any, source: Any) -> str:
    """The file of a source of an attempt; it need not exist."""
    if not isinstance(source, str) or source not in SOURCES:
        raise HostError("bad_source", "A source is one of %s, not %r." % (", ".join(SOURCES), source))
    return os.path.join(attempt_folder(root, job, attempt), SOURCES[source])


def relative(path: Any, what: str) -> str:
    """`path` where it leads from a folder to something below it.

    Raises:
        HostError: it is empty, absolute, climbs, or holds control characters.
    """
    if isinstance(path, str) and len(path) <= 1024:
        parts = path.split("/")
        if all(_COMPONENT.fullmatch(part) and part not in (".", "..") for part in parts):
            try:
                path.encode()
            except UnicodeEncodeError:
                pass
            else:
                return path
    shown = repr(path)[:200]
    raise HostError("bad_path", "The %s must lead to something below the root: %s does not." % (what, shown))


def content(dest: Any) -> str:
    """`dest` where it names a folder that is kept by its content's hash."""
    if not isinstance(dest, str) or not _CONTENT.fullmatch(dest):
        raise HostError("bad_path", "Not a place that can be sent to: %s." % repr(dest)[:200])
    return dest


def readable_base(base: Any) -> str:
    """`base` where its files may be asked for."""
    if isinstance(base, str) and (_OF_ATTEMPT.fullmatch(base) or _CONTENT.fullmatch(base)):
        return base
    raise HostError("bad_path", "Not a place that can be read from: %s." % repr(base)[:200])
