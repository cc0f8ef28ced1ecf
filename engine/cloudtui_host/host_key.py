"""The verb `host_key`: another host key for a machine whose first one others may have read.

The first one came with the order of the machine, through the cloud; every process here may ask the cloud for
it. Nothing is done where the machine's key is not the one that the engine names: then this is not that
machine, or somebody has changed it already.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any, Dict

from cloudtui_host.errors import HostError

FILE = "/etc/ssh/ssh_host_ed25519_key"
PATIENCE_S = 30.0
_RELOAD = "systemctl reload ssh || systemctl reload sshd || pkill -HUP -o -x sshd"
# Arguments: the file, the key that is known, what to do, how sshd is told. Prints its key and the next one.
_SCRIPT = """\
set -eu
public() { ssh-keygen -y -f "$1" | cut -d ' ' -f 1,2; }
current=$(public "$1")
if [ "$3" = make ] && [ "$current" = "$2" ] && [ ! -e "$1.next" ]; then
  rm -f "$1.making" "$1.making.pub"
  ssh-keygen -q -t ed25519 -N '' -C cloudtui -f "$1.making"
  mv "$1.making.pub" "$1.next.pub"
  mv "$1.making" "$1.next"
fi
if [ "$3" = use ] && [ "$current" = "$2" ] && [ -e "$1.next" ]; then
  mv -f "$1.next" "$1"
  mv -f "$1.next.pub" "$1.pub"
  ! command -v restorecon > /dev/null || restorecon "$1" "$1.pub" || :
  sh -c "$4" > /dev/null 2>&1
fi
public "$1"
[ ! -e "$1.next" ] || public "$1.next"
"""


def host_key(args: Dict[str, Any]) -> Dict[str, Any]:
    """Make the next key of this machine, or show it from now on.

    Args:
        args: `do`: `make` or `use`; `was`: the key that the engine knows, `ssh-ed25519 AAAA...`.

    Returns:
        `{"current", "next"}`: the machine's key, and what it will be; empty where nothing was made.

    Raises:
        HostError: no_permission, only root may do that and this user may not become root; host_key, it could
            not be done.
    """
    do, was = args.get("do"), args.get("was")
    if do not in ("make", "use") or not isinstance(was, str):
        raise HostError("bad_request", "do is make or use, was a key.")
    file = os.environ.get("CLOUDTUI_HOST_KEY") or FILE
    reload = os.environ.get("CLOUDTUI_SSHD_RELOAD") or _RELOAD
    command = ["sh", "-s", "--", file, was, do, reload]
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]
    try:
        done = subprocess.run(
            command, input=_SCRIPT.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError("host_key", "The host key could not be changed: %s." % error) from None
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        code = "no_permission" if command[0] == "sudo" else "host_key"
        raise HostError(code, "The host key could not be changed: %s." % ("".join(last) or "no reason given"))
    lines = done.stdout.decode("ascii", "replace").split("\n")
    return {"current": lines[0], "next": lines[1] if len(lines) > 1 else ""}
