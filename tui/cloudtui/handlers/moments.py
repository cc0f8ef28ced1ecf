"""Times as people write them: `4h`, `+2h`, `18:00`, `none`. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from cloudtui_engine.errors import UsageError
from cloudtui_engine.sanitize import clean_line

LONGEST_S = 366 * 86400
_NONE = frozenset({"none", "never", "-", "–"})
_PARTS = re.compile(r"(?:(?P<d>\d{1,3})d)?(?:(?P<h>\d{1,5})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,8})s)?")
_CLOCK = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
_HINT = "Write it as 4h, 90m or 1d12h, as a time such as 18:00, or as none."


def seconds(text: str) -> int:
    """`4h`, `90m`, `1d12h`; 0 for `none`.

    Raises:
        UsageError: it is no such time, or longer than a year.
    """
    wanted = text.strip().lower()
    if wanted in _NONE:
        return 0
    match = _PARTS.fullmatch(wanted)
    if match is None or not wanted:
        raise UsageError(f"'{clean_line(text, 40)}' is no length of time.", _HINT)
    days, hours, minutes, rest = (int(match[name] or 0) for name in "dhms")
    found = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if not 0 < found <= LONGEST_S:
        raise UsageError(
            f"'{clean_line(text, 40)}' is no length of time.", "From one second to a year, or none."
        )
    return found


def quiet(text: str) -> int:
    """Seconds of doing nothing after which a machine ends; 0 for `0` and `none`: it does not.

    Raises:
        UsageError: it is no such time, or longer than a year.
    """
    return 0 if text.strip() == "0" else seconds(text)


def lifetime(text: str, now: float) -> int:
    """Seconds from now until a deadline, which may be a time of day; 0 for `none`.

    Raises:
        UsageError: it is none.
    """
    match = _CLOCK.fullmatch(text.strip())
    return seconds(text) if match is None else round(_next(match, now) - now)


def deadline(text: str, current: float | None, now: float) -> float | None:
    """A new deadline; None for `none`.

    Args:
        text: `+2h` is that much more than it has, `2h` is from now, `18:00` the next one here.
        current: the deadline that it has.
        now: the moment.

    Raises:
        UsageError: it is none.
    """
    wanted = text.strip()
    if wanted.startswith("+"):
        return max(now, current if current is not None else now) + _more(wanted[1:])
    found = lifetime(wanted, now)
    return now + found if found else None


def _more(text: str) -> int:
    found = seconds(text)
    if not found:
        raise UsageError("That is no more time.", _HINT)
    return found


def _next(match: re.Match[str], now: float) -> float:
    """The next time that clocks here show this."""
    here = datetime.fromtimestamp(now).astimezone()
    at = here.replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    at = at if at > here else at + timedelta(days=1)
    # Clocks may be changed in between: what was meant is the time that they show then.
    return at.replace(tzinfo=None).astimezone().timestamp()
