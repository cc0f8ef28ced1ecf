"""What clouds over HTTP have in common: keys, marks in names, and what an answer, or none, means."""

from __future__ import annotations

import http.server
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from tests.support.clouds.faults import Fault
from tests.support.clouds.http_fake import HttpFake, Operation, Reply
from tests.support.clouds.lambda_fake import FakeLambda
from tests.support.clouds.runpod_fake import FakeRunPod
from tests.support.clouds.vast_fake import FakeVast

from cloudtui_providers import errors, keys, marks, times
from cloudtui_providers.alibaba.service import Api
from cloudtui_providers.alibaba.settings import Settings as AlibabaSettings
from cloudtui_providers.azure.service import Resources
from cloudtui_providers.base import LAUNCH_TAG, NAME_TAG, OWNER_TAG, Order
from cloudtui_providers.gcp.service import Compute
from cloudtui_providers.lambda_labs import Lambda
from cloudtui_providers.rest import Rest, Service
from cloudtui_providers.vast import Vast
from cloudtui_providers.vast.machines import pages as vast_pages

KEY = "canary-key-77"
ONLY_NAMED = [{"name": "cloudtui-a-b-1", "label": "cloudtui-a-b-1"}]
MARKED = {"pods": ONLY_NAMED, "instances": ONLY_NAMED, "data": ONLY_NAMED}


class Echo(HttpFake):
    """Answers with what the test has put there."""

    operations = (Operation("thing", "GET", "/thing"), Operation("make", "POST", "/thing", body={}))
    headers: ClassVar[dict[int, dict[str, str]]] = {429: {"Retry-After": "7"}, 430: {"Retry-After": "soon"}}
    reply: Reply = (200, {"well": True})

    def _thing(self, **_: Any) -> Reply:
        return self.reply

    _make = _thing

    def count(self) -> int:
        return 0

    def settle(self) -> None:
        """Nothing is under way."""


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo(KEY) as fake:
        yield fake


def rest(echo: Echo, **other: Any) -> Rest:
    service = Service(
        "echo",
        "Echo",
        echo.endpoint,
        lambda: KEY,
        "Log in.",
        lambda answer: str(answer.body),
        lambda answer: errors.ThrottledError if answer.status == 430 else None,
    )
    return Rest(replace(service, **other))


@pytest.mark.parametrize(
    ("status", "asked", "changed"),
    [
        (400, errors.ProviderError, errors.InvalidOrderError),
        (401, errors.AuthError, errors.AuthError),
        (402, errors.QuotaError, errors.QuotaError),
        (403, errors.PermissionDenied, errors.PermissionDenied),
        (404, errors.MachineGone, errors.MachineGone),
        (408, errors.CloudUnreachable, errors.AmbiguousError),
        (429, errors.ThrottledError, errors.ThrottledError),
        (500, errors.CloudUnreachable, errors.AmbiguousError),
        (302, errors.ProviderError, errors.InvalidOrderError),
    ],
)
def test_an_answer_by_its_status(
    echo: Echo, status: int, asked: type[Exception], changed: type[Exception]
) -> None:
    echo.reply = (status, {"message": f"No, {KEY}."})
    for call, kind in ((lambda: rest(echo).ask("GET", "/thing"), asked), (_make(echo), changed)):
        with pytest.raises(errors.ProviderError) as raised:
            call()
        assert type(raised.value) is kind
        assert KEY not in f"{raised.value.message}{raised.value.hint}"


def test_a_permission_that_the_cloud_names_is_named(echo: Echo) -> None:
    echo.reply = (403, {"needs": "machines.create"})
    with pytest.raises(errors.PermissionDenied, match=r"machines\.create is missing"):
        rest(echo, missing=lambda answer: str(answer.body["needs"])).change("POST", "/thing", body={})


def test_no_answer_by_whether_anything_was_sent(echo: Echo) -> None:
    echo.fail(Fault.LOSE_ANSWER, "*")
    with pytest.raises(errors.CloudUnreachable):
        rest(echo).ask("GET", "/thing")
    with pytest.raises(errors.AmbiguousError):
        rest(echo).change("POST", "/thing", body={})
    echo.heal()
    echo.fail(Fault.UNREACHABLE)
    with pytest.raises(errors.CloudUnreachable) as raised:
        rest(echo).change("POST", "/thing", body={})
    assert raised.value.__suppress_context__


