"""The hosts of an SSH config: names, and where they lead, resolved by `ssh` itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cloudtui.handlers.values import new_name
from cloudtui_engine.errors import BadInputError, UsageError
from cloudtui_engine.records.instance import Address

_DEEPEST = 8
_TIMEOUT_S = 5.0


def hosts(path: Path) -> Iterator[tuple[str, Address]]:
    """Each plain host name of the config (no pattern) with its address.

    Raises:
        BadInputError: the file cannot be read.
    """
    for name in dict.fromkeys(_names(path, path.parent, 0)):
        try:
            yield new_name(name, "a machine"), resolve(name, path)
        except UsageError:
            continue


def resolve(name: str, config: Path) -> Address:
    """Where `name` leads by this config.

    The name itself stays the address where ssh must look it up each time (it is reached by way of another
    host, or its key is known by another name) and where there is no ssh to ask.
    """
    said = _ask_ssh(name, config)
    if said is None or any(said.get(key, ["none"])[0] != "none" for key in ("proxyjump", "hostkeyalias")):
        return Address(host=name)
    keys = [Path(key).expanduser() for key in said.get("identityfile", [])]
    # ssh names its usual keys where the config names none; only a key of the config is worth keeping.
    named = [str(key) for key in keys if key.is_file() and not _is_usual(key)]
    port = said.get("port", ["22"])[0]
    return Address(
        host=said.get("hostname", [name])[0],
        user=said.get("user", [""])[0],
        port=int(port) if port.isdigit() else 22,
        key_file=named[0] if named else "",
    )


def _ask_ssh(name: str, config: Path) -> dict[str, list[str]] | None:
    ssh = shutil.which("ssh")
    if ssh is None:
        return None
    try:
        answer = subprocess.run(
            [ssh, "-G", "-F", str(config), "--", name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    said: dict[str, list[str]] = {}
    for line in answer.stdout.splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key.lower(), []).append(value)
    return said if answer.returncode == 0 else None


def _is_usual(key: Path) -> bool:
    return key.parent == Path.home() / ".ssh" and key.name.startswith("id_")


def _names(path: Path, base: Path, depth: int) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInputError(
            f"The SSH config {path} cannot be read: {error.strerror}.", "Name another with --from FILE."
        ) from None
    for line in text.splitlines():
        words = line.strip().replace("=", " ", 1).split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        keyword = words[0].lower()
        if keyword == "host":
            yield from (word.strip('"') for word in words[1:] if not set(word) & set("*?!"))
        elif keyword == "include" and depth < _DEEPEST:
            for pattern in words[1:]:
                yield from _included(pattern.strip('"'), base, depth)


def _included(pattern: str, base: Path, depth: int) -> Iterator[str]:
    whole = Path(pattern).expanduser()
    root, relative = (
        (Path(whole.anchor), str(whole.relative_to(whole.anchor))) if whole.is_absolute() else (base, pattern)
    )
    for found in sorted(root.glob(relative)):
        if found.is_file():
            yield from _names(found, base, depth + 1)
