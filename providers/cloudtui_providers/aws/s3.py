"""S3 as a store of objects: read with the credentials that boto3 finds, public buckets without any.

A bucket in another region than the usual one is found by boto3 itself, which follows S3's redirect. Not
s3transfer: its downloads begin anew after a cut, and what is promised here is that they go on.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.base import Check
from cloudtui_providers.errors import NotPossibleError, ObjectChanged, ObjectMissing, PermissionDenied
from cloudtui_providers.stores import ObjectStore, StoredObject

GET = "s3:GetObject"
LIST = "s3:ListObjectsV2"
PERMISSION_TO_LIST = "s3:ListBucket"
BUCKET = "CLOUDTUI_S3_BUCKET"
PIECE = 1 << 18
MAY_BE_MISSING = (
    "Allow it in IAM, for the bucket and its objects. "
    "Without s3:ListBucket S3 says the same of what is not there."
)


class S3(ObjectStore):
    """Buckets of S3, or of what speaks like it at AWS_ENDPOINT_URL_S3."""

    scheme: ClassVar[str] = "s3"
    title: ClassVar[str] = "S3"

    def __init__(self, clients: Clients | None = None) -> None:
        self._clients = clients or Clients()

    def find(self, bucket: str, key: str) -> StoredObject:
        """By reading its first byte: the answer to a HEAD has no words for why not."""
        try:
            answer = self._got(bucket, key, Range="bytes=0-0")
        except ObjectChanged:
            answer = self._got(bucket, key)  # an empty one has no first byte
        answer["Body"].close()
        return StoredObject(key, _size(answer), str(answer["ETag"]), _version(answer))

    def below(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """A thousand a page; lists tell no versions."""
        with _named(bucket):
            region = self._clients.default_region()
            for page in self._clients.pages(region, LIST, Bucket=bucket, Prefix=prefix):
                for one in page.get("Contents", ()):
                    yield StoredObject(str(one["Key"]), int(one["Size"]), str(one["ETag"]))

    def read(self, bucket: str, found: StoredObject, start: int) -> Generator[bytes, None, None]:
        """By If-Match, so that nothing of another state is ever read."""
        asked = {"IfMatch": found.tag} | ({"Range": f"bytes={start}-"} if start else {})
        answer = self._got(bucket, found.key, **asked)
        yield from self._clients.pieces(GET, answer["Body"], PIECE)

    def check(self) -> list[Check]:
        """By listing one bucket and beginning to read one object: S3 knows no dry run."""
        return checks(self, self._clients)

    def _got(self, bucket: str, key: str, **asked: Any) -> dict[str, Any]:
        with _named(bucket, key):
            return self._clients.ask(self._clients.default_region(), GET, Bucket=bucket, Key=key, **asked)


def checks(store: S3, clients: Clients) -> list[Check]:
    """Which permissions there are, on the bucket of CLOUDTUI_S3_BUCKET or the first one that is listed."""
    if not clients.has_credentials():
        return [Check("credentials", True, "No credentials were found: public buckets alone can be read.")]
    try:
        bucket = os.environ.get(BUCKET) or _first_bucket(clients)
    except PermissionDenied:
        text = "Not known: these credentials may not list the account's buckets."
        return [Check(PERMISSION_TO_LIST, True, text, f"Name one to look at: {BUCKET}")]
    if not bucket:
        return [Check(PERMISSION_TO_LIST, True, "The account has no bucket to look at.")]
    try:
        first = next(store.below(bucket, ""), None)
    except PermissionDenied as error:
        return [Check(PERMISSION_TO_LIST, False, error.message, error.hint)]
    found = [Check(PERMISSION_TO_LIST, True, f"{PERMISSION_TO_LIST} is allowed on {bucket}.")]
    if first is not None:
        found.append(_may_read(store, bucket, first))
    return found


def _first_bucket(clients: Clients) -> str:
    listed = clients.ask(clients.default_region(), "s3:ListBuckets").get("Buckets", [])
    return str(listed[0]["Name"]) if listed else ""


def _may_read(store: S3, bucket: str, found: StoredObject) -> Check:
    try:
        store.find(bucket, found.key)
    except PermissionDenied as error:
        return Check(GET, False, error.message, error.hint)
    except (ObjectMissing, NotPossibleError):
        pass  # gone since, or archived: the permission is looked at before that
    return Check(GET, True, f"{GET} is allowed on {bucket}.")


@contextmanager
def _named(bucket: str, key: str = "") -> Iterator[None]:
    """Say of what is missing or refused where that is."""
    where = f"s3://{bucket}/{key}"
    try:
        yield
    except ObjectMissing as error:
        raise ObjectMissing(f"{error.message.removesuffix('.')}: {where}", error.hint) from None
    except PermissionDenied as error:
        raise PermissionDenied(f"{error.message.removesuffix('.')} on {where}", MAY_BE_MISSING) from None


def _size(answer: Mapping[str, Any]) -> int:
    """Of the whole object, of which a part may have been asked for."""
    _, _, whole = str(answer.get("ContentRange") or "").rpartition("/")
    return int(whole) if whole.isdigit() else int(answer["ContentLength"])


def _version(answer: Mapping[str, Any]) -> str:
    """Buckets that never kept versions call theirs `null`."""
    version = str(answer.get("VersionId") or "")
    return "" if version == "null" else version
