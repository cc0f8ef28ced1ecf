"""A session with this machine's host package, as the engine has one: real processes, real pipes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudtui_host
from cloudtui_host import entry, files, frames, journal, status

PACKAGE = Path(cloudtui_host.__file__).parent
SHA = "ab" * 32
BOOT = (
    "import sys, json; i = sys.stdin.buffer; header = json.loads(i.readline()); "
    "exec(compile(i.read(header['loader']), 'loader', 'exec'), {'header': header})"
)


def package_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(PACKAGE.rglob("*.py")):
            archive.write(path, f"cloudtui_host/{path.relative_to(PACKAGE)}")
    return buffer.getvalue()


class HostSaysNoError(Exception):
    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.error = error


class Lane:
    """One channel to the host package."""

    def __init__(
        self, root: Path | str, lane: str = "control", env: dict[str, str] | None = None, python: str = ""
    ) -> None:
        self.process = subprocess.Popen(
            [python or sys.executable, "-I", "-u", "-c", BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
        loader = (PACKAGE / "loader.py").read_bytes()
        packed = package_zip()
        header = {"loader": len(loader), "zip": len(packed), "sha": SHA, "root": str(root), "lane": lane}
        self.write(json.dumps(header).encode() + b"\n" + loader + packed)
        self.decoder = frames.Decoder()
        self.events: list[dict[str, Any]] = []
        self.replies: dict[int, dict[str, Any]] = {}
        self.data: list[tuple[int, int, bytes]] = []
        self.order: list[str] = []
        self.eof = False
        self._next = 0

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self, timeout: float) -> bool:
        """Take in what comes; False when nothing came in time."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            return False
        chunk = os.read(self.process.stdout.fileno(), 1 << 20)
        if not chunk:
            self.eof = True
            return False
        for kind, payload in self.decoder.feed(chunk):
            if kind == frames.DATA:
                self.data.append(frames.split_data(payload))
                self.order.append("data")
                continue
            message = json.loads(payload)
            self.order.append("message")
            if "id" in message:
                self.replies[message["id"]] = message
            else:
                self.events.append(message)
        return True

    def until(self, condition: Callable[[], Any], timeout: float = 30.0) -> Any:
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            left = deadline - time.monotonic()
            assert left > 0, f"not in {timeout} s; noise: {bytes(self.decoder.noise)!r}; {self.stderr()}"
            assert self.read(min(left, 0.05)) or not self.eof, (
                f"the host hung up: {self.decoder.noise!r} {self.stderr()}"
            )
        return found

    def stderr(self) -> str:
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        return (self.process.stderr.read() or b"").decode()

    def hello(self) -> dict[str, Any]:
        self.until(lambda: any(event["event"] == "hello" for event in self.events))
        return next(event for event in self.events if event["event"] == "hello")

    def ask(self, verb: str, **args: Any) -> int:
        self._next += 1
        self.write(frames.message({"id": self._next, "verb": verb, "args": args}))
        return self._next

    def answer(self, number: int, timeout: float = 30.0) -> dict[str, Any]:
        reply = self.until(lambda: self.replies.pop(number, None), timeout)
        if not reply["ok"]:
            raise HostSaysNoError(reply["error"])
        result: dict[str, Any] = reply["result"]
        return result

    def request(self, verb: str, **args: Any) -> dict[str, Any]:
        return self.answer(self.ask(verb, **args))

    def tell(self, verb: str, **args: Any) -> None:
        self.write(frames.message({"verb": verb, "args": args}))

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def kill(self) -> None:
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            self.close()


@contextlib.contextmanager
def session(root: Path | str, lane: str = "control", **options: Any) -> Iterator[Lane]:
    opened = Lane(root, lane, **options)
    try:
        opened.hello()
        yield opened
    finally:
        opened.close()


def wait_for(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
    """What `condition` gives once it is true."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        select.select([], [], [], 0.01)
    return found


def verb(root: Path, name: str, **args: Any) -> subprocess.Popen[bytes]:
    """One of the slow verbs, in its process, as the control lane runs it."""
    process = subprocess.Popen(
        entry.command("verbs", "main", name, str(root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(args).encode())
    process.stdin.close()
    process.stdin = None
    return process


def said(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Its answer."""
    out, _ = process.communicate(timeout=30)
    answer = json.loads(out)
    if "error" in answer:
        raise HostSaysNoError(answer["error"])
    result: dict[str, Any] = answer["result"]
    return result


def start(root: Path, job: str, attempt: int, *argv: str, **spec: Any) -> dict[str, Any]:
    """Start an attempt and tell how it stands."""
    return said(verb(root, "start", job=job, attempt=attempt, spec={"argv": argv, "sample_s": 0.2, **spec}))


def state(root: Path, job: str, attempt: int | None = None) -> str:
    return str(status.read(str(root), job, attempt)["state"])


def until_state(
    root: Path, job: str, wanted: str, attempt: int | None = None, timeout: float = 30.0
) -> dict[str, Any]:
    """The status once it is `wanted`."""
    wait_for(lambda: state(root, job, attempt) == wanted, timeout)
    return status.read(str(root), job, attempt)


def attempt_json(root: Path, job: str, name: str, attempt: int = 1) -> dict[str, Any]:
    """A JSON file of an attempt, waited for."""
    path = root / "jobs" / job / f"a{attempt:04d}" / name
    found: dict[str, Any] = wait_for(lambda: files.read_json(str(path)))
    return found


def records(path: Path) -> list[dict[str, Any]]:
    """All records of a journal; every line must be whole."""
    return [journal.decode_line(line) for line in path.read_bytes().splitlines()]
