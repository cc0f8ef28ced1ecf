"""S3 as a store of objects: read with the credentials that boto3 finds, public buckets without any.

A bucket in another region than the usual one is found by boto3 itself, which follows S3's redirect. Not
s3transfer: its downloads begin anew after a cut, and what is promised here is that they go on.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.errors import ObjectMissing, PermissionDenied
from cloudtui_providers.stores import ObjectStore, StoredObject

GET = "s3:GetObject"
LIST = "s3:ListObjectsV2"
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
        """By beginning to read it: the answer to a HEAD has no words for why not."""
        answer = self._got(bucket, key)
        answer["Body"].close()
        return StoredObject(key, int(answer["ContentLength"]), str(answer["ETag"]), _version(answer))

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

    def _got(self, bucket: str, key: str, **asked: Any) -> dict[str, Any]:
        with _named(bucket, key):
            return self._clients.ask(self._clients.default_region(), GET, Bucket=bucket, Key=key, **asked)


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


def _version(answer: Mapping[str, Any]) -> str:
    """Buckets that never kept versions call theirs `null`."""
    version = str(answer.get("VersionId") or "")
    return "" if version == "null" else version
