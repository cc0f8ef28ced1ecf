"""What a machine of each cloud can ask about itself, on loopback: as the vendors' pages have it.

with Metadata("gcp") as there:
    monkeypatch.setenv("CLOUDTUI_IMDS", there.address)
    there.tell(30.0)   # from now on it is said to be taken back
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

NAME = "cloudtui-box-1"
TOKEN = "a-token-of-the-machine=="
Reply = tuple[int, str]
Hostile = Callable[[BaseHTTPRequestHandler], None]


class Metadata:
    """The service of one machine.

    Args:
        cloud: whose.
    """

    def __init__(self, cloud: str) -> None:
        self.looks = 0
        """How often the question for a notice was asked as it has to be."""
        self.refused: list[str] = []
        """What was asked otherwise."""
        self.hostile: list[Hostile] = []
        """What the next questions get instead of an answer, one each."""
        self.until: float | None = None
        self._answer: Callable[..., Reply] = getattr(self, f"_{cloud}")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def tell(self, in_s: float) -> None:
        """The machine is taken back in so many seconds."""
        self.until = time.time() + in_s

    def reply(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(target)
        status, text = self._answer(method, parts.path, parse_qs(parts.query), headers)
        if status not in {200, 404}:
            self.refused.append(f"{status} {method} {target}")
        return status, text

    def _aws(self, method: str, path: str, _: object, headers: Mapping[str, str]) -> Reply:
        if path == "/latest/api/token":
            is_asked = method == "PUT" and headers["X-aws-ec2-metadata-token-ttl-seconds"]
            return (200, TOKEN) if is_asked else (400, "Bad Request")
        if headers["X-aws-ec2-metadata-token"] != TOKEN:
            return 401, "Unauthorized"
        return self._look(
            path == "/latest/meta-data/spot/instance-action",
            lambda at: json.dumps({"action": "terminate", "time": _utc(at)}),
        )

    def _gcp(self, _: object, path: str, __: object, headers: Mapping[str, str]) -> Reply:
        if headers["Metadata-Flavor"] != "Google" or headers["X-Forwarded-For"]:
            return 403, "<!DOCTYPE html><title>Error 403 (Forbidden)!!1</title>"
        if path != "/computeMetadata/v1/instance/preempted":
            return 404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>"
        self.looks += 1
        return 200, "FALSE" if self.until is None else "TRUE"

    def _azure(
        self, _: object, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str]
    ) -> Reply:
        if headers["Metadata"] != "true" or headers["X-Forwarded-For"]:
            return 400, json.dumps({"error": "Bad request. Required metadata header not specified"})
        if not query.get("api-version"):
            told = "Bad request. api-version was not specified in the request"
            return 400, json.dumps({"error": told, "newest-versions": ["2021-12-13"]})
        if path == "/metadata/instance/compute/name" and query.get("format") == ["text"]:
            return 200, NAME
        if path != "/metadata/scheduledevents":
            return 404, json.dumps({"error": "Not found"})
        self.looks += 1
        other = _event("Reboot", ["another"], time.time() + 900)
        events = (
            [other]
            if self.until is None
            else [other, _event("Preempt", ["another", NAME.upper()], self.until)]
        )
        return 200, json.dumps({"DocumentIncarnation": len(events), "Events": events})

    def _alibaba(self, method: str, path: str, _: object, headers: Mapping[str, str]) -> Reply:
        """In its hardened mode, which a machine may be set to."""
        if path == "/latest/api/token":
            is_asked = method == "PUT" and headers["X-aliyun-ecs-metadata-token-ttl-seconds"]
            return (200, TOKEN) if is_asked else (400, "Bad Request")
        if headers["X-aliyun-ecs-metadata-token"] != TOKEN:
            return 403, "<html><title>403 Forbidden</title></html>"
        return self._look(path == "/latest/meta-data/instance/spot/termination-time", _utc)

    def _look(self, is_asked: bool, told: Callable[[float], str]) -> Reply:
        self.looks += is_asked
        if not is_asked or self.until is None:
            return 404, '<?xml version="1.0"?><html><title>404 - Not Found</title></html>'
        return 200, told(self.until)


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _event(kind: str, whose: list[str], at: float) -> dict[str, Any]:
    return {
        "EventId": "602d9444-d2cd-49c7-8624-8643e7171297", "EventType": kind, "EventStatus": "Scheduled",
        "ResourceType": "VirtualMachine", "Resources": whose, "NotBefore": formatdate(at, usegmt=True),
        "Description": "", "EventSource": "Platform", "DurationInSeconds": -1,
    }  # fmt: skip


def _handler(there: Metadata) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        def _any(self) -> None:
            if there.hostile:
                there.hostile.pop(0)(self)
                return
            status, text = there.reply(self.command, self.path, self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = _any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handling
