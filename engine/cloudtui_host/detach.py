"""Hosts that end a user's processes with the session (KillUserProcesses=yes): a job must leave it first."""

from __future__ import annotations

import contextlib
import getpass
import glob
import json
import os
import shutil
import sys
from typing import Any, Dict, List, Optional

from cloudtui_host import entry, files, tool
from cloudtui_host.errors import HostError

_CONF = ("/etc/systemd/logind.conf", "/run/systemd/logind.conf.d/*.conf", "/etc/systemd/logind.conf.d/*.conf")
_MARK = "CLOUDTUI_IN_SCOPE"


def parse_logind(text: str) -> Optional[bool]:
    """What KillUserProcesses is set to in the text of a logind.conf; None where it is not."""
    found = None
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() == "KillUserProcesses":
            found = value.strip().lower() in ("yes", "true", "1", "on")
    return found


def kill_user_processes() -> Optional[bool]:
    """Whether this host ends what a user left running; None where that cannot be known."""
    if not os.path.isdir("/run/systemd/system"):
        return False
    if shutil.which("busctl"):
        said = tool.output(
            "busctl",
            "get-property",
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
            "KillUserProcesses",
        )
        if said in ("b true", "b false"):
            return said == "b true"
    found = None
    for pattern in _CONF:
        for path in sorted(glob.glob(pattern)):
            with contextlib.suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8") as handle:
                said_here = parse_logind(handle.read())
                found = found if said_here is None else said_here
    return bool(found)


def linger() -> Optional[bool]:
    """Whether this user's services live on without a session; None where there is no systemd."""
    if not os.path.isdir("/run/systemd/system"):
        return None
    try:
        return os.path.exists(os.path.join("/var/lib/systemd/linger", getpass.getuser()))
    except (KeyError, OSError):
        return None


def systemd_user() -> bool:
    """Whether this user has a service manager that runs."""
    if not os.path.isdir("/run/systemd/system") or not shutil.which("systemctl"):
        return False
    return tool.output("systemctl", "--user", "show", "--property=Version") is not None


def scope_command(words: List[str]) -> List[str]:
    """The command that runs `words` outside of this session.

    Raises:
        HostError: code session_ends_jobs, this host has no way.
    """
    if linger() is False and shutil.which("loginctl"):
        # Many hosts let users switch this on for themselves.
        tool.output("loginctl", "enable-linger")
    if linger() and shutil.which("systemd-run") and systemd_user():
        return ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--", *words]
    raise HostError(
        "session_ends_jobs",
        "This host ends a user's processes with the session (KillUserProcesses=yes), and so any job.",
        "Ask for: loginctl enable-linger %s" % getpass.getuser(),
    )


def _become_stdin(content: bytes) -> None:
    """Have `content`, which holds secrets, on stdin through every exec: a command line can be seen."""
    with files.nameless() as handle:
        handle.write(content)
        handle.seek(0)
        os.dup2(handle.fileno(), 0)


def move_out_of_session(verb: str, root: str, args: Dict[str, Any]) -> None:
    """Go on in a scope of the user's service manager where this host would end us with the session."""
    if os.environ.pop(_MARK, None) or os.geteuid() == 0 or not kill_user_processes():
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", "/run/user/%d" % os.geteuid())
    try:
        command = scope_command(entry.command("verbs", "main", verb, root))
    except HostError as error:
        sys.stdout.write(json.dumps({"error": error.as_dict()}))
        sys.stdout.flush()
        sys.exit(0)
    _become_stdin(json.dumps(args).encode())
    os.environ[_MARK] = "1"
    os.execvp(command[0], command)  # noqa: S606 - the same words as every other process of ours
