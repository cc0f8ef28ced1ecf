"""S3 before a stub: what it is asked, what its refusals mean, and objects read from where they were left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.providers.store_contract import OBJECTS, Held, StoreContract
from tests.support.clouds.s3_stub import KEY, SECRET, S3Stub, tag

from cloudtui_providers import times
from cloudtui_providers.aws.s3 import S3
from cloudtui_providers.errors import (
    AuthError,
    CloudUnreachable,
    NotInstalledError,
    NotPossibleError,
    ObjectMissing,
    PermissionDenied,
)
from cloudtui_providers.stores import StoredObject

CONTENT = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[S3Stub, S3]]:
    """Client and server for all: a client of boto3 takes a third of a second to make."""
    with S3Stub() as stub, pytest.MonkeyPatch.context() as patched:
        for name, value in stub.environment.items():
            patched.setenv(name, value)
        yield stub, S3()


@pytest.fixture
def stub(running: tuple[S3Stub, S3]) -> S3Stub:
    running[0].reset()
    running[0].objects["data", "a/b.csv"] = CONTENT
    return running[0]


@pytest.fixture
def store(running: tuple[S3Stub, S3], stub: S3Stub) -> S3:
    return running[1]


def whole(store: S3, found: StoredObject, start: int = 0) -> bytes:
    return b"".join(store.read("data", found, start))


class TestS3(StoreContract):
    @pytest.fixture
    def held(self, stub: S3Stub, store: S3) -> Held:
        stub.objects = {("b", key): content for key, content in OBJECTS.items()}
        return Held(
            store, lambda key, content: stub.objects.update({("b", key): content}), stub.cut_after.append
        )


def test_an_object_says_its_version_and_is_asked_for_from_a_byte_on(stub: S3Stub, store: S3) -> None:
    found = store.find("data", "a/b.csv")
    assert found == StoredObject("a/b.csv", len(CONTENT), tag(CONTENT), f"v{len(CONTENT)}")
    assert whole(store, found, 1000) == CONTENT[1000:]
    assert stub.asked[-1] == ("get", "data/a/b.csv", "bytes=1000-")


def test_a_look_reads_a_byte_and_of_an_empty_one_none(stub: S3Stub, store: S3) -> None:
    stub.objects["data", "empty"] = b""
    assert store.find("data", "a/b.csv").size == len(CONTENT)
    assert stub.asked == [("get", "data/a/b.csv", "bytes=0-0")]
    assert store.find("data", "empty").size == 0


def test_a_prefix_is_listed_to_its_last_page_whatever_keys_hold(stub: S3Stub, store: S3) -> None:
    stub.page = 7
    odd = ["x/../../up", "x/a b", "x/ä\n\x1b[31m", "x//y"]
    keys = [*odd, *(f"x/{number:03}" for number in range(40))]
    stub.objects |= {("data", key): key.encode() for key in keys}
    assert [one.key for one in store.below("data", "x/")] == sorted(keys)
    assert list(store.below("data", "none/")) == []


def test_a_bucket_in_another_region_is_found(stub: S3Stub) -> None:
    stub.regions["data"] = "eu-central-1"
    store = S3()
    assert whole(store, store.find("data", "a/b.csv")) == CONTENT
    assert [one.key for one in S3().below("data", "a/")] == ["a/b.csv"]


@pytest.mark.parametrize(
    ("what", "said", "raised", "words"),
    [
        ("get", (403, "AccessDenied"), PermissionDenied, "s3:GetObject on s3://data/a/b.csv"),
        ("list", (403, "AccessDenied"), PermissionDenied, "s3:ListBucket on s3://data/"),
        ("get", (403, "InvalidAccessKeyId"), AuthError, "InvalidAccessKeyId"),
        ("get", (400, "ExpiredToken"), AuthError, "ExpiredToken"),
        ("get", (403, "RequestTimeTooSkewed"), AuthError, "RequestTimeTooSkewed"),
        ("get", (403, "InvalidObjectState"), NotPossibleError, "archived"),
        ("get", (404, "NoSuchKey"), ObjectMissing, "s3://data/a/b.csv"),
        ("list", (404, "NoSuchBucket"), ObjectMissing, "no such bucket: s3://data/"),
        ("get", (503, "SlowDown"), Exception, "later"),
    ],
)
def test_what_is_refused_is_named_and_tells_no_secret(
    stub: S3Stub, store: S3, what: str, said: tuple[int, str], raised: type[Exception], words: str
) -> None:
    stub.refuses[what] = said
    with pytest.raises(raised) as caught:
        store.find("data", "a/b.csv") if what == "get" else list(store.below("data", ""))
    assert words in str(caught.value)
    told = f"{caught.value} {getattr(caught.value, 'hint', '')} {caught.value.__cause__}"
    assert KEY not in told
    assert SECRET not in told


def test_without_credentials_a_public_bucket_is_read_and_another_says_what_is_missing(
    stub: S3Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    assert whole(S3(), S3().find("data", "a/b.csv")) == CONTENT
    stub.public = False
    with pytest.raises(AuthError, match="no credentials") as raised:
        S3().find("data", "a/b.csv")
    assert "aws configure" in raised.value.hint


def test_no_network_and_no_library_are_told_apart(stub: S3Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(CloudUnreachable):
        S3().find("data", "a/b.csv")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(NotInstalledError, match="boto3") as raised:
        S3().find("data", "a/b.csv")
    assert raised.value.hint == "pip install 'cloudtui[aws]'"


def test_a_check_names_the_permission_that_is_missing(
    stub: S3Stub, store: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDTUI_S3_BUCKET", "data")
    assert [(one.name, one.ok) for one in store.check()] == [("s3:ListBucket", True), ("s3:GetObject", True)]
    stub.refuses["get"] = (403, "AccessDenied")
    assert [one.name for one in store.check() if not one.ok] == ["s3:GetObject"]
    stub.refuses["list"] = (403, "AccessDenied")
    (refused,) = store.check()
    assert (refused.name, refused.ok) == ("s3:ListBucket", False)
    assert "IAM" in refused.hint


def test_a_check_without_a_bucket_says_so(stub: S3Stub, store: S3) -> None:
    stub.refuses["list"] = (403, "AccessDenied")
    (unknown,) = store.check()
    assert unknown.ok
    assert "CLOUDTUI_S3_BUCKET" in unknown.hint


def test_what_time_an_s3_has_is_no_word_of_aws(store: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be somebody's own, with a wrong clock: the deadlines of machines hang on that word."""
    monkeypatch.setattr(times, "_newest", {})
    store.find("data", "a/b.csv")
    list(store.below("data", ""))
    assert times.told("aws") is None
