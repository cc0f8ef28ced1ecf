"""AWS's words for what goes wrong, each as the error that decides."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as of
from botocore.awsrequest import AWSResponse

from cloudtui_providers import errors
from cloudtui_providers.aws import Aws
from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.aws.errors import translated
from cloudtui_providers.aws.settings import Settings
from cloudtui_providers.base import Wanted


def said(code: str, status: int = 400, message: str = "Words of AWS.") -> of.ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return of.ClientError(answer, "RunInstances")


def becomes(error: Exception, *, changes: bool) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as raised, translated("ec2:RunInstances", changes=changes):
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("code", "status", "means"),
    [
        ("InsufficientInstanceCapacity", 500, errors.CapacityError),
        ("SpotMaxPriceTooLow", 400, errors.CapacityError),
        ("VcpuLimitExceeded", 400, errors.QuotaError),
        ("MaxSpotInstanceCountExceeded", 400, errors.QuotaError),
        ("RequestLimitExceeded", 503, errors.ThrottledError),
        ("IncorrectInstanceState", 400, errors.ThrottledError),
        ("RequestExpired", 400, errors.AuthError),
        ("OptInRequired", 401, errors.AuthError),
        ("UnauthorizedOperation", 403, errors.PermissionDenied),
        ("InvalidInstanceID.NotFound", 400, errors.MachineGone),
        ("IdempotentParameterMismatch", 400, errors.InvalidOrderError),
        ("InternalError", 500, errors.AmbiguousError),
        ("SomethingNew", 503, errors.AmbiguousError),
        ("SomethingNew", 400, errors.InvalidOrderError),
    ],
)
def test_a_refused_launch(code: str, status: int, means: type[errors.ProviderError]) -> None:
    assert type(becomes(said(code, status), changes=True)) is means


def test_a_type_that_a_zone_lacks_is_a_matter_of_the_zone() -> None:
    words = (
        "Your requested instance type (p4d.24xlarge) is not supported in your requested Availability Zone."
    )
    assert type(becomes(said("Unsupported", 400, words), changes=True)) is errors.CapacityError
    other = becomes(said("Unsupported", 400, "The image has another architecture."), changes=True)
    assert type(other) is errors.InvalidOrderError


@pytest.mark.parametrize(
    ("error", "asked", "changed"),
    [
        (of.EndpointConnectionError(endpoint_url="x"), errors.CloudUnreachable, errors.CloudUnreachable),
        (of.ConnectTimeoutError(endpoint_url="x"), errors.CloudUnreachable, errors.CloudUnreachable),
        (of.ReadTimeoutError(endpoint_url="x"), errors.CloudUnreachable, errors.AmbiguousError),
        (of.ConnectionClosedError(endpoint_url="x"), errors.CloudUnreachable, errors.AmbiguousError),
        (
            of.SSLError(endpoint_url="x", error="EOF occurred in violation of protocol"),
            errors.CloudUnreachable,
            errors.AmbiguousError,
        ),
        (of.NoCredentialsError(), errors.AuthError, errors.AuthError),
        (of.UnauthorizedSSOTokenError(), errors.AuthError, errors.AuthError),
        (
            of.ParamValidationError(report="UserData: s3cret"),
            errors.InvalidOrderError,
            errors.InvalidOrderError,
        ),
    ],
)
def test_no_answer_is_told_by_whether_anything_was_sent(
    error: Exception, asked: type[errors.ProviderError], changed: type[errors.ProviderError]
) -> None:
    assert type(becomes(error, changes=False)) is asked
    assert type(becomes(error, changes=True)) is changed


def test_what_names_people_and_endpoints_is_not_passed_on() -> None:
    arn = (
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ec2:CreateTags on resource: x"
    )
    denied = becomes(said("UnauthorizedOperation", 403, arn), changes=True)
    assert "ec2:CreateTags" in denied.message, "not the call's own, but the permission that was missing"
    assert "123456789012" not in f"{denied.message}{denied.hint}"
    assert denied.__suppress_context__
    assert "s3cret" not in becomes(of.ParamValidationError(report="UserData: s3cret"), changes=True).message


def test_without_credentials_and_without_boto3_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    provider = Aws(Settings(endpoint="http://127.0.0.1:9"))
    with pytest.raises(errors.AuthError, match="no credentials"):
        provider.regions()
    (missing,) = provider.check()
    assert (missing.ok, "aws configure" in missing.hint) == (False, True)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(errors.NotInstalledError) as raised:
        Aws(Settings()).offers(Wanted())
    assert raised.value.hint == "pip install 'cloudtui[aws]'"


def test_credentials_that_were_mended_count_at_the_next_question(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An engine lives for days, and keys that somebody pastes into the file for hours."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def paste(key: str) -> None:
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s3cret\n")

    def answer(request: Any, **_: Any) -> Any:
        seen.append(request.headers["Authorization"])
        code = "RequestExpired" if b"OLD" in seen[-1] else "RequestLimitExceeded"
        body = f"<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>".encode()
        return AWSResponse("http://127.0.0.1:9", 400, {}, RawResponse(body))

    seen: list[bytes] = []
    monkeypatch.setattr("cloudtui_providers.aws.clients.FRESH_S", 0.0)
    paste("AKIAOLD")
    clients = Clients("http://127.0.0.1:9")
    clients.default_region()
    clients._opened().events.register("before-send.ec2", answer)
    with pytest.raises(errors.AuthError):
        clients.ask("us-east-1", "ec2:DescribeRegions")
    paste("AKIANEW")
    clients._opened().events.register("before-send.ec2", answer)
    with pytest.raises(errors.ThrottledError):
        clients.ask("us-east-1", "ec2:DescribeRegions")
    assert [b"AKIANEW" in one for one in seen] == [False, True]


class RawResponse(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()
