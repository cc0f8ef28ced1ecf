"""The engine as a service of the user's own: a systemd user unit, or a launchd agent."""

from __future__ import annotations

import hashlib
import os
import plistlib
import sys
from dataclasses import dataclass
from pathlib import Path

from cloudtui_engine.errors import FailedError
from cloudtui_engine.paths import Paths


@dataclass(frozen=True, slots=True)
class Service:
    """A service that was written, and the commands that a person gives next."""

    kind: str
    file: Path
    enable: tuple[str, ...]
    disable: tuple[str, ...]


def install(paths: Paths, platform: str = sys.platform) -> Service:
    """Write the service of this home; it is not started.

    Raises:
        FailedError: the file cannot be written.
    """
    service, text = _launchd(paths) if platform == "darwin" else _systemd(paths)
    try:
        service.file.parent.mkdir(parents=True, exist_ok=True)
        part = service.file.with_suffix(service.file.suffix + ".part")
        part.write_bytes(text)
        part.replace(service.file)
    except OSError as error:
        raise FailedError(
            f"{service.file} cannot be written: {error.strerror}.", "Run the engine by hand: cloudtui watch"
        ) from None
    return service


def _systemd(paths: Paths) -> tuple[Service, bytes]:
    name = f"cloudtui-{_mark(paths)}.service"
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    command = " ".join(_quoted(word) for word in _command(paths))
    text = (
        "[Unit]\n"
        f"Description=cloudtui engine for {_plain(str(paths.home))}\n\n"
        "[Service]\n"
        f"ExecStart={command}\n"
        "Restart=on-failure\n"
        "RestartSec=5\n"
        "UMask=0077\n\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )
    return Service(
        "systemd",
        base / "systemd" / "user" / name,
        (
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {name}",
            "loginctl enable-linger  # to have it run while you are logged out",
        ),
        (f"systemctl --user disable --now {name}",),
    ), text.encode()


def _launchd(paths: Paths) -> tuple[Service, bytes]:
    label = f"io.cloudtui.engine.{_mark(paths)}"
    file = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
    text = plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": _command(paths),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "StandardOutPath": str(paths.engine_log),
            "StandardErrorPath": str(paths.engine_log),
        }
    )
    return Service(
        "launchd", file, (f"launchctl bootstrap gui/{os.getuid()} {file}",),
        (f"launchctl bootout gui/{os.getuid()}/{label}",),
    ), text  # fmt: skip


def _command(paths: Paths) -> list[str]:
    return [sys.executable, "-m", "cloudtui_engine", "--home", str(paths.home), "--foreground"]


def _mark(paths: Paths) -> str:
    """Tells the services of several homes apart."""
    return hashlib.sha256(os.fsencode(paths.home)).hexdigest()[:8]


def _quoted(word: str) -> str:
    """As systemd reads a word: `%` and `$` mean something there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or not word.isascii() or " " in word else word


def _plain(text: str) -> str:
    return text.replace("%", "%%").replace("\n", " ")
