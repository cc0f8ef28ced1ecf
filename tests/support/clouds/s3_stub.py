"""S3 on loopback in the test's own process: objects, lists by page, and what moto does not do.

It refuses, moves buckets to other regions, changes objects while they are read, and cuts answers off, in S3's
own words.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

KEY = "AKIA7CANARY7ACCESS77"
SECRET = "canary-secret-access-key-31c9"
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/s3/aws4_request")


@dataclass
class S3Stub:
    """What it holds, what it was asked, and how it misbehaves."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    """Buckets that answer to requests signed for this region alone; others take any."""
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and code by what is asked: `get` or `list`."""
    public: bool = True
    """Whether who does not sign is answered."""
    cut_after: list[int] = field(default_factory=list)
    """After so many bytes each of the next bodies is cut off."""
    page: int = 1000
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """What, where, and the range."""

    def __enter__(self) -> S3Stub:
        stub = self

        class Handler(_Handler):
            pass

        Handler.stub = stub
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(20)

    def reset(self) -> None:
        """As new."""
        for name, value in S3Stub().__dict__.items():
            setattr(self, name, value)

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs to find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def tag(content: bytes) -> str:
    """The ETag."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


class _Handler(BaseHTTPRequestHandler):
    stub: S3Stub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        what = "get" if key else "list"
        self.stub.asked.append((what, f"{bucket}/{key}", self.headers.get("Range", "")))
        signed = _SCOPE.search(self.headers.get("Authorization", ""))
        home = self.stub.regions.get(bucket)
        if home and (signed is None or signed[1] != home):
            self._refuse(301, "PermanentRedirect", {"x-amz-bucket-region": home})
        elif not signed and not self.stub.public:
            self._refuse(403, "AccessDenied")
        elif what in self.stub.refuses:
            self._refuse(*self.stub.refuses[what])
        elif not bucket:
            held = {one for one, _ in self.stub.objects}
            names = "".join(f"<Bucket><Name>{one}</Name></Bucket>" for one in held)
            text = f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>"
            self._answer(200, text.encode(), {})
        elif bucket not in {held for held, _ in self.stub.objects}:
            self._refuse(404, "NoSuchBucket")
        elif key:
            self._object(bucket, key)
        else:
            self._list(bucket, {name: one[0] for name, one in parse_qs(url.query).items()})

    do_HEAD = do_GET  # noqa: N815 - the library

    def _object(self, bucket: str, key: str) -> None:
        content = self.stub.objects.get((bucket, key))
        if content is None:
            self._refuse(404, "NoSuchKey")
            return
        if self.headers.get("If-Match", tag(content)) != tag(content):
            self._refuse(412, "PreconditionFailed")
            return
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        end = int(asked[2]) + 1 if asked and asked[2] else len(content)
        if asked and start >= len(content):
            self._refuse(416, "InvalidRange")
            return
        body = content[start:end]
        said = {"ETag": tag(content), "x-amz-version-id": f"v{len(content)}"}
        if asked:
            said["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{len(content)}"
        # What is only looked at has no header If-Match.
        cut = self.stub.cut_after.pop(0) if self.stub.cut_after and "If-Match" in self.headers else None
        self._answer(206 if asked else 200, body[:cut], said, length=len(body))
        if cut is not None:
            self.close_connection = True

    def _list(self, bucket: str, asked: dict[str, str]) -> None:
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        keys = sorted(key for held, key in self.stub.objects if held == bucket and key.startswith(prefix))
        left = [key for key in keys if key > unquote(after)]
        rows = "".join(
            f"<Contents><Key>{quote(key)}</Key><Size>{len(self.stub.objects[bucket, key])}</Size>"
            f"<ETag>{escape(tag(self.stub.objects[bucket, key]))}</ETag></Contents>"
            for key in left[: self.stub.page]
        )
        more = len(left) > self.stub.page
        token = quote(left[self.stub.page - 1]) if more else ""
        text = (
            f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{rows}" + (f"<NextContinuationToken>{token}</NextContinuationToken>" if more else "")
        )
        self._answer(200, f"{text}</ListBucketResult>".encode(), {})

    def _refuse(self, status: int, code: str, said: dict[str, str] | None = None) -> None:
        words = f"<Error><Code>{code}</Code><Message>No. {KEY}</Message></Error>"
        self._answer(status, words.encode(), said or {})

    def _answer(self, status: int, body: bytes, said: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body) if length is None else length), **said}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):  # who only looks, hangs up
                self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass
