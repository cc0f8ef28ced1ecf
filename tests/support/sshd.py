"""A real OpenSSH server on a loopback address, for tests and measurements."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

SSHD = Path("/usr/sbin/sshd")
SSHD_SESSION = "sshd"


def wait_for(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return once `condition()` is true; AssertionError when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def free_port(address: str = "127.0.0.1") -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A key pair."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return path


class Sshd:
    """One server: its folder, its keys, its process.

    Args:
        folder: for its files; made.
        address: a loopback address: each is another "host".
        port: a free one by default.
        env: environment of its sessions (`SetEnv`). By default PATH begins with this interpreter's folder,
            and HOME is an empty folder.
        extra: more lines of its configuration.
        user_key: the private key that may log in; made by default.
    """

    def __init__(
        self,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        port: int | None = None,
        env: dict[str, str] | None = None,
        extra: Sequence[str] = (),
        user_key: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.address = address
        self.port = port or free_port(address)
        self.user = getpass.getuser()
        self.root = folder / "root"
        """A root for cloudtui's files on this host."""
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.user_key = user_key or make_key(folder / "user_key")
        self.host_key = make_key(folder / "host_key")
        self.authorized_keys = folder / "authorized_keys"
        self.authorized_keys.write_text(self.user_key.with_name(self.user_key.name + ".pub").read_text())
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        # Bash reads ~/.bashrc when sshd starts it; this machine's own would put its own PATH first.
        self._env = {"PATH": path, "HOME": str(self.home)} | (env or {})
        self._extra = list(extra)
        self._process: subprocess.Popen[bytes] | None = None

    # -- life

    def start(self) -> Sshd:
        """Start it and wait until it listens."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(self._config())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(SSHD), "-D", "-e", "-f", str(config)], stderr=log, stdout=log, stdin=subprocess.DEVNULL
            )
        wait_for(self._listens, f"sshd on port {self.port}: {self.log()}")
        return self

    def stop(self) -> None:
        """End the server and all its sessions."""
        if self._process is None:
            return
        self.kill_sessions()
        self._process.terminate()
        self._process.wait(10)
        self.kill_sessions()
        self._process = None

    def kill_sessions(self) -> int:
        """Kill the server's processes of all connections, as a crash would; how many."""
        assert self._process is not None
        children = _children(self._process.pid)
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(children)

    def processes(self) -> list[int]:
        """The server and all of sshd below it."""
        return [self._process.pid, *_children(self._process.pid)] if self._process else []

    def restart(self, *, new_host_key: bool = False) -> None:
        """Stop and start on the same port, as another machine when `new_host_key`."""
        self.stop()
        if new_host_key:
            for path in (self.host_key, self.host_key.with_name(self.host_key.name + ".pub")):
                path.unlink()
            make_key(self.host_key)
        self.start()

    def __enter__(self) -> Sshd:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # -- what is known of it

    @property
    def host_public(self) -> str:
        """`type base64` of the host key."""
        return " ".join(self.host_key.with_name(self.host_key.name + ".pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        """`SHA256:...` of the host key, by ssh-keygen."""
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.host_key)], check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def known_line(self, port: int | None = None) -> str:
        """The line of known_hosts, for the port of a proxy when given."""
        return f"[{self.address}]:{port or self.port} {self.host_public}\n"

    @property
    def sessions(self) -> int:
        """How many connections it serves now."""
        return len(_children(self._process.pid)) if self._process else 0

    def log(self) -> str:
        """What it printed."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def ssh_options(self, port: int | None = None) -> list[str]:
        """Options for ssh, scp and rsync -e to this host with nothing of the user's own configuration."""
        known = self.folder / "known_hosts_for_ssh"
        known.write_text(self.known_line() + self.known_line(port))
        return [
            "-F", "none", "-i", str(self.user_key), "-o", f"UserKnownHostsFile={known}",
            "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
        ]  # fmt: skip

    # -- inside

    def _config(self) -> str:
        env = " ".join(f'"{name}={value}"' for name, value in self._env.items())
        lines = [
            f"Port {self.port}",
            f"ListenAddress {self.address}",
            f"HostKey {self.host_key}",
            "PidFile none",
            f"AuthorizedKeysFile {self.authorized_keys}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "Subsystem sftp internal-sftp",
            "MaxStartups 1000:30:2000",
            "MaxSessions 100",
            f"SetEnv {env}",
            *self._extra,
        ]
        if _accepts("PerSourcePenalties no", self.folder, self.host_key):
            lines.append("PerSourcePenalties no")
        return "\n".join(lines) + "\n"

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"sshd ended: {self.log()}"
        with socket.socket() as sock:
            sock.settimeout(1)
            return sock.connect_ex((self.address, self.port)) == 0


def _accepts(line: str, folder: Path, host_key: Path) -> bool:
    """Whether this OpenSSH knows a configuration line."""
    path = folder / "probe_config"
    path.write_text(f"HostKey {host_key}\n{line}\n")
    done = subprocess.run([str(SSHD), "-t", "-f", str(path)], capture_output=True, check=False)
    return done.returncode == 0


def _children(pid: int) -> list[int]:
    """All processes below `pid` that are still of sshd; what sessions detached is not."""
    try:
        direct = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    found = []
    for child in direct:
        try:
            name = Path(f"/proc/{child}/comm").read_text().strip()
        except OSError:
            continue
        if name.startswith(SSHD_SESSION):
            found += [child, *_children(child)]
    return found


def missing() -> str:
    """Why no server can be started here; empty when one can."""
    if not SSHD.exists():
        return f"{SSHD} is not installed"
    if shutil.which("ssh-keygen") is None:
        return "ssh-keygen is not installed"
    return ""
