"""The verb `deadline`: what the switch of this machine has left, more of it, less of it, none.

A machine that was launched by cloudtui carries its switch from its first boot on, root's, in `BOOTED`. On any
other machine there is none until a person asks for it; then it is this user's, below our root, and lives
until the machine is restarted or it is asked for again.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import subprocess
from typing import Any, Dict, NamedTuple, Optional

from cloudtui_host import ending, entry, files, locks, probe, switch_script, tool
from cloudtui_host.errors import HostError

BOOTED = "/var/lib/cloudtui/switch"
MOST_S = 10 * 365 * 86400
PATIENCE_S = 20.0


class Switch(NamedTuple):
    """A switch that is there."""

    folder: str
    booted: bool
    """Whether it came with the machine."""


def deadline(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    """Change what is asked for, then tell how it stands.

    Args:
        root: our root.
        args: any of `left_s` (seconds from now on), `idle_s` (seconds of quiet; 0: none), `disarm`, and
            `arm`, without which a machine that came without a switch gets none.

    Returns:
        `{"armed", "booted", "left_s", "idle_s", "quiet_s", "why"}`: null where there is no such limit;
        `quiet_s` is how long nothing was done, `why` what is done else.

    Raises:
        HostError: not_armed, there is none and nobody asked for one; no_permission, it is root's and this
            user may not become root; no_power_off, this user or container cannot end the machine.
    """
    left_s, idle_s = _seconds(args, "left_s"), _seconds(args, "idle_s")
    disarm = bool(args.get("disarm"))
    switch = find(root)
    if left_s is not None or idle_s is not None or disarm:
        if switch is None:
            switch = _new(root, bool(args.get("arm")))
        if disarm:
            _call(switch, "never")
            _call(switch, "idle", "0")
        if idle_s is not None:
            _call(switch, "idle", str(idle_s))
        if left_s is not None:
            _call(switch, "set", str(left_s))
        _call(switch, "hook", given=hook(root))
        if not switch.booted:
            _keep_ticking(switch.folder)
    return _standing(root, switch)


def find(root: str) -> Optional[Switch]:
    """The switch of this machine, that of its launch first."""
    for folder, booted in ((os.environ.get("CLOUDTUI_SWITCH") or BOOTED, True), (_asked(root), False)):
        if os.path.exists(os.path.join(folder, "switch")):
            return Switch(folder, booted)
    return None


def _asked(root: str) -> str:
    return os.path.join(root, ending.FOLDER)


def _seconds(args: Dict[str, Any], key: str) -> Optional[int]:
    value = args.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_S:
        raise HostError("bad_request", "%s must be whole seconds, not %s." % (key, repr(value)[:80]))
    return value


def _standing(root: str, switch: Optional[Switch]) -> Dict[str, Any]:
    found: Dict[str, Any] = dict.fromkeys(("left_s", "idle_s", "quiet_s"))
    found.update({"armed": False, "booted": switch is not None and switch.booted, "why": ""})
    if switch is None or not (switch.booted or locks.held(os.path.join(switch.folder, "loop.lock"))):
        return found
    said = tool.output("sh", os.path.join(switch.folder, "switch"), switch.folder, "show") or ""
    found["left_s"] = int(said) if said.lstrip("-").isdigit() else None
    idle_s = files.text(os.path.join(switch.folder, "idle_s"))
    found["idle_s"] = int(idle_s) if idle_s.isdigit() and int(idle_s) else None
    if found["idle_s"]:
        found["quiet_s"], found["why"] = ending.quiet_for(root)
    found["armed"] = found["left_s"] is not None or found["idle_s"] is not None
    return found


def _call(switch: Switch, *words: str, given: str = "") -> None:
    command = ["sh", os.path.join(switch.folder, "switch"), switch.folder, *words]
    if not os.access(switch.folder, os.W_OK):
        command = ["sudo", "-n", *command]
    try:
        done = subprocess.run(
            command, input=given.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is None or done.returncode != 0:
        last = (done.stderr if done else b"").decode("utf-8", "replace").strip().splitlines()[-1:]
        raise HostError(
            "no_permission",
            "The switch of this machine (%s) could not be set: %s."
            % (switch.folder, "".join(last).rstrip(".") or "no answer"),
            "It belongs to root: let this user run sudo without a password. Until then it ends the machine"
            " when it said it would.",
        )


def hook(root: str) -> str:
    """The text of the switch's hook: this package as this user, or a newer one where this one was removed."""
    ours = entry.folder()
    words = entry.command("ending", "main")
    command = " ".join('"$package"' if word == ours else shlex.quote(word) for word in words)
    user = pwd.getpwuid(os.geteuid()).pw_name
    as_user = (
        "" if os.geteuid() == 0 else 'if [ "$(id -u)" = 0 ]; then exec runuser -u %s -- sh "$0" "$@"; fi\n'
    )
    return (
        "#!/bin/sh\n"
        + (as_user % shlex.quote(user) if as_user else "")
        + "for package in %s $(ls -td %s/*/); do\n"
        % (shlex.quote(ours), shlex.quote(os.path.join(root, "host")))
        + '  [ -e "$package/cloudtui_host/ending.py" ] || continue\n'
        + '  exec %s "$1" %s "$2"\n' % (command, shlex.quote(root))
        + "done\n"
    )


# -- where a person asked for it


def _new(root: str, asked: bool) -> Switch:
    """A switch where there was none."""
    if not asked:
        raise HostError(
            "not_armed",
            "This machine has no switch: it was not launched by cloudtui.",
            "Nothing ends it by itself. Ask for it if that is wanted.",
        )
    folder = _asked(root)
    scripts = _power_off(folder)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # `switch` last: with it the folder is one.
    for name, text in (*scripts.items(), ("switch", switch_script.SCRIPT)):
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        files.write_new(path, text.encode(), 0o700)
    return Switch(folder, False)


def _power_off(folder: str) -> Dict[str, str]:
    """The scripts that end this machine."""
    given = os.environ.get("CLOUDTUI_POWER_OFF")
    if given:
        return {"power-off": given + "\n"}
    if probe.in_container():
        raise HostError(
            "no_power_off",
            "This is a container: it cannot end the machine that it is on.",
            "End it yourself.",
        )
    if os.geteuid() == 0:
        return {"power-off": switch_script.POWER_OFF}
    if tool.output("sudo", "-n", "true") is None:
        raise HostError(
            "no_power_off",
            "This user may not end the machine: sudo asks for a password.",
            "Log in as root, or let this user run sudo without one.",
        )
    as_root = 'exec sudo -n sh %s "$@"\n' % shlex.quote(os.path.join(folder, "power-off-as-root"))
    return {"power-off-as-root": switch_script.POWER_OFF, "power-off": as_root}


def _keep_ticking(folder: str) -> None:
    """Leave one loop behind that calls the switch; where there is one already, that is it."""
    lock = locks.acquire(os.path.join(folder, "loop.lock"), 0.0)
    if lock is None:
        return
    try:
        subprocess.Popen(
            ["sh", os.path.join(folder, "switch"), folder, "loop"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True, pass_fds=[lock],
        )  # fmt: skip
    finally:
        os.close(lock)
