"""Objects on their way here: gone on with, changed, refused, too large, and never half."""

from __future__ import annotations

import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import pytest
from tests.engine.objects.store import PIECE, FakeStore

from cloudtui_engine.errors import (
    BadInputError,
    CloudtuiError,
    FailedError,
    NotFoundError,
    RefusedError,
    UnreachableError,
)
from cloudtui_engine.objects import bringing, fetching
from cloudtui_engine.objects.address import Address, parse
from cloudtui_engine.objects.bringing import Brought, bring
from cloudtui_engine.objects.stage import KEPT_S, Stage
from cloudtui_providers import registry
from cloudtui_providers.errors import AuthError, CloudUnreachable, PermissionDenied, ThrottledError

CONTENT = os.urandom(5 * PIECE + 1)
Usage = namedtuple("Usage", "total used free")


class _EnoughError(Exception):
    """Nobody wants it any more."""


class World:
    """A home, a store, and who waits."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.downloads = home / "downloads"
        self.store = FakeStore()
        self.said: list[tuple[str, int, int]] = []
        self.waited: list[float] = []
        monkeypatch.setattr(registry, "store", lambda _scheme: self.store)
        monkeypatch.setattr(fetching, "patience", lambda _tries, _error: 0.0)

    def stage(self, source: str) -> Stage:
        return Stage(self.downloads, self.address(source))

    def address(self, source: str) -> Address:
        found = parse(source)
        assert found
        return found

    def bring(self, source: str) -> Brought:
        def wait(seconds: float) -> bool:
            self.waited.append(seconds)
            return False

        return bring(self.address(source), self.stage(source), lambda *told: self.said.append(told), wait)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_an_object_comes_under_its_own_name_and_says_what_it_was(world: World) -> None:
    world.store.objects["in/t.csv"] = CONTENT
    brought = world.bring("s3://b/in/t.csv")
    assert (brought.path.name, brought.path.read_bytes()) == ("t.csv", CONTENT)
    assert brought.taken["version"] == "v1"
    assert (brought.taken["objects"], brought.taken["bytes"]) == (1, len(CONTENT))
    assert world.said[-1] == (world.said[-1][0], len(CONTENT), len(CONTENT))


def test_a_folder_comes_with_several_at_once_and_with_or_without_its_slash(world: World) -> None:
    meet = threading.Barrier(3)
    world.store.before = lambda _key, at: None if at else meet.wait(20) and None
    world.store.objects |= {f"in/{number % 3}/{number}.png": bytes([number]) * 30 for number in range(3)}
    world.store.objects["inside.png"] = b"not below it"
    brought = world.bring("s3://b/in")
    files = {path.relative_to(brought.path).as_posix() for path in brought.path.rglob("*.png")}
    assert files == {"0/0.png", "1/1.png", "2/2.png"}
    assert world.store.most_at_once == 3
    assert "of 90 bytes in 3 objects" in world.said[-1][0]
    world.store.before = lambda _key, _at: None
    assert world.bring("s3://b/in/").taken == brought.taken


def test_a_cut_is_gone_on_with_where_it_was(world: World) -> None:
    cuts = fetching.TRIES + 3
    long = os.urandom((cuts + 2) * PIECE)
    world.store.objects["t.csv"], world.store.cuts = long, cuts
    assert world.bring("s3://b/t.csv").path.read_bytes() == long
    assert world.store.read_from == [("t.csv", at * PIECE) for at in range(cuts + 1)]


def test_why_nothing_comes_is_told_until_it_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.store.objects["t.csv"] = CONTENT
    world.store.cuts, seen = 1, threading.Event()
    monkeypatch.setattr(fetching, "patience", lambda _tries, _error: 20.0)

    def told(text: str, _done: int, _total: int) -> None:
        if "It broke off. It is asked again." in text:
            seen.set()
            raise _EnoughError

    with pytest.raises(_EnoughError):
        bring(world.address("s3://b/t.csv"), world.stage("s3://b/t.csv"), told, lambda _seconds: False)
    assert seen.is_set()
    world.bring("s3://b/t.csv")
    assert "asked again" not in world.said[-1][0]


def test_what_cannot_be_reached_for_long_is_told_and_gone_on_with_by_the_next_one(world: World) -> None:
    world.store.objects["t.csv"] = CONTENT

    def gone(_key: str, at: int) -> None:
        if at == 2 * PIECE:
            raise CloudUnreachable("No way there.")

    world.store.before = gone
    with pytest.raises(UnreachableError, match="No way there") as raised:
        world.bring("s3://b/t.csv")
    assert "goes on from there" in raised.value.hint
    assert len(world.store.read_from) == fetching.TRIES
    world.store.before = lambda _key, _at: None
    world.said.clear()
    assert world.bring("s3://b/t.csv").path.read_bytes() == CONTENT
    assert world.store.read_from[-1] == ("t.csv", 2 * PIECE)
    assert world.said[1][1] == 2 * PIECE, "what is here is told, and needs no room"
    assert world.bring("s3://b/t.csv").path.read_bytes() == CONTENT
    assert len(world.store.read_from) == fetching.TRIES + 1, "what is whole is not fetched again"


def test_an_object_that_changes_on_the_way_is_an_error_and_nothing_half(world: World) -> None:
    world.store.objects |= {"t.csv": CONTENT, "u.csv": b"as it was"}

    def change(key: str, at: int) -> None:
        if key == "t.csv" and at == PIECE:
            world.store.objects["t.csv"] = CONTENT[::-1]

    world.store.before = change
    with pytest.raises(FailedError, match="changed while it was fetched") as raised:
        world.bring("s3://b/")
    assert raised.value.code == "changed"
    brought = world.bring("s3://b/")
    assert (brought.path / "t.csv").read_bytes() == CONTENT[::-1]
    starts = [start for key, start in world.store.read_from if key == "t.csv"]
    assert starts == [0, 0], "nothing of the old state is gone on with"


def test_whoever_wants_it_no_more_ends_it_and_no_thread_writes_on(world: World) -> None:
    held, here = threading.Event(), threading.Event()
    world.store.objects["t.csv"] = CONTENT

    def hold(_key: str, at: int) -> None:
        if at == PIECE:
            here.set()
            held.wait(20)

    def enough(_text: str, done: int, _total: int) -> None:
        if done:
            here.wait(20)
            raise _EnoughError

    world.store.before = hold
    stage = world.stage("s3://b/t.csv")
    fetching_leaves = pytest.MonkeyPatch()
    fetching_leaves.setattr(fetching, "LEAVE_S", 0.01)
    with fetching_leaves.context(), pytest.raises(_EnoughError):
        bring(world.address("s3://b/t.csv"), stage, enough, lambda _seconds: False)
    fetching_leaves.undo()
    held.set()
    for thread in threading.enumerate():
        if thread.name == "object":
            thread.join(20)
    (part,) = stage.folder.glob("*.part")
    assert part.stat().st_size == PIECE


def test_there_must_be_room_for_what_is_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.store.objects["t.csv"] = CONTENT
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 0, bringing.MARGIN + 5000))
    with pytest.raises(FailedError, match=r"no room for s3://b/t.csv \(5.0 kB\)"):
        world.bring("s3://b/t.csv")
    assert world.store.read_from == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file that is always full here")
def test_a_disk_that_fills_up_on_the_way_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.store.objects["t.csv"] = os.urandom(100_000)
    monkeypatch.setattr(Stage, "part", lambda _stage, _found: Path("/dev/full"))
    with pytest.raises(FailedError, match="The disk is full"):
        world.bring("s3://b/t.csv")


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (PermissionDenied("These may not do s3:GetObject."), RefusedError, "s3:GetObject"),
        (AuthError("There are no credentials.", "Run aws configure."), UnreachableError, "no credentials"),
    ],
)
def test_what_a_store_refuses_is_told_at_once(
    world: World, error: Exception, raised: type[CloudtuiError], words: str
) -> None:
    world.store.refuses = [error]
    with pytest.raises(raised, match=words):
        world.bring("s3://b/t.csv")
    assert world.waited == []


def test_a_busy_store_is_asked_again(world: World) -> None:
    world.store.objects["t.csv"] = CONTENT
    world.store.refuses = [ThrottledError("Later."), CloudUnreachable("Away.")]
    assert world.bring("s3://b/t.csv").path.read_bytes() == CONTENT
    assert len(world.waited) == 2


def test_what_is_not_there_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.store.objects |= {"in/": b"", "t.csv": b"x", "many/1": b"", "many/2": b"", "many/3": b""}
    for source, words in (
        ("s3://other/t.csv", "no such bucket"),
        ("s3://b/u.csv", "no such object: s3://b/u.csv"),
        ("s3://b/in/", "nothing below s3://b/in/"),
    ):
        with pytest.raises(NotFoundError, match=words):
            world.bring(source)
    monkeypatch.setattr(bringing, "MOST_OBJECTS", 2)
    with pytest.raises(BadInputError, match="more than 2 objects"):
        world.bring("s3://b/many/")


def test_a_long_list_is_told_while_it_is_read_and_can_be_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.objects |= {f"in/{number}": b"" for number in range(5)}
    monkeypatch.setattr(bringing, "TOLD_EVERY", 2)

    def told(text: str, _done: int, _total: int) -> None:
        if "4 objects so far" in text:
            raise _EnoughError

    with pytest.raises(_EnoughError):
        bring(world.address("s3://b/in/"), world.stage("s3://b/in/"), told, lambda _seconds: False)


def test_a_file_of_a_kind_that_is_not_read_is_not_fetched(world: World) -> None:
    world.store.objects["t.jsonl"] = CONTENT
    with pytest.raises(BadInputError, match=r"Cannot use t.jsonl: it is a table of a kind that is not read"):
        world.bring("s3://b/t.jsonl")
    assert world.store.read_from == []


def test_what_was_left_long_ago_goes_and_what_is_new_stays(world: World) -> None:
    world.store.objects |= {"t.csv": CONTENT, "u.csv": CONTENT}
    for source in ("s3://b/t.csv", "s3://b/u.csv"):
        world.bring(source)
    old, new = world.stage("s3://b/t.csv").folder, world.stage("s3://b/u.csv").folder
    os.utime(old, (0, 0))
    os.utime(new, (new.stat().st_mtime - KEPT_S / 2,) * 2)
    world.store.objects["v.csv"] = CONTENT
    world.bring("s3://b/v.csv")
    assert (old.exists(), new.exists()) == (False, True)
