"""What a report must not tell others: machines, addresses, people, absolute paths, secrets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from cloudtui.secrecy import SECRET, TOKENS, without_named

HOST, ADDRESS, USER, PATH = "[host]", "[address]", "[user]", "[path]"
_PLAIN = frozenset({"", "local", "localhost"})
"""Names that every home has: they tell nothing."""
_NOTHING = re.compile(r"(?!)")
_SHORTEST_SECRET = 6
"""A shorter value of the environment, such as 8 or cuda, would take apart what it is part of."""
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s\"'<>]+")
_MAIL = re.compile(
    r"[\w.+-]{1,64}@(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|[\w.-]*[A-Za-z][\w.-]*)(?::\d+)?"
)  # resnet@3 is a model's version: a host has a letter
_ONE_PATH = re.compile(r"\s*(?:~[\w.-]*[/\\]|/[^\s/]|[A-Za-z]:[\\/]|\\\\\w)")
_QUOTED_PATH = re.compile(r"(?P<q>[\"'])(?:~[\w.-]*/|/|[A-Za-z]:[\\/]|\\\\)(?:(?!(?P=q)).)+(?P=q)")
_PATHS = re.compile(
    r"(?:[\w.-]{1,64}:)?(?<![\w/.)\]-])(?:~[\w.-]*)?/[^\s\"'<>|,;)\]}]+"
    r"|(?<!\w)[A-Za-z]:[\\/][^\s\"'<>|,;]+"
    r"|\\\\[\w.$-]+\\[^\s\"'<>|,;]+"
)
_ROOTS = r"(?:[A-Za-z]:)?[/\\](?:home|Users|root|mnt|data|scratch|srv|var|tmp|opt)[/\\]"
_CLIMBS = r"(?<![\w.])(?:\.\.[/\\])+"
_END = r"\s\"'<>|,;)\]}"
_TREES = re.compile(
    rf"(?:{_ROOTS}(?:[^/\\{_END}]+(?: [^/\\{_END}]+){{1,3}}[/\\])?|{_CLIMBS})"
    rf"[^{_END}]+(?: [^/\\{_END}]+/[^{_END}]+)*"
)
"""Well-known places even where no word begins, folders with spaces too, and what is reached by `..`."""
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]*\w)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?")
_DOMAIN = re.compile(
    r"(?<![\w.-])(?:[\w-]+\.)+(?:com|org|net|edu|gov|mil|int|io|ai|dev|app|cloud|local|localdomain|internal"
    r"|intranet|lan|home|corp|example|invalid|test|de|uk|eu|fr|ch|at|nl)(?::\d+)?(?![\w-])",
    re.IGNORECASE,
)
_LONG_DOMAIN = re.compile(
    r"(?<![\w.-])(?:[A-Za-z0-9-]+\.){2,}(?!(?:onnx|ckpt|pth|jsonl?|csv|np[yz]|gz|zst|ya?ml|toml|txt|log|parquet"
    r"|safetensors|html|svg|png|pkl|whl)\b)(?:[a-z]{2,}|[A-Z]{2,})(?::\d+)?(?![\w-]|\.\w)"
)
"""Of three labels and more, under any ending; files and classes (torch.cuda.OutOfMemoryError) are none."""


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
        hosts = frozenset(hosts)
        self._hosts = _any_of(hosts)
        self._domains = _any_of(host for host in hosts if "." in host)
        self._users = _any_of(users)

    def __call__(self, text: str) -> str:
        """The text with marks such as `[host]` in place of what is nobody's business."""
        text = without_named(self._told(text))
        if _ONE_PATH.match(text) and "\n" not in text:
            return PATH  # all of it: a path may hold spaces
        text = _DOMAIN.sub(ADDRESS, _LONG_DOMAIN.sub(ADDRESS, _places(text)))
        return self._users.sub(USER, self._hosts.sub(HOST, text))

    def key(self, text: str) -> str:
        """The name of a metric or setting: `train/loss` stays, though a machine is called train."""
        return self._users.sub(USER, self._domains.sub(HOST, _places(self._told(text))))

    def _told(self, text: str) -> str:
        """Without secrets that are known, by their value or by their form."""
        return TOKENS.sub(SECRET, self._secrets.sub(SECRET, text))


def _places(text: str) -> str:
    text = _MAIL.sub(ADDRESS, _URL.sub(ADDRESS, text))
    text = _PATHS.sub(PATH, _TREES.sub(PATH, _QUOTED_PATH.sub(PATH, text)))
    return _IPV6.sub(_address, _IPV4.sub(ADDRESS, text))


def _any_of(names: Iterable[str], *, whole: bool = True) -> re.Pattern[str]:
    found = sorted({name for name in names if name.lower() not in _PLAIN}, key=len, reverse=True)
    if not found:
        return _NOTHING
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
