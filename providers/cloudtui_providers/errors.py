"""What a cloud's answer means for what is done next: one tree, by which the engine decides.

ProviderError
├── CapacityError        none of these machines left there: the next zone
├── QuotaError           the account may have no more there: the next region
├── AuthError            the credentials are missing or refused: stop, tell the person
├── PermissionDenied     they are good, and may not do this: stop, name the permission
├── InvalidOrderError    the order itself is wrong: stop
├── NotPossibleError     this cloud does no such thing, as its flags say: stop
├── ThrottledError       too many questions: wait, ask again
├── CloudUnreachable     nothing was sent, or nothing was changed by what was: ask again
├── AmbiguousError       sent, and no answer: the machine may be there. Resolve by its token, never go on
├── MachineGone          there is no such machine: for a terminate, done
├── ObjectMissing        there is no such bucket or object
├── ObjectChanged        the object is another one than it was when it was looked at
└── NotInstalledError    the cloud's library is not on this machine
"""

from __future__ import annotations


class ProviderError(Exception):
    """What a cloud would not do.

    Args:
        message: what happened and why, a sentence. Words of the cloud in it are data.
        hint: what to do about it.
    """

    code = "provider"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CapacityError(ProviderError):
    """The cloud has none of these machines in this zone now."""

    code = "capacity"


class QuotaError(ProviderError):
    """The account may not have more of these machines in this region."""

    code = "quota"


class AuthError(ProviderError):
    """The credentials are missing, expired or refused."""

    code = "auth"


class PermissionDenied(ProviderError):  # noqa: N818 - the name that every cloud gives it
    """The credentials are good and may not do this; the message names the permission."""

    code = "permission"


class InvalidOrderError(ProviderError):
    """The cloud will not have this order, however often it is asked."""

    code = "invalid_order"


class NotPossibleError(ProviderError):
    """This cloud does no such thing, with any machine or credentials."""

    code = "not_possible"


class ThrottledError(ProviderError):
    """Too many questions at once; `retry_after_s` is the cloud's own wish, if it said one."""

    code = "throttled"

    def __init__(self, message: str, hint: str = "", *, retry_after_s: float = 0.0) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class CloudUnreachable(ProviderError):  # noqa: N818 - a state of the way there
    """The cloud does not answer, and nothing was changed by what was sent: it may be sent again."""

    code = "unreachable"


class AmbiguousError(ProviderError):
    """A change was sent and its answer is lost: it may be done, and may not.

    Only `Provider.find` tells. To send it to another zone before that would pay for two machines.
    """

    code = "ambiguous"


class MachineGone(ProviderError):  # noqa: N818 - a state of the machine
    """The cloud knows no such machine (any more)."""

    code = "gone"


class ObjectMissing(ProviderError):  # noqa: N818 - a state of the store
    """The store has no such bucket or object."""

    code = "not_found"


class ObjectChanged(ProviderError):  # noqa: N818 - a state of the object
    """The object is no longer the one that was looked at: what was read of it belongs to nothing."""

    code = "changed"


class NotInstalledError(ProviderError):
    """The library that speaks to this cloud is not installed."""

    code = "not_installed"
