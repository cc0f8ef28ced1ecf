"""What the user's SSH configuration says of a host, as ssh itself reads it."""

from __future__ import annotations

import glob
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudtui_engine.errors import BadInputError, FailedError, RefusedError
from cloudtui_engine.sanitize import clean_line

DEFAULT_FILE = Path("~/.ssh/config")
DEFAULT_IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
JUMPS_AT_MOST = 8
NEEDS_SSH = "needs_ssh"
"""The code of what only ssh itself can do."""
BY_OWN_SSH = "Have your own ssh do it: --via ssh, with instance add or instance connect."
_BEYOND = {
    "pkcs11provider": "a smart card (PKCS11Provider)",
    "knownhostscommand": "KnownHostsCommand",
    "identityagent": "another agent (IdentityAgent)",
    "certificatefile": "a certificate (CertificateFile)",
}
_ASK_S = 10.0
_INCLUDES_AT_MOST = 16
_HOST = re.compile(r"[^\s\x00-\x1f\x7f\-][^\s\x00-\x1f\x7f]{0,254}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One SSH server and how to get to it."""

    name: str
    """What a person calls it."""
    host: str
    user: str
    port: int
    identity_files: tuple[str, ...] = ()
    key_file: str = ""
    """The instance's own key file: no other is tried."""
    identities_only: bool = False
    host_key_alias: str = ""
    known_hosts_files: tuple[Path, ...] = ()
    jumps: tuple[Endpoint, ...] = ()
    """Servers on the way, the first one first."""
    warnings: tuple[str, ...] = ()
    beyond: str = ""
    """What its configuration asks for that only ssh itself can do, as part of a sentence."""


def resolve(
    host: str,
    user: str = "",
    port: int | None = None,
    key_file: str = "",
    *,
    name: str = "",
    config: Path | None = None,
) -> Endpoint:
    """The endpoint for `host`, an address or a name in the SSH configuration.

    Args:
        host: as the user typed it.
        user: empty for what the configuration says.
        port: None or 22 for what the configuration says.
        key_file: a key of this instance; then no other is tried.
        name: what messages call it.
        config: another file than `~/.ssh/config`.

    Raises:
        BadInputError: no host name. RefusedError: the configuration needs a ProxyCommand.
    """
    return _resolve(host, user, port, key_file=key_file, name=name or host, config=config, depth=0)


def _resolve(
    host: str, user: str, port: int | None, *, key_file: str, name: str, config: Path | None, depth: int
) -> Endpoint:
    if not _HOST.fullmatch(host):
        raise BadInputError(
            f"{clean_line(host, 80)!r} is no host name.", "Give a name or an address, as for ssh."
        )
    if depth > JUMPS_AT_MOST:
        raise RefusedError(
            f"The way to {name} has more than {JUMPS_AT_MOST} jumps.", "Does ProxyJump go in a circle?"
        )
    warnings: tuple[str, ...] = ()
    options = _ask_ssh(host, user, port, config)
    if options is None:
        warnings = (
            "ssh is not installed here: Include and Match in the SSH configuration are not followed.",
        )
        options = _ask_paramiko(host, config)
    command = _one(options, "proxycommand")
    if command not in {"", "none"}:
        raise RefusedError(
            f"The SSH configuration reaches {name} by a ProxyCommand, which cloudtui does not run.",
            f"{BY_OWN_SSH} Or use ProxyJump: it says the same for another SSH server on the way.",
            code=NEEDS_SSH,
        )
    alias = _one(options, "hostkeyalias")
    return Endpoint(
        name=name,
        host=_one(options, "hostname") or host,
        user=user or _one(options, "user") or _login_name(),
        port=port if port not in {None, 22} else _port(_one(options, "port")),
        identity_files=tuple(p for p in options.get("identityfile", DEFAULT_IDENTITIES) if p != "none"),
        key_file=key_file,
        identities_only=_one(options, "identitiesonly") in {"yes", "true"},
        host_key_alias="" if alias == "none" else alias,
        known_hosts_files=_files(options, ("userknownhostsfile", "globalknownhostsfile")),
        jumps=_jumps(_one(options, "proxyjump"), name, config, depth),
        warnings=warnings,
        beyond=_beyond(options),
    )


def _beyond(options: Mapping[str, Sequence[str]]) -> str:
    """The first thing in `ssh -G` that paramiko passes over; empty when there is none."""
    for key, what in _BEYOND.items():
        if _one(options, key).lower() not in {"", "none", "no", "ssh_auth_sock"}:
            return what
    locked_in = [file for file in options.get("identityfile", ()) if _is_on_hardware(file)]
    return f"a FIDO key ({clean_line(locked_in[0], 80)})" if locked_in else ""


def _is_on_hardware(identity: str) -> bool:
    try:
        with Path(f"{identity}.pub").expanduser().open("rb") as file:
            return file.read(3) == b"sk-"
    except (OSError, RuntimeError):  # RuntimeError: a ~user that nobody is
        return False


def _jumps(text: str, name: str, config: Path | None, depth: int) -> tuple[Endpoint, ...]:
    """The servers of a ProxyJump.

    The first may itself need a jump by its own configuration; a later one is reached from the one before it.
    """
    if text in {"", "none"}:
        return ()
    hops: list[Endpoint] = []
    for spec in text.split(","):
        user, host, port = _split(spec.strip().removeprefix("ssh://").rstrip("/"))
        hop = _resolve(
            host,
            user,
            port,
            key_file="",
            name=f"{host} (on the way to {name})",
            config=config,
            depth=depth + 1,
        )
        hops += [*hop.jumps, hop] if not hops else [hop]
    return tuple(hops)


def _split(spec: str) -> tuple[str, str, int | None]:
    """`[user@]host[:port]`, IPv6 in brackets."""
    user, _, place = spec.rpartition("@")
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", place)
    if bracketed:
        return user, bracketed[1], int(bracketed[2]) if bracketed[2] else None
    host, colon, port = place.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return user, host, _port(port)
    return user, place, None


def _ask_ssh(host: str, user: str, port: int | None, config: Path | None) -> dict[str, list[str]] | None:
    """`ssh -G`, which prints what ssh would use; None when there is no ssh."""
    ssh = shutil.which("ssh")
    if ssh is None:
        return None
    command = [ssh, "-G"]
    command += ["-F", str(config)] if config else []
    command += ["-l", user] if user else []
    command += ["-p", str(port)] if port not in {None, 22} else []
    try:
        done = subprocess.run(
            [*command, "--", host], capture_output=True, stdin=subprocess.DEVNULL, timeout=_ASK_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise FailedError(
            f"ssh -G {host} gave no answer within {_ASK_S:.0f} s.",
            "Does a Match exec in your SSH configuration hang?",
        ) from None
    if done.returncode:
        why = clean_line(done.stderr.decode(errors="replace"), 200)
        raise BadInputError(
            f"ssh does not accept its configuration: {why}", "Correct it; try: ssh -G " + host
        )
    options: dict[str, list[str]] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        options.setdefault(key.lower(), []).append(value.strip())
    return options


def _ask_paramiko(host: str, config: Path | None) -> dict[str, list[str]]:
    """What paramiko makes of the file: enough for plain Host blocks."""
    import paramiko  # slow to import, and needed only where there is no ssh

    path = (config or DEFAULT_FILE).expanduser()
    if not path.exists():
        return {}
    try:
        found: Mapping[str, object] = paramiko.SSHConfig.from_path(str(path)).lookup(host)
    except (paramiko.ConfigParseError, paramiko.CouldNotCanonicalize, OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"{path} cannot be read: {clean_line(str(error), 200)}.", "Correct it."
        ) from error
    return {
        k: [str(v) for v in value] if isinstance(value, list) else [str(value)] for k, value in found.items()
    }


def _one(options: Mapping[str, Sequence[str]], key: str) -> str:
    values = options.get(key)
    return values[0] if values else ""


def _files(options: Mapping[str, Sequence[str]], keys: Sequence[str]) -> tuple[Path, ...]:
    names = [name for key in keys for value in options.get(key, ()) for name in _words(value)]
    return tuple(Path(name).expanduser() for name in names if name not in {"none", "/dev/null"})


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _port(text: str) -> int:
    number = int(text) if text.isdigit() else 22
    return number if 0 < number < 65536 else 22


def _login_name() -> str:
    import getpass

    return getpass.getuser()


def list_hosts(config: Path | None = None) -> list[str]:
    """The concrete hosts of an SSH configuration, in its order: no wildcards, Include followed.

    Raises:
        BadInputError: the file cannot be read.
    """
    path = (config or DEFAULT_FILE).expanduser()
    if not path.is_file():
        raise BadInputError(f"There is no SSH configuration {path}.", "Give another with --from FILE.")
    return list(dict.fromkeys(_hosts_in(path, path.parent, 0)))


def _hosts_in(path: Path, base: Path, depth: int) -> list[str]:
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        if depth:
            return []  # ssh, too, passes over an Include that it cannot read
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    hosts: list[str] = []
    for line in text.splitlines():
        found = re.match(r"\s*(host|include)(?:\s*=\s*|\s+)(.+)", line, re.IGNORECASE)
        if not found or line.lstrip().startswith("#"):
            continue
        words = _words(found[2].split(" #")[0])
        if found[1].lower() == "host":
            hosts += [word for word in words if _HOST.fullmatch(word) and not re.search(r"[*?!]", word)]
        elif depth < _INCLUDES_AT_MOST:
            for pattern in words:
                for name in sorted(glob.glob(str(base / Path(pattern).expanduser()))):  # noqa: PTH207 - absolute patterns
                    hosts += _hosts_in(Path(name), base, depth + 1)
    return hosts
