"""Texts as values: hyperparameters, names, SSH addresses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtui_engine.errors import NotFoundError, RefusedError, UsageError
from cloudtui_engine.records.instance import Address
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WORDS: Mapping[str, bool] = {"true": True, "false": False}
OWN_SSH = "ssh"
_SSH = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@\s]+)@)?(?:\[(?P<v6>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^@:\s/\[\]]+))(?::(?P<port>\d+))?/?"
)
_INTEGER = re.compile(r"[+-]?\d+(_\d+)*")
_LONGEST_INTEGER = 18
_SIZE = re.compile(r"(?P<number>\d{1,15}(?:\.\d+)?)\s*(?P<unit>[kKmMgGtT]?)(?P<binary>i?)[bB]?")


def typed(value: Any) -> Any:
    """A text as the number or the truth value that it spells; all else as it is, also what is no number.

    >>> typed("20"), typed("1e-3"), typed("true"), typed("cosine")
    (20, 0.001, True, 'cosine')
    >>> typed("nan"), typed("1e999")
    ('nan', '1e999')
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return value
    return number if math.isfinite(number) else value


def params(pairs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Hyperparameters with typed values."""
    return {key: typed(value) for key, value in (pairs or {}).items()}


def is_name(text: str) -> bool:
    """Whether a thing can be called so; see `new_name`."""
    return _NAME.fullmatch(text) is not None


def new_name(text: str, what: str) -> str:
    """A name that can stand in a command, a file name and a list with commas.

    Raises:
        UsageError: it cannot.
    """
    if not is_name(text):
        raise UsageError(
            f"'{clean_line(text, 80)}' cannot be the name of {what}.",
            "Use up to 64 letters, digits, dots, hyphens and underscores; begin with a letter or digit.",
        )
    return text


def size(text: str | int) -> int:
    """Bytes: `500MB`, `2GB`, `1.5 GiB`, `1048576`.

    Raises:
        UsageError: it is none.
    """
    match = _SIZE.fullmatch(str(text).strip())
    if match is None:
        raise UsageError(f"'{clean_line(str(text), 40)}' is no size.", "Write it as 500MB, 2GB or 1.5GiB.")
    unit = (match["unit"] or "").upper()
    base = 1024 if match["binary"] else 1000
    return int(float(match["number"]) * base ** (" KMGT".index(unit) if unit else 0))


def need_yes(session: Session, yes: bool, what: str) -> None:
    """See that a person has confirmed it. The desktop asks before it comes here.

    Raises:
        RefusedError: nobody has.
    """
    if not yes and session.wait:
        raise RefusedError(what, "Say so with --yes.", code="needs_yes")


def run_name(text: str | None) -> str | None:
    """The name of a run: any one line, as people like to call their runs.

    Raises:
        UsageError: it is empty, too long, or holds what a terminal would obey.
    """
    if text is None:
        return None
    if not text.strip() or len(text) > 200 or clean_line(text) != text:
        raise UsageError("A run's name is one line of up to 200 characters.", "Choose another name.")
    return text


def free_run_name(session: Session, text: str | None) -> str | None:
    """A name for a run that no other run has.

    Raises:
        UsageError: it cannot be a name. RefusedError: it is taken.
    """
    name = run_name(text)
    if name is None:
        return None
    try:
        found = session.catalog.runs.find(name)
        taken = found.name == name and found.deleted_at is None
    except NotFoundError:
        taken = False
    except RefusedError:
        taken = True
    if taken:
        raise RefusedError(f"There is a run called {name}.", "Choose another name.", code="name_taken")
    return name


def ssh_address(text: str, key: str | None = None) -> Address:
    """`[user@]host[:port]`; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: it is none, or the key file is missing.
    """
    match = _SSH.fullmatch(text)
    if match is None and re.fullmatch(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]+", text):
        return Address(host=text, key_file=key_file(key))
    host = (match["v6"] or match["host"]) if match else ""
    port = int(match["port"] or 22) if match else 0
    if match is None or host.startswith("-") or (match["user"] or "").startswith("-") or not 0 < port < 65536:
        raise UsageError(f"'{clean_line(text, 80)}' is no SSH address.", "Write it as [user@]host[:port].")
    return Address(host=host, user=match["user"] or "", port=port, key_file=key_file(key))


def way(text: str | None) -> str:
    """What an address keeps of how it is reached: `OWN_SSH`, or nothing for cloudtui itself."""
    return OWN_SSH if text == OWN_SSH else ""


def key_file(text: str | None) -> str:
    """The absolute path of a private key, empty where none is given.

    Raises:
        UsageError: there is no such file.
    """
    if not text:
        return ""
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise UsageError(
            f"There is no key file {clean_line(text, 200)}.", "Give the private key with --key FILE."
        )
    return str(path)
