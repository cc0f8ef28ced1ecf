"""A real sshd behind each instance of moto: its own loopback address, keys and dead-man's switch."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.sshd import Sshd

from cloudtui_host import files, proc

PORT = 2222
SWITCH = "/var/lib/cloudtui/switch/"
"""Where user-data wants its files; here they lie in the host's own folder, which $CLOUDTUI_SWITCH names."""
POWER_OFF = """\
#!/bin/sh
exec {python} -c 'from urllib.request import urlopen; urlopen("{imds}/power-off", timeout=10)'
"""


class Host:
    """One machine: what lies on its disk is kept while it is stopped.

    Args:
        folder: its disk; made.
        address: its own.
        imds: what its jobs find as CLOUDTUI_IMDS.
        user_data: its host key, more users and the switch are taken from there.
        public_key: who may enter.
    """

    def __init__(self, folder: Path, address: str, imds: str, user_data: str, public_key: str) -> None:
        self._switch = folder / "switch"
        self._init = folder / "init"
        env = {"CLOUDTUI_IMDS": imds, "CLOUDTUI_SWITCH": str(self._switch), "CLOUDTUI_INIT": str(self._init)}
        # Its key can be changed as root changes a machine's; sshd reads it for every connection.
        env |= {"CLOUDTUI_HOST_KEY": str(folder / "host_key"), "CLOUDTUI_SSHD_RELOAD": "true"}
        self.server = Sshd(folder, address=address, port=PORT, env=env)
        self._loop: subprocess.Popen[bytes] | None = None
        config = _cloud_config(user_data)
        if key := config.get("ssh_keys", {}).get("ed25519_private"):
            self.server.host_key.write_text(key.rstrip() + "\n")
            public = subprocess.check_output(["ssh-keygen", "-y", "-f", str(self.server.host_key)], text=True)
            self.server.host_key.with_name("host_key.pub").write_text(public)
        may_enter = {public_key, *config.get("ssh_authorized_keys", [])} - {""}
        self.server.authorized_keys.write_text("".join(f"{one.strip()}\n" for one in sorted(may_enter)))
        self._write(config.get("write_files", []), imds)

    def start(self) -> None:
        """Boot."""
        # As a container's, its time begins with its first process: this machine's began long ago.
        ticks = int(float(Path("/proc/uptime").read_text().split()[0]) * 100)
        self._init.write_text(f"1 (init) S {'0 ' * 18}{ticks} 0 0\n")
        self.server.start()
        if (self._switch / "switch").exists():
            command = ["sh", str(self._switch / "switch"), str(self._switch), "loop"]
            quick = {"CLOUDTUI_TICK": "1", "CLOUDTUI_INIT": str(self._init)} | dict(os.environ)
            with Path(os.devnull).open("r+b") as null:
                self._loop = subprocess.Popen(
                    command, stdin=null, stdout=null, stderr=null, env=quick, start_new_session=True
                )

    def stop(self) -> None:
        """Power off: nothing that was begun there goes on."""
        self.server.stop()
        for path in self.server.folder.rglob("jobs/*/a*/*.json"):
            if path.name in {"supervisor.json", "adopter.json", "child.json"}:
                _end(files.read_json(str(path)))
        if self._loop:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._loop.pid, signal.SIGKILL)
            self._loop.wait(10)
            self._loop = None

    def _write(self, files: list[dict[str, str]], imds: str) -> None:
        ours = {
            file["path"].removeprefix(SWITCH): file["content"]
            for file in files
            if file["path"].startswith(SWITCH)
        }
        if not ours:
            return
        self._switch.mkdir()
        for name, content in ours.items():
            (self._switch / name).write_text(content)
        (self._switch / "power-off").write_text(POWER_OFF.format(python=sys.executable, imds=imds))


class Hosts:
    """The machines of one moto.

    Args:
        folder: for their files; made.
        imds: with `{}` for the instance.
    """

    def __init__(self, folder: Path, imds: str) -> None:
        self._folder = folder
        self._imds = imds
        self._hosts: dict[str, Host] = {}
        self._numbers = itertools.count(1)

    def boot(self, instance: Any, user_data: str, public_key: str) -> None:
        """A machine for a new instance."""
        folder = self._folder / instance.id
        host = Host(folder, self._address(), self._imds.format(instance.id), user_data, public_key)
        self._hosts[instance.id] = host
        self.start(instance)

    def start(self, instance: Any) -> None:
        """Of a stopped one: with the same disk, so the same keys."""
        host = self._hosts[instance.id]
        host.start()
        instance.nics[0].public_ip = host.server.address

    def stop(self, instance: Any) -> None:
        """No machine, no address."""
        if host := self._hosts.get(instance.id):
            host.stop()
        if instance.nics:
            instance.nics[0].public_ip = None

    def end_all(self) -> None:
        """Every machine of this moto."""
        for host in self._hosts.values():
            host.stop()
        self._hosts.clear()

    def _address(self) -> str:
        """One where nobody listens: other tests have their own motos."""
        for number in self._numbers:
            address = f"127.77.{os.getpid() % 250 + 1}.{number % 250 + 1}"
            with socket.socket() as sock:
                if sock.connect_ex((address, PORT)) != 0:
                    return address
        raise AssertionError("unreachable")


def _end(who: Any) -> None:
    """End a process that a machine's disk speaks of, with all of its group."""
    if who and proc.alive(who):
        with contextlib.suppress(OSError):
            os.killpg(os.getpgid(int(who["pid"])), signal.SIGKILL)


def _cloud_config(user_data: str) -> dict[str, Any]:
    if not user_data.startswith("#cloud-config"):
        return {}
    import yaml  # type: ignore[import-untyped]

    found = yaml.safe_load(user_data)
    return found if isinstance(found, dict) else {}
