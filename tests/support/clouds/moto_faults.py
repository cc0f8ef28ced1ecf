"""Before moto: the same faults as everywhere, told over HTTP and answered in AWS's own words."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.support.clouds.faults import Fault
from tests.support.clouds.moto_gaps import answer

ACTIONS = {
    "launch": "RunInstances",
    "terminate": "TerminateInstances",
    "machines": "DescribeInstances",
    "find": "DescribeInstances",
}
"""What the contract's methods are called there."""
ANSWERS: dict[str, tuple[int, str, str]] = {
    Fault.CAPACITY: (500, "InsufficientInstanceCapacity", "We do not have sufficient capacity in this zone."),
    Fault.QUOTA: (400, "VcpuLimitExceeded", "You have requested more vCPU capacity than your limit of 0."),
    Fault.AUTH: (401, "AuthFailure", "AWS was not able to validate the access key {key}."),
    Fault.PERMISSION: (403, "UnauthorizedOperation", "Not authorized with {key}. Encoded message: b1ob"),
    Fault.INVALID: (400, "InvalidParameterValue", "The value of a parameter is not valid."),
    Fault.THROTTLE: (503, "RequestLimitExceeded", "Request limit exceeded."),
    "state": (400, "IncorrectInstanceState", "The instance is not in a state from which it can do that."),
    Fault.BROKEN: (500, "InternalError", "An internal error has occurred."),
}
ADDRESS = "203.0.113.77"
"""From where the tests seem to ask."""
Start = Callable[..., Any]
Control = Callable[[str, dict[str, Any]], Any]
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Faulty:
    """Moto's application with faults before it.

    Args:
        moto: the application.
        control: answers what a test asks under `/fake/`.
        hide: makes the next launched instance invisible to lists.
    """

    def __init__(self, moto: App, control: Control, hide: threading.Event) -> None:
        self._moto, self._control, self._hide = moto, control, hide
        self._lock = threading.Lock()
        self.key = ""
        self.faults: list[dict[str, Any]] = []
        self.calls: dict[str, int] = {}
        self._breaks_off = False

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"]
        if path.startswith("/address"):
            return _reply(
                start, 200, f"{path.removeprefix('/address').strip('/') or ADDRESS}\n", "text/plain"
            )
        if path.startswith(("/fake/", "/imds/")):
            told = self._control(path, json.loads(body or b"{}"))
            return _reply(start, 404 if told is None else 200, json.dumps(told), "application/json")
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        action = target.rpartition(".")[2] or parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        fault = self._due(action, body)
        if fault in ANSWERS:
            return _refuse(start, ANSWERS[fault], json_protocol=bool(target), key=self.key)
        if known := answer(target, body) if target else None:
            return _reply(start, known[0], json.dumps(known[1]), "application/x-amz-json-1.1")
        if fault == Fault.INCOMPLETE:
            body = urlencode(
                {
                    **{name: one[0] for name, one in parse_qs(body.decode(errors="replace")).items()},
                    "MaxResults": 1,
                }
            ).encode()
        if fault == Fault.LATE:
            self._hide.set()
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        if fault == Fault.LOSE_ANSWER:
            list(self._moto(environ, lambda *_: None))
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return self._moto(environ, start)

    def fail(self, fault: str, on: str, times: int) -> None:
        """As `FakeCloud.fail`."""
        with self._lock:
            self.faults.append({"fault": fault, "on": ACTIONS.get(on, on), "times": times})

    def heal(self) -> None:
        """No faults any more."""
        with self._lock:
            self.faults, self._breaks_off = [], False

    def _due(self, action: str, body: bytes) -> str:
        with self._lock:
            if b"DryRun=true" not in body:
                self.calls[action] = self.calls.get(action, 0) + 1
            breaks_off, self._breaks_off = self._breaks_off and b"NextToken=" in body, False
            if breaks_off:
                return Fault.BROKEN
            found = next((one for one in self.faults if one["on"] in {"*", action}), None)
            if found is None:
                return ""
            if found["on"] != "*":
                found["times"] -= 1
                self.faults = [one for one in self.faults if one["times"] > 0]
            self._breaks_off = found["fault"] == Fault.INCOMPLETE
            return str(found["fault"])


def _refuse(
    start: Callable[..., Any], said: tuple[int, str, str], *, json_protocol: bool, key: str
) -> Iterable[bytes]:
    status, code, words = said
    words = words.format(key=key)
    if json_protocol:
        return _reply(
            start, status, json.dumps({"__type": code, "message": words}), "application/x-amz-json-1.1"
        )
    error = f"<Error><Code>{code}</Code><Message>{words}</Message></Error>"
    # EC2's shape around that of the other query protocols; each parser finds its own.
    shapes = f"<Response><Errors>{error}</Errors>{error}<RequestID>r-1</RequestID></Response>"
    return _reply(start, status, shapes, "text/xml")


def _reply(start: Start, status: int, text: str, kind: str) -> Iterable[bytes]:
    start(f"{status} X", [("Content-Type", kind), ("Content-Length", str(len(text.encode())))])
    return [text.encode()]
