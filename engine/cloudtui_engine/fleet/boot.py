"""What a machine is told at its first boot: its host key, our key, and when it has to end. Pure.

The user-data is JSON behind `#cloud-config`: cloud-init reads YAML, and all JSON is YAML, so nothing here is
ever quoted by hand. It is below the 16 KB that the smallest cloud takes.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from cloudtui_engine.fleet.trust import HostKey
from cloudtui_host.switch_script import POWER_OFF, SCRIPT, TICK_S

FOLDER = "/var/lib/cloudtui/switch"
UNIT = "cloudtui-switch"
MOST_BYTES = 16 * 1024

_SERVICE = f"""\
[Unit]
Description=Ends this machine when its time is used up (cloudtui)

[Service]
Type=oneshot
ExecStart=/bin/sh {FOLDER}/switch {FOLDER} tick
TimeoutStartSec=60
KillMode=process
"""
# The hook goes on beside the next tick, hence KillMode; a tick that hangs is ended and comes again.

_TIMER = f"""\
[Unit]
Description=Counts what time this machine has left (cloudtui)

[Timer]
OnBootSec={TICK_S}
OnUnitActiveSec={TICK_S}
AccuracySec=1s

[Install]
WantedBy=timers.target
"""

_ARM = f"""\
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --now {UNIT}.timer
else
  setsid sh {FOLDER}/switch {FOLDER} loop < /dev/null > /dev/null 2>&1 &
fi
"""

_STAYS_ON = "#!/bin/sh\n# Its power costs the same on and off: its cloud is told to end it.\n"

_PYTHON = """\
if ! command -v python3 > /dev/null; then
  for get in 'apt-get install -y' 'dnf install -y' 'yum install -y' 'zypper -n install' 'apk add'; do
    command -v "${get%% *}" > /dev/null && $get python3 && break
  done
fi
"""


def user_data(
    host_key: HostKey, authorized_key: str, *, lifetime_s: int, idle_s: int = 0, ends: bool = True
) -> str:
    """The user-data of a machine.

    Args:
        host_key: what it shows to us, and nobody has seen.
        authorized_key: our line.
        lifetime_s: seconds from its boot to its end; 0: it has no deadline, and can be given one later.
        idle_s: seconds of quiet that end it; 0: none.
        ends: whether it powers itself off. Where that is paid for all the same it stays on, so that what it
            has can be had until its cloud is told to end it.
    """
    config: dict[str, Any] = {
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": f"{host_key.public} cloudtui"},
        "ssh_authorized_keys": [authorized_key],
        "ssh_pwauth": False,
        "write_files": [
            _file(f"/etc/systemd/system/{UNIT}.service", _SERVICE),
            _file(f"/etc/systemd/system/{UNIT}.timer", _TIMER),
            *(
                _file(f"{FOLDER}/{name}", text)
                for name, text in _switch(lifetime_s, idle_s, ends=ends).items()
            ),
        ],
        "runcmd": [["sh", "-c", _ARM], ["sh", "-c", _PYTHON]],
    }
    return f"#cloud-config\n{json.dumps(config, separators=(',', ':'))}\n"


def start_command(authorized_key: str, *, lifetime_s: int) -> str:
    """The same for a container, as far as that goes: it keeps its own host key and cannot end its machine.

    Its switch warns and has jobs saved in time. What ends the machine is the engine, or the cloud's own
    limit.
    """
    put = "\n".join(
        f"printf %s {shlex.quote(text)} > {FOLDER}/{name}" for name, text in _switch(0, 0, ends=False).items()
    )
    # It may be begun long after the launch's image was fetched, and again: from its first begin on.
    arm = f"sh {FOLDER}/switch {FOLDER} set {lifetime_s}" if lifetime_s else ":"
    key = shlex.quote(authorized_key)
    return (
        f"mkdir -p {FOLDER} ~/.ssh\nchmod 700 ~/.ssh\n"
        f"grep -qxF {key} ~/.ssh/authorized_keys 2> /dev/null || echo {key} >> ~/.ssh/authorized_keys\n"
        f"[ -e {FOLDER}/switch ] || {{\n{put}\n{arm}\n}}\n"
        f"(setsid sh {FOLDER}/switch {FOLDER} loop < /dev/null > /dev/null 2>&1 &)\n"
        f"{_PYTHON}"
    )


def _switch(lifetime_s: int, idle_s: int, *, ends: bool) -> dict[str, str]:
    """The switch's folder; `limit` last, for it arms."""
    files = {"power-off": POWER_OFF if ends else _STAYS_ON, "switch": SCRIPT}
    if idle_s:
        files["idle_s"] = f"{idle_s}\n"
    return files | {"limit": f"{lifetime_s}\n" if lifetime_s else "never\n"}


def _file(path: str, content: str) -> dict[str, str]:
    return {"path": path, "content": content, "owner": "root:root", "permissions": "0644"}
