"""The first words of a session, on either lane."""

from __future__ import annotations

import os
import pwd
import sys
import time
from typing import Any, Dict

from cloudtui_host import proc

PROTOCOL = 1


def hello(root: str) -> Dict[str, Any]:
    """The first frame: who speaks, and from where."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return {
        "event": "hello",
        "protocol": PROTOCOL,
        "machine_id": proc.machine_id(),
        "boot_id": proc.boot_id(),
        "hostname": proc.hostname(),
        "user": user,
        "home": os.path.expanduser("~"),
        "root": root,
        "pid": os.getpid(),
        "now": time.time(),
        "python": sys.executable,
    }
