"""Every error that a person may see, in one tree.

    CloudtuiError
    ├── UsageError          2  the command itself is wrong
    │   └── FilterError     2  a filter that cannot be read, and where
    ├── NotFoundError       3  no such thing
    ├── RefusedError        4  possible, but not without more: a flag, an answer, another name
    │   └── HostKeyError    4  unknown or changed host key
    ├── FailedError         5  it ran and failed
    │   ├── BadInputError   5  a file or value that cannot be used
    │   └── CatalogError    5  the catalog cannot be opened or written
    └── UnreachableError    6  a host or cloud does not answer
        ├── LinkTimeoutError 6  no answer within the deadline
        └── AuthError       6  the host answers and will not have us
            └── LoginNeededError 6  only a person can log in

Each says what happened, why, and in `hint` what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from unicodedata import combining, east_asian_width

_SHOWN = 72
"""So much of a filter fits on a line."""


class CloudtuiError(Exception):
    """An error with an exit status, a code that scripts can rely on, and a hint."""

    exit_status = 5
    code = "failed"

    def __init__(self, message: str, hint: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code

    @property
    def picture(self) -> str:
        """Lines that show the place that is wrong, where there is one."""
        return ""

    @property
    def details(self) -> dict[str, object]:
        """What `--json` prints of it beside code, message and hint."""
        return {}

    def as_dict(self) -> dict[str, str]:
        """What an operation keeps. `--json` prints all but the exit status under `error`."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit_status": str(self.exit_status),
        }


class UsageError(CloudtuiError):
    """The command itself is wrong."""

    exit_status = 2
    code = "usage"


class FilterError(UsageError):
    """A filter that cannot be read.

    Args:
        why: what is wrong, as the middle of a sentence.
        at: the place in the filter, from 0; its length where it ends too soon.
        text: the filter.
    """

    code = "filter"

    def __init__(self, why: str, at: int, text: str = "") -> None:
        super().__init__(
            f"The filter cannot be read at position {at + 1}: {why}.",
            "For example: param.lr < 1e-3 and (tag:baseline or name ~ vit) and not status:failed",
        )
        self.why = why
        self.at = at
        self.text = text

    @property
    def picture(self) -> str:
        """The filter, and below it a caret under the character that is wrong; long ones in part."""
        first = max(0, self.at - _SHOWN // 2)
        shown = "".join(c if c.isprintable() else " " for c in self.text[first : first + _SHOWN])
        before = sum(2 if east_asian_width(c) in "WF" else not combining(c) for c in shown[: self.at - first])
        return f"  {shown}\n  {' ' * before}^"

    @property
    def details(self) -> dict[str, object]:
        """The filter, and the position in it, from 1."""
        return {"filter": self.text, "position": self.at + 1}


class NotFoundError(CloudtuiError):
    """No such thing."""

    exit_status = 3
    code = "not_found"


class RefusedError(CloudtuiError):
    """Possible, but not without more: a flag, an answer, another name."""

    exit_status = 4
    code = "refused"


class HostKeyError(RefusedError):
    """The host's key is unknown or not the one we know."""

    code = "host_key"

    def __init__(self, message: str, hint: str = "", *, fingerprint: str = "", changed: bool = False) -> None:
        super().__init__(message, hint, code="host_key_changed" if changed else "host_key_unknown")
        self.fingerprint = fingerprint
        self.changed = changed


class FailedError(CloudtuiError):
    """It ran and failed."""


class BadInputError(FailedError):
    """A file or value that cannot be used."""

    code = "bad_input"


class CatalogError(FailedError):
    """The catalog cannot be opened or written."""

    code = "catalog"


class UnreachableError(CloudtuiError):
    """A host or cloud does not answer."""

    exit_status = 6
    code = "unreachable"


class LinkTimeoutError(UnreachableError):
    """No answer within the deadline."""

    code = "timeout"


class AuthError(UnreachableError):
    """The host answers and will not have us."""

    code = "auth"


class LoginNeededError(AuthError):
    """Only a person can log in there, at a terminal."""

    code = "needs_login"


EXIT_STATUS = {
    cls.code: cls.exit_status
    for cls in (UsageError, NotFoundError, RefusedError, FailedError, BadInputError, CatalogError,
                UnreachableError, LinkTimeoutError, AuthError, LoginNeededError)
} | {
    "host_key_unknown": 4, "host_key_changed": 4,
    "quota": 4, "permission": 4, "not_installed": 4, "ambiguous": 6,  # a cloud's, as a launch keeps them
}  # fmt: skip
"""Exit status by code, for errors that came through an operation."""
_STATUSES = frozenset("23456")


def from_dict(error: Mapping[str, str]) -> CloudtuiError:
    """The error that an operation kept, to be raised again where a person sees it."""
    code = error.get("code", "failed")
    raised = CloudtuiError(error.get("message", "It failed."), error.get("hint", ""), code=code)
    status = str(error.get("exit_status", ""))
    # A code that no class has (`gpu_busy`) would else come back as a plain failure.
    raised.exit_status = int(status) if status in _STATUSES else EXIT_STATUS.get(code, 5)
    return raised
