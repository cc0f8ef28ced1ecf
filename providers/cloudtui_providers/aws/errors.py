"""What AWS answers, or that it does not, as the errors by which the engine decides.

The words of AWS are passed on only where the order is at fault: those about credentials name accounts and
people, and the chain of exceptions names endpoints and arguments (`from None`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    CloudUnreachable,
    InvalidOrderError,
    MachineGone,
    NotInstalledError,
    NotPossibleError,
    ObjectChanged,
    ObjectMissing,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

CAPACITY = {
    "InsufficientInstanceCapacity", "InsufficientCapacity", "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity", "InsufficientAddressCapacity",
    "InsufficientFreeAddressesInSubnet", "SpotMaxPriceTooLow",
}  # fmt: skip
THROTTLE = {
    "RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
    "RequestThrottledException", "TooManyRequestsException", "EC2ThrottledException", "SlowDown",
    "IncorrectInstanceState",
}  # fmt: skip
QUOTA = {"MaxSpotInstanceCountExceeded", "QuotaExceededException", "ServiceQuotaExceededException"}
QUOTA_ENDING = "LimitExceeded"
AUTH = {
    "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
    "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken", "InvalidAccessKeyId",
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "OptInRequired", "PendingVerification",
    "Blocked", "InvalidToken", "RequestTimeTooSkewed",
}  # fmt: skip
PERMISSION = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "UnauthorizedAccess"}
GONE = {"InvalidInstanceID.NotFound", "IdempotentInstanceTerminated"}
MISSING_OBJECTS = {
    "NoSuchBucket": "There is no such bucket.",
    "NoSuchKey": "There is no such object.",
    "NoSuchVersion": "There is no such version of the object.",
}
PERMISSIONS = {"s3:ListObjectsV2": "s3:ListBucket", "s3:ListBuckets": "s3:ListAllMyBuckets"}
"""What IAM calls the permission of an action, where that is not the action's own name."""
OF_THE_ORDER = ("Invalid", "ParameterNotFound", "Unsupported")
BROKEN = {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "ServerInternal"}
MOST_WORDS = 300
MISSING = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
ALLOW = "Allow it in IAM; 'cloudtui provider check aws' lists all that is needed."
LOG_IN = "Set AWS_PROFILE, or run 'aws configure' or 'aws sso login', then 'cloudtui provider check aws'."
AUTH_HINTS = {
    "RequestExpired": "The clock of this machine may be wrong: AWS refuses requests that are minutes off.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong, by a quarter of an hour or more.",
    "SignatureDoesNotMatch": "The secret key does not fit the access key, or the clock here is wrong.",
    "OptInRequired": "Enable the region, or EC2, for this account in the AWS console.",
    "PendingVerification": "AWS is still verifying this account; that takes up to four hours.",
    "Blocked": "AWS has blocked this account: its support knows why.",
}
NOT_SENT = {"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
LOST = {"HTTPClientError", "IncompleteReadError", "SSLError"}
"""SSLError, too: who cuts a connection off while an answer is waited for makes one."""
NO_CREDENTIALS = {
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound",
    "SSOError", "ConfigParseError", "TokenRetrievalError", "NoAuthTokenError", "MetadataRetrievalError",
    "LoginError",
}  # fmt: skip
MALFORMED = {"ParamValidationError"}
ASK_LATER = "It is asked again. Look at the network, and at AWS's health page."


@contextmanager
def translated(action: str, *, changes: bool = False, but: Collection[str] = ()) -> Iterator[None]:
    """Around one call (or one page) of boto3: what it raises becomes one of ours.

    Args:
        action: as IAM names it: `ec2:RunInstances`.
        changes: whether it matters that it is done once; then no answer means that nobody knows.
        but: errors of AWS to pass over.
    """
    try:
        from botocore import exceptions
        from botocore.parsers import ResponseParserError
    except ImportError as error:
        raise NotInstalledError("boto3 is not installed.", "pip install 'cloudtui[aws]'") from error

    try:
        yield
    except exceptions.ClientError as error:
        if code_of(error) in but:
            return
        raise _answered(error, action, changes=changes) from None
    except exceptions.BotoCoreError as error:
        raise _unanswered(error, action, changes=changes) from None
    except ResponseParserError:
        raise _unsure(f"The answer of AWS to {action} is not whole.", changes=changes) from None


def code_of(error: ClientError) -> str:
    """AWS's own word for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(error: ClientError, action: str, *, changes: bool) -> ProviderError:
    code = code_of(error)
    words = str(error.response.get("Error", {}).get("Message", ""))[:MOST_WORDS]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    for means in (_of_the_cloud, _of_the_account, _of_an_object):
        if found := means(code, words, action):
            return found
    if code in BROKEN or status >= 500:
        return _unsure(f"Something broke inside AWS at {action} ({code}).", changes=changes)
    if changes or code.startswith(OF_THE_ORDER):
        return InvalidOrderError(f"AWS will not do {action} ({code}): {words}")
    return ProviderError(f"AWS cannot answer {action} ({code}): {words}")


def _of_the_cloud(code: str, words: str, action: str) -> ProviderError | None:
    """What lies with AWS, or with the machine."""
    if code in CAPACITY or (code == "Unsupported" and "Availability Zone" in words):
        return CapacityError(f"AWS has none of these machines there: {words}", "Another zone may have some.")
    if code in THROTTLE:
        return ThrottledError(f"AWS wants to be asked {action} later ({code}).")
    if code in GONE:
        return MachineGone("AWS knows no such machine any more.")
    return None


def _of_the_account(code: str, words: str, action: str) -> ProviderError | None:
    """What lies with who asks."""
    if code in QUOTA or code.endswith(QUOTA_ENDING):
        return QuotaError(f"The account's quota is used up: {words}", "Ask for more under Service Quotas.")
    if code in AUTH:
        return AuthError(f"AWS refuses the credentials ({code}).", AUTH_HINTS.get(code, LOG_IN))
    if code in PERMISSION:
        named = MISSING.search(words)  # one call can need more than the permission of its own name
        needed = named[1] if named else PERMISSIONS.get(action, action)
        return PermissionDenied(f"These credentials may not do {needed}.", ALLOW)
    return None


def _of_an_object(code: str, _words: str, _action: str) -> ProviderError | None:
    """What lies with an object of S3."""
    if code in MISSING_OBJECTS:
        return ObjectMissing(MISSING_OBJECTS[code])
    if code in {"PreconditionFailed", "InvalidRange"}:
        return ObjectChanged("The object is another one than it was when it was looked at.")
    if code == "InvalidObjectState":
        return NotPossibleError(
            "The object is archived and cannot be read.", "Restore it first: aws s3api restore-object"
        )
    return None


def _unanswered(error: BotoCoreError, action: str, *, changes: bool) -> ProviderError:
    kinds = {kind.__name__ for kind in type(error).__mro__}  # by name: old botocores lack some of them
    kind = type(error).__name__
    if kinds & NOT_SENT:
        return CloudUnreachable(f"AWS cannot be reached for {action}.", ASK_LATER)
    if kinds & LOST:
        return _unsure(f"The answer of AWS to {action} is lost.", changes=changes)
    if kinds & NO_CREDENTIALS:
        return AuthError(f"There are no credentials for AWS that can be used ({kind}).", LOG_IN)
    if kinds & MALFORMED:
        return InvalidOrderError(
            f"The request of {action} is not well formed ({kind}).", "This is a defect: report it."
        )
    return ProviderError(
        f"boto3 cannot do {action} ({kind}).", "Look at ~/.aws/config and the AWS_ variables."
    )


def _unsure(message: str, *, changes: bool) -> ProviderError:
    return AmbiguousError(message) if changes else CloudUnreachable(message, ASK_LATER)
