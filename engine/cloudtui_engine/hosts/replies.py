"""What a host says is data: taken only when it is of the kind that was asked for, and cleaned."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from cloudtui_engine.errors import CloudtuiError, FailedError, from_dict
from cloudtui_engine.records.host_status import HostStatus
from cloudtui_engine.sanitize import clean, clean_line

_WHOLE_MOST = 2**63 - 1
LATEST = 4102444800.0
"""The year 2100: what a host tells of later is no time, and breaks whatever shows it."""


def parse(payload: bytes) -> dict[str, Any] | None:
    """The JSON object of a message, None when it is none: no NaN, no infinity, no endless depth."""
    try:
        obj = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return obj if isinstance(obj, dict) else None


def text(obj: Mapping[str, Any], key: str, limit: int = 500) -> str:
    """A line of text, cleaned and cut.

    Raises:
        FailedError: it is missing or no text.
    """
    value = obj.get(key)
    if not isinstance(value, str):
        _wrong(key)
    return clean_line(value, limit)


def whole(obj: Mapping[str, Any], key: str, most: int = _WHOLE_MOST) -> int:
    """A whole number from 0 to `most`.

    Raises:
        FailedError: it is missing or no such number.
    """
    value = obj.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        _wrong(key)
    return value


def number(obj: Mapping[str, Any], key: str) -> float:
    """A finite number.

    Raises:
        FailedError: it is missing or no such number.
    """
    value = obj.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _wrong(key)
    try:
        result = float(value)
    except OverflowError:
        _wrong(key)
    if not math.isfinite(result):
        _wrong(key)
    return result


def moment(obj: Mapping[str, Any], key: str) -> float:
    """Seconds since the epoch, of a time that can be shown.

    Raises:
        FailedError: it is missing or no such time.
    """
    value = number(obj, key)
    if not 0 <= value <= LATEST:
        _wrong(key)
    return value


def attempt_status(obj: Mapping[str, Any]) -> HostStatus:
    """The host's word on an attempt.

    Raises:
        FailedError: something in it is not what it must be.
    """
    sources = obj.get("sources") or {}
    ended = obj.get("exit") or {}
    if not isinstance(sources, dict):
        _wrong("sources")
    if not isinstance(ended, dict):
        _wrong("exit")
    return HostStatus(
        state=text(obj, "state", 40),
        code=_whole_or_none(ended, "code", 2**31),
        signal=_whole_or_none(ended, "signal", 128),
        reason=text(ended, "reason") if ended.get("reason") else "",
        stopped=ended.get("kind") == "stopped",
        ended_at=None if ended.get("t") is None else moment(ended, "t"),
        sources={clean_line(str(name), 40): whole(sources, name) for name in list(sources)[:16]},
    )


def objects(obj: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects of a list; what else is in it, or in its place, is left out."""
    found = obj.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def texts(obj: Mapping[str, Any], key: str, most: int = 100) -> list[str]:
    """The first lines of text of a list, cleaned."""
    found = obj.get(key)
    listed = found if isinstance(found, list) else []
    return [clean_line(one, 200) for one in listed if isinstance(one, str)][:most]


def artifact_hashes(obj: Mapping[str, Any]) -> dict[str, str]:
    """The sha256 of each file that the verb `artifacts` lists, by name; what cannot be used is left out."""
    pairs = ((one.get("name"), one.get("sha256")) for one in objects(obj, "files"))
    return {name: sha for name, sha in pairs if isinstance(name, str) and isinstance(sha, str)}


def _whole_or_none(obj: Mapping[str, Any], key: str, most: int) -> int | None:
    return None if obj.get(key) is None else whole(obj, key, most)


def error(obj: object) -> CloudtuiError:
    """The error that a host replied with, cleaned."""
    if not isinstance(obj, dict):
        return FailedError("The host reported an error without saying which.")
    fields = {key: value for key in ("code", "message", "hint") if isinstance(value := obj.get(key), str)}
    return from_dict(
        {
            "code": clean_line(fields.get("code", "") or "failed", 60),
            "message": clean(fields.get("message", ""))[:2000]
            or "The host reported an error without saying which.",
            "hint": clean(fields.get("hint", ""))[:1000],
        }
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _wrong(key: str) -> NoReturn:
    raise FailedError(
        f"The host's answer has no usable {key!r}.", "Is something else answering there?", code="protocol"
    )