def test_a_success_that_is_no_json_says_nothing(echo: Echo) -> None:
    echo.reply = (204, None)
    assert rest(echo).change("POST", "/thing", body={}) is None
    echo.reply = (200, b"<html>")
    with pytest.raises(errors.AmbiguousError):
        rest(echo).change("POST", "/thing", body={})


@pytest.mark.parametrize("kind", [FakeLambda, FakeRunPod, FakeVast])
@pytest.mark.parametrize("shape", [None, [], {"data": None}, MARKED])
def test_an_answer_of_another_shape_is_none(
    kind: type[Any], shape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kind() as cloud:
        for name in ("LAMBDA", "RUNPOD", "VAST"):
            monkeypatch.setenv(f"{name}_API_KEY", cloud.secrets[0])
        payload = cloud.provider.plan(cloud.order())
        monkeypatch.setattr(cloud, "answers", {Fault.BROKEN: (200, shape)})
        cloud.fail(Fault.BROKEN, "*")
        with pytest.raises(errors.AmbiguousError):
            cloud.provider.launch(payload)
        for ask in (lambda: cloud.provider.find(payload), lambda: cloud.provider.machines("global", "")):
            with pytest.raises(errors.CloudUnreachable):
                ask()
        with pytest.raises(errors.CloudUnreachable):
            cloud.provider.plan(cloud.order())
        assert [check.ok for check in cloud.provider.check()][-1] is False


@pytest.mark.parametrize(
    ("kind", "cloud"), [(FakeLambda, "LAMBDA"), (FakeRunPod, "RUNPOD"), (FakeVast, "VAST")]
)
def test_another_key_is_another_account_and_neither_gives_it_away(
    kind: type[Any], cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"{cloud}_API_KEY"
    monkeypatch.setenv(variable, KEY)
    with kind() as fake:
        provider = fake.provider
        first = provider.account()
        assert (provider.account(), len(first)) == (first, 16)
        assert KEY not in first
        monkeypatch.setenv(variable, f"{KEY}8")
        assert provider.account() != first, "the key is read anew for each request, and so is this"
        monkeypatch.delenv(variable)
        monkeypatch.setenv("HOME", "/nowhere")
        with pytest.raises(errors.AuthError):
            provider.account()


def test_how_long_to_wait_is_what_the_cloud_says(echo: Echo) -> None:
    waits = []
    for status in (429, 430):
        echo.reply = (status, None)
        with pytest.raises(errors.ThrottledError) as raised:
            rest(echo).ask("GET", "/thing")
        waits.append(raised.value.retry_after_s)
    assert waits == [7.0, 0.0]


def test_requests_keep_their_distance(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("cloudtui_providers.rest.time.sleep", slept.append)
    paced = rest(echo, pace_s=60.0)
    for _ in range(3):
        paced.ask("GET", "/thing")
    assert slept == pytest.approx([0, 60, 120], abs=5)


class Dripping(http.server.BaseHTTPRequestHandler):
    """Each byte comes in time, and the answer never."""

    sent = 0
    hung_up = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3000")
        self.end_headers()
        while Dripping.sent < 3000 and not self.hung_up.wait(0.01):
            try:
                self.wfile.write(b" ")
            except OSError:
                self.hung_up.set()
            Dripping.sent += 1

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_an_answer_that_drips_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudtui_providers.rest.READ_S", 0.2)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        service = Service(
            "drip", "Drip", f"http://127.0.0.1:{server.server_port}", lambda: KEY, "", str, lambda _: None
        )
        try:
            with pytest.raises(errors.CloudUnreachable):
                Rest(service).ask("GET", "/thing")
            assert Dripping.hung_up.wait(20)
        finally:
            Dripping.hung_up.set()
            server.shutdown()
            serving.join(20)
    assert Dripping.sent < 3000


def test_an_answer_that_is_too_long_is_none(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudtui_providers.rest.MOST_BYTES", 10)
    with pytest.raises(errors.CloudUnreachable):
        rest(echo).ask("GET", "/thing")


def test_a_list_whose_pages_never_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudtui_providers.rest.MOST_PAGES", 3)
    whose: Any = SimpleNamespace(project=lambda: "p", subscription=lambda: "s", token=lambda: KEY)
    asked = 0

    def page(*_: Any, **__: Any) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        assert asked < 20, "it goes on for ever"
        items: dict[str, Any] = {key: [] for key in ("instances", "items", "value")}
        return items | {
            "next_token": "t",
            "nextPageToken": "t",
            "NextToken": "t",
            "nextLink": "https://elsewhere/a?b=c",
        }

    monkeypatch.setattr(Rest, "ask", page)
    monkeypatch.setattr(Api, "ask", page)
    nowhere = "http://127.0.0.1:9"
    for pages in (
        vast_pages(Vast(nowhere)._rest),
        Compute(nowhere, whose).pages("zones"),
        Resources(nowhere, "g", whose).items("/x", "1"),
        Api(AlibabaSettings(endpoint=nowhere)).pages("r", "ecs:DescribeInstances"),
    ):
        asked = 0
        with pytest.raises(errors.CloudUnreachable, match="does not end"):
            list(pages)
        assert asked <= 4


def test_without_httpx_it_says_what_to_do(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(errors.NotInstalledError) as raised:
        rest(echo).ask("GET", "/thing")
    assert raised.value.hint == "pip install 'cloudtui[echo]'"
    monkeypatch.setenv("LAMBDA_API_KEY", KEY)
    assert [check.ok for check in Lambda(echo.endpoint).check()] == [False]


def test_a_key_comes_from_the_environment_else_from_the_first_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SOME_KEY", raising=False)
    files = [(Path("none"), str), (Path("empty"), lambda _: ""), (Path("one"), str), (Path("two"), str)]

    def found() -> str:
        return keys.key("Some", "SOME_KEY", files, "Make one.")

    with pytest.raises(errors.AuthError, match="no key for Some"):
        found()
    (tmp_path / "empty").write_text("x")
    (tmp_path / "two").write_text("k2\n")
    assert found() == "k2"
    (tmp_path / "one").write_text("k1\n")
    assert found() == "k1"
    monkeypatch.setenv("SOME_KEY", " k0 ")
    assert found() == "k0"
    monkeypatch.setenv("SOME_KEY", "two words")
    with pytest.raises(errors.AuthError) as raised:
        found()
    assert "two words" not in raised.value.message


@pytest.mark.parametrize(
    ("name", "kept"), [("box-1", True), ("a.b", True), ("my box", False), ("x" * 40, False)]
)
def test_the_marks_are_in_the_name_and_come_back_as_they_were(name: str, kept: bool) -> None:
    order = Order("c0123456789abcde", 12, name, "0123456789abcdef", "gpu", "global")
    named = marks.marked_name(order, 64)
    assert len(named) <= 64
    tags = {OWNER_TAG: order.owner, LAUNCH_TAG: order.token} | ({NAME_TAG: name} if kept else {})
    assert marks.tags(named) == tags


@pytest.mark.parametrize(
    "name", ["", "cloudtui", "cloudtui-notes", "my cloudtui-a-b", "cloudtui-a-b-1 of mine"]
)
def test_a_name_of_somebody_elses_is_no_mark(name: str) -> None:
    assert marks.tags(name) == {}


def _make(echo: Echo) -> Any:
    return lambda: rest(echo).change("POST", "/thing", body={})


def test_what_time_a_cloud_has_is_kept_of_each_answer(echo: Echo) -> None:
    before = time.time()
    rest(echo).ask("GET", "/thing")
    told = times.told("echo")
    assert told is not None
    assert abs(told.at - before) < 60
    assert abs(told.wall - before) < 60
    for unreadable in (None, "", "yesterday", "Mon, 99 Nov 2026 00:00:00 GMT"):
        times.heard("echo", unreadable)
    assert times.told("echo") == told
    times.heard("echo", "Thu, 01 Jan 1970 00:00:09 GMT")
    newest = times.told("echo")
    assert newest is not None
    assert (newest.at, newest.number) == (9.0, 1), "what does not go along begins anew"


def _heard_over(seconds: range, date_of: Callable[[int], float]) -> times.Told:
    told = None
    for at in seconds:
        told = times.after(told, times.Told(date_of(at), 0.0, float(at)))
    assert told is not None
    return told


def test_dates_agree_only_where_they_go_on_as_the_steady_clock_does() -> None:
    minutes = range(0, 600, 15)
    assert _heard_over(minutes, lambda at: 1e9 + at).is_agreed
    assert not _heard_over(minutes, lambda _at: 1e9).is_agreed, "it stands still"
    assert not _heard_over(minutes, lambda at: 1e9 + at + (at == 585) * 3600).is_agreed, "one is wrong"
    assert not _heard_over(range(4), lambda at: 1e9 + at).is_agreed, "all of one moment"
    assert not _heard_over(range(0, 400, 200), lambda at: 1e9 + at).is_agreed, "two are not several"
