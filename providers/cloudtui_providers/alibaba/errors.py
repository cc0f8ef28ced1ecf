"""What Alibaba's answers mean: its codes, and what its library raises, as the contract's errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    CloudUnreachable,
    InvalidOrderError,
    MachineGone,
    NotInstalledError,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)
from cloudtui_providers.rest import ASK_LATER, MOST_WORDS, unsure

TITLE = "Alibaba Cloud"
LOG_IN = (
    "aliyun configure, or ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET. Look at this "
    "machine's clock, too: a request is signed with the time."
)
NO_MACHINE = "InvalidInstanceId.NotFound"
WRONG_STATE = "IncorrectInstanceStatus"
KINDS: Mapping[type[ProviderError], Collection[str]] = {
    AuthError: (
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidSecurityToken",
        "MissingSecurityToken", "InvalidTimeStamp", "InvalidCredentials", "Forbidden.AccessKeyDisabled",
    ),
    PermissionDenied: ("Forbidden", "Forbbiden", "NoPermission", "InvalidUser.Unauthorized"),
    CapacityError: (
        "OperationDenied.NoStock", "OperationDenied.ZoneNotAllowed", "OperationDenied.ResourceControl",
        "Zone.NotOnSale", "Zone.NotOpen", "InvalidResourceType.NotSupported", "InstanceType.Offline",
        "InvalidInstanceType.ZoneNotSupported", "ResourceNotAvailable",
    ),
    QuotaError: (
        "QuotaExceed", "QuotaExceeded", "InstanceQuotaExceed", "Account.Arrearage", "InsufficientBalance",
        "PaymentMethodNotFound", "InvalidPayMethod",
    ),
    # The request before, with the same token, is under way: a machine may come of that.
    AmbiguousError: ("LastTokenProcessing", "Idempotence.Processing", "IdempotentProcessing"),
    ThrottledError: (
        "Throttling", WRONG_STATE, "OperationConflict", "LastOrderProcessing", "InvalidStatus.Upgrading",
        "IncorrectVpcStatus", "IncorrectVSwitchStatus", "OperationDenied.CreatingConflict",
    ),
    MachineGone: (NO_MACHINE,),
}  # fmt: skip
"""By the beginning of a code, up to one of its dots."""
NOT_SENT = {
    "ConnectTimeout",
    "ConnectTimeoutError",
    "NewConnectionError",
    "NameResolutionError",
    "ProxyError",
}


@contextmanager
def translated(action: str, *, changes: bool = False, but: Collection[str] = ()) -> Iterator[None]:
    """Raise what the library raises as one of ours.

    Args:
        action: as RAM names it: `ecs:RunInstances`.
        changes: its answer must be known.
        but: codes that are answers, too: the block ends by them.
    """
    try:
        from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
        from darabonba.exceptions import UnretryableException
    except ImportError as error:
        raise NotInstalledError(
            "alibabacloud-tea-openapi, by which Alibaba Cloud is asked, is not installed.",
            "pip install 'cloudtui[alibaba]'",
        ) from error
    try:
        yield
    except AlibabaCloudException as error:
        if error.code in but:
            return
        raise _refused(action, error, changes=changes) from None
    except UnretryableException as error:
        raise _silent(action, error.inner_exception, changes=changes) from None


def kind_of(code: str) -> type[ProviderError] | None:
    """Which error a code is; None: its status says it."""
    return next(
        (
            kind
            for kind, codes in KINDS.items()
            if any(code == one or code.startswith(f"{one}.") for one in codes)
        ),
        None,
    )


def _refused(action: str, error: Any, *, changes: bool) -> ProviderError:
    code, status = str(error.code), int(error.status_code or 0)
    kind = kind_of(code)
    if kind is AmbiguousError or (kind is None and status >= 500):
        return unsure(f"Something broke inside {TITLE} at {action} ({code}).", changes=changes)
    if kind is AuthError:
        return AuthError(f"{TITLE} refuses the credentials ({code}).", LOG_IN)
    if kind is PermissionDenied:
        detail = error.access_denied_detail or {}
        named = str(detail.get("AuthAction") or action)
        return PermissionDenied(
            f"The credentials are good, and may not do {named}.", f"Allow {named} in a policy of RAM."
        )
    if kind is ThrottledError:
        after = float(getattr(error, "retry_after", None) or 0.0) / 1000.0
        return ThrottledError(f"{TITLE} wants to be asked {action} later ({code}).", retry_after_s=after)
    words = str((error.data or {}).get("Message", ""))[:MOST_WORDS]
    said = f"{TITLE} will not do {action} ({code}): {words}"
    if kind is QuotaError:
        return QuotaError(said, "Look at https://quotas.console.aliyun.com, and at the account's balance.")
    return (kind or (InvalidOrderError if changes else ProviderError))(said)


def _silent(action: str, cause: BaseException | None, *, changes: bool) -> ProviderError:
    """What no answer means. What the library says of it may have the whole request in it."""
    if type(cause).__name__ == "CredentialException":
        return AuthError(f"There are no credentials for {TITLE}, or none that can be read.", LOG_IN)
    while cause is not None:
        if type(cause).__name__ in NOT_SENT:
            return CloudUnreachable(f"{TITLE} cannot be reached for {action}.", ASK_LATER)
        cause = cause.__context__
    return unsure(f"The answer of {TITLE} to {action} is lost, or none.", changes=changes)
