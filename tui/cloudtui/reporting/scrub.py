"""What a report must not tell others: machines, addresses, people, absolute paths, secrets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

HOST, ADDRESS, USER, PATH, SECRET = "[host]", "[address]", "[user]", "[path]", "[secret]"
_PLAIN = frozenset({"", "local", "localhost"})
"""Names that every home has: they tell nothing."""
_SHORTEST_SECRET = 6
"""A shorter value of the environment, such as 8 or cuda, would take apart what it is part of."""
_TOKENS = re.compile(
    r"\bAKIA[0-9A-Z]{12,}|\bgh[pousr]_\w{16,}|\bhf_\w{16,}|\bsk-[\w-]{16,}|\bxox[a-z]-[\w-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|\Z)"
)
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_MAIL = re.compile(
    r"[\w.+-]+@(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|[\w.-]*[A-Za-z][\w.-]*)(?::\d+)?"
)  # resnet@3 is a model's version: a host has a letter
_ONE_PATH = re.compile(r"\s*(?:~[\w.-]*[/\\]|/[^\s/]|[A-Za-z]:[\\/]|\\\\\w)")
_QUOTED_PATH = re.compile(r"(?P<q>[\"'])(?:~[\w.-]*/|/|[A-Za-z]:[\\/]|\\\\)(?:(?!(?P=q)).)+(?P=q)")
_PATHS = re.compile(
    r"(?:[\w.-]+:)?(?<![\w/.)\]-])(?:~[\w.-]*)?/[^\s\"'<>|,;)\]}]+"
    r"|(?<!\w)[A-Za-z]:[\\/][^\s\"'<>|,;]+"
    r"|\\\\[\w.$-]+\\[^\s\"'<>|,;]+"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]*\w)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?")
_DOMAIN = re.compile(
    r"(?<![\w.-])(?:[\w-]+\.)+(?:com|org|net|edu|gov|mil|int|io|ai|dev|app|cloud|local|localdomain|internal"
    r"|intranet|lan|home|corp|example|invalid|test|de|uk|eu|fr|ch|at|nl)(?::\d+)?(?![\w-])",
    re.IGNORECASE,
)
_SECRET_WORDS = frozenset(
    {"token", "secret", "secrets", "password", "passwd", "passphrase", "credential", "credentials", "apikey",
     "auth", "authorization", "pat"}
)  # fmt: skip
_SECRET_KEYS = re.compile(r"(?:api|access|private|secret|ssh|account)[^a-z0-9]*key", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """A setting of this name is a secret, whatever its value is."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", key).lower())
    return bool(_SECRET_WORDS.intersection(words)) or _SECRET_KEYS.search(key) is not None


class Scrub:
    """Takes out of any text what a report must not tell.

    Args:
        hosts: names and addresses of machines that are known here.
        users: the names of people on them.
        secrets: values that are in no report, not even within another text.
    """

    def __init__(
        self, hosts: Iterable[str] = (), users: Iterable[str] = (), secrets: Iterable[str] = ()
    ) -> None:
        self._secrets = _any_of((one for one in secrets if len(one) >= _SHORTEST_SECRET), whole=False)
        self._hosts = _any_of(hosts)
        self._users = _any_of(users)

    def __call__(self, text: str) -> str:
        """The text with marks such as `[host]` in place of what is nobody's business."""
        if self._secrets:
            text = self._secrets.sub(SECRET, text)
        text = _TOKENS.sub(SECRET, text)
        if _ONE_PATH.match(text) and "\n" not in text:
            return PATH  # all of it: a path may hold spaces
        text = _URL.sub(ADDRESS, text)
        text = _MAIL.sub(ADDRESS, text)
        text = _PATHS.sub(PATH, _QUOTED_PATH.sub(PATH, text))
        text = _IPV6.sub(_address, _IPV4.sub(ADDRESS, text))
        text = _DOMAIN.sub(ADDRESS, text)
        if self._hosts:
            text = self._hosts.sub(HOST, text)
        return self._users.sub(USER, text) if self._users else text


def _any_of(names: Iterable[str], *, whole: bool = True) -> re.Pattern[str] | None:
    found = sorted({name for name in names if name.lower() not in _PLAIN}, key=len, reverse=True)
    if not found:
        return None
    between = "|".join(re.escape(name) for name in found)
    pattern = rf"(?<![A-Za-z0-9])(?:{between})(?![A-Za-z0-9])" if whole else between
    return re.compile(pattern, re.IGNORECASE if whole else 0)


def _address(found: re.Match[str]) -> str:
    text = found.group()
    try:
        ipaddress.ip_address(text.partition("%")[0].rstrip("."))
    except ValueError:
        return text  # a time of day, two colons
    return ADDRESS
