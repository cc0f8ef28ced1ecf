"""Addresses in stores of objects: `s3://bucket/key` for one, `s3://bucket/folder/` for all below."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudtui_engine.errors import UsageError
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers import registry

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<bucket>[^/]*)/?(?P<key>.*)", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
_ELSEWHERE = frozenset({"http", "https", "ftp", "file"})
"""Schemes of no store; what is said of them is the datasets' affair."""
_LONGEST = 1024
"""Bytes of a key, as S3 has it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where objects are. Printed, it is what a person typed, made safe to show."""

    scheme: str
    bucket: str
    key: str
    """Empty: the whole bucket. With `/` at its end: all that begins so."""

    @property
    def is_folder(self) -> bool:
        """It can be no single object."""
        return not self.key or self.key.endswith("/")

    def __str__(self) -> str:
        return clean_line(f"{self.scheme}://{self.bucket}/{self.key}", 300)


def parse(source: str) -> Address | None:
    """The address that a source is; None: it is none, but a path, a built-in name or a web page.

    Raises:
        UsageError: it looks like one, and no store here has such addresses, or it holds what it must not.
    """
    match = _ADDRESS.fullmatch(source)
    if match is None or match["scheme"].lower() in _ELSEWHERE:
        return None
    scheme, bucket, key = match["scheme"].lower(), match["bucket"], match["key"]
    example = f"{scheme}://bucket/table.csv, or {scheme}://bucket/folder/"
    if bucket.startswith("arn:"):
        raise UsageError(
            "An access point is not read by its ARN here.",
            "Give its alias, which stands for a bucket's name.",
        )
    if "@" in bucket or ":" in bucket:
        # What stands before an @ may be a secret, so none of it is repeated.
        raise UsageError(
            "Credentials and ports do not belong into an address of objects.",
            f"Give it as {example}; credentials come from the cloud's usual places, AWS_PROFILE for one.",
        )
    if scheme not in registry.schemes():
        known = ", ".join(f"{one}://" for one in registry.schemes()) or "none is installed"
        raise UsageError(f"Nothing here reads {clean_line(scheme, 40)}:// addresses.", f"Stores: {known}.")
    if not _BUCKET.fullmatch(bucket) or len(key.encode(errors="surrogateescape")) > _LONGEST:
        raise UsageError(f"{clean_line(source, 120)} names no bucket.", f"For example: {example}")
    return Address(scheme, bucket, key)
