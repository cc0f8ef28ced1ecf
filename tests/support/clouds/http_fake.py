"""A cloud of the kind that is asked in JSON over HTTP, on loopback and in this process.

Each request is held against the vendor's published schema before it is looked at (`Operation`), and each
answer that is given, too; a request outside of it fails the test that made it. Faults as everywhere.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from tests.support.clouds.faults import Fault, Orders

Schema = Mapping[str, Any]
Reply = tuple[int, Any]
"""Status and JSON; None is an empty body, bytes are sent as they are."""
Handler = Callable[..., Reply]
FIXED = {"_key", "_lock", "_port", "_server", "credentials", "environment", "provider", "wrong"}
"""What is no part of its books."""
LOOKS = {"machines", "find"}


@dataclass(frozen=True)
class Operation:
    """One operation of the vendor's API."""

    called: str
    """The contract's method, or a name of its own."""
    method: str
    path: str
    """A pattern; its groups are the handler's first arguments."""
    body: Schema | None = None
    """None: it takes none."""
    query: Schema = field(default_factory=lambda: {"additionalProperties": False})
    answer: Schema = field(default_factory=dict)
    """Of success."""


def thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of an object with these fields and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


class HttpFake(Orders, ABC):
    """A server that answers by its handlers, `_<called>`, and fails as it is told.

    Args:
        key: the one that it lets in.
    """

    operations: ClassVar[Sequence[Operation]] = ()
    answers: ClassVar[Mapping[str, Reply]] = {}
    """In the vendor's words, by fault; `{key}` in them is the key."""
    headers: ClassVar[Mapping[int, Mapping[str, str]]] = {}
    """By status."""
    address = "198.51.100.2"
    """Of every machine."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.moves = False
        """Each look lets what is under way come to its end, as time would."""
        self.most: int | None = None
        """So many machines are to be had, and no more."""
        self._lock = threading.RLock()
        self._faults: list[dict[str, Any]] = []
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.calls: Counter[str] = Counter()
        self.wrong: list[str] = []
        """Requests and answers that the schema does not know."""
        self._listen()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        """Let no thread of it be left, and say what was wrong."""
        self._hang_up()
        assert self.wrong == [], self.wrong[:5]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fail(self, fault: Fault, on: str = "launch", times: int = 1) -> None:
        """As `FakeCloud.fail`. Unreachable is unreachable for all, until `heal`."""
        if fault is Fault.UNREACHABLE:
            self._hang_up()
            return
        with self._lock:
            self._faults.append({"fault": fault, "on": on, "times": times})

    def heal(self) -> None:
        with self._lock:
            self._faults = []
        if self._server is None:
            self._listen()

    def keep(self) -> dict[str, Any]:
        """Its books as they are now, for `restore`."""
        with self._lock:
            return deepcopy({name: value for name, value in vars(self).items() if name not in FIXED})

    def restore(self, kept: Mapping[str, Any]) -> None:
        with self._lock:
            vars(self).update(deepcopy(dict(kept)))

    @abstractmethod
    def count(self) -> int:
        """As `FakeCloud.count`."""

    @abstractmethod
    def settle(self) -> None:
        """As `FakeCloud.settle`."""

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """The answer to a request; None: it was carried out, and nobody is told."""
        if target == "/address":
            return 200, b"198.51.100.7"
        parts = urlsplit(target)
        with self._lock:
            operation, groups = self._operation(method, parts.path)
            told = json.loads(body) if body else None
            query = dict(parse_qsl(parts.query))
            self._hold(f"{method} {parts.path}", operation, told, query, body)
            self.calls[operation.called] += 1
            if headers.get("Authorization") != f"Bearer {self._key}":
                return self._told(Fault.AUTH)
            fault = self._due(operation.called)
            if fault in self.answers:
                return self._told(fault)
            answer = self._carry_out_or_full(operation, groups, told, query, fault)
            if self.moves and operation.called in LOOKS:
                self.settle()
            return None if fault == Fault.LOSE_ANSWER else answer

    # -- parts

    def _carry_out_or_full(
        self, operation: Operation, groups: Sequence[str], body: Any, query: dict[str, str], fault: str
    ) -> Reply:
        """A machine too many is refused; one that is there already is none."""
        before = self.keep() if self.most is not None and operation.called == "launch" else None
        answer = self._carry_out(operation, groups, body, query, fault)
        if before is None or self.count() <= (self.most or 0):
            return answer
        self.restore(before)
        if Fault.CAPACITY in self.answers:
            return self._told(Fault.CAPACITY)
        return self._carry_out(operation, groups, body, query, Fault.CAPACITY)

    def _carry_out(
        self, operation: Operation, groups: Sequence[str], body: Any, query: dict[str, str], fault: str
    ) -> Reply:
        handler: Handler = getattr(self, f"_{operation.called}")
        status, answer = handler(*groups, body=body, query=query, fault=fault)
        if status < 300:
            self._check(f"answer of {operation.called}", operation.answer, answer)
        return status, answer

    def _operation(self, method: str, path: str) -> tuple[Operation, Sequence[str]]:
        for one in self.operations:
            found = re.fullmatch(one.path, path)
            if found and one.method == method:
                return one, found.groups()
        self.wrong.append(f"There is no {method} {path}.")
        raise AssertionError(self.wrong[-1])

    def _hold(self, what: str, operation: Operation, body: Any, query: dict[str, str], raw: bytes) -> None:
        self._check(f"query of {what}", operation.query, query)
        if operation.body is None:
            self._check(f"body of {what}", {"const": ""}, raw.decode())
        else:
            self._check(f"body of {what}", operation.body, body)

    def _check(self, what: str, schema: Schema, value: Any) -> None:
        validator = Draft202012Validator(dict(schema))
        self.wrong += [f"{what}: {error.json_path} {error.message}" for error in validator.iter_errors(value)]

    def _told(self, fault: str) -> Reply:
        status, body = self.answers[fault]
        if isinstance(body, bytes):
            return status, body
        return status, json.loads(json.dumps(body).replace("{key}", self._key))

    def _due(self, called: str) -> str:
        found = next((one for one in self._faults if one["on"] in {"*", called}), None)
        if found is None:
            return ""
        if found["on"] != "*":
            found["times"] -= 1
            self._faults = [one for one in self._faults if one["times"] > 0]
        return str(found["fault"])

    def _listen(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked was killed: no matter."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(fake: HttpFake) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        """One request a connection: a server that hangs up is then met by nobody's kept connection."""

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                return  # who asked was killed meanwhile
            reply = fake.handle(self.command, self.path, self.headers, body)
            if reply is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, told = reply
            content = told if isinstance(told, bytes) else b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            for name, value in fake.headers.get(status, {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handling
