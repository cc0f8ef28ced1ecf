"""Fetching from a server of our own on loopback: resumed, checked, and refused where it is another file."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tests.engine.data.server import published_as

from cloudtui_engine.data import downloads
from cloudtui_engine.data.downloads import ELSEWHERE, fetch
from cloudtui_engine.errors import BadInputError, FailedError, RefusedError, UnreachableError, UsageError

CONTENT = np.random.default_rng(1).bytes(700_000)


def quiet(_text, _done, _total):
    pass


@pytest.fixture
def one(server):
    server.files["/thing/a.bin"] = CONTENT
    return published_as("thing", {"a.bin": CONTENT})


def test_a_file_is_fetched_once_and_progress_is_told(server, one, tmp_path):
    told = []
    folder = fetch(one, tmp_path, lambda *step: told.append(step))
    assert (folder / "a.bin").read_bytes() == CONTENT
    assert told[-1] == ("Fetching a.bin", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    fetch(one, tmp_path, quiet)
    assert len(server.asked) == 1
    assert [path.name for path in folder.iterdir()] == ["a.bin"]


def test_what_was_begun_is_gone_on_with(server, one, tmp_path):
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "a.bin.part").write_bytes(CONTENT[:300_000])
    assert (fetch(one, tmp_path, quiet) / "a.bin").read_bytes() == CONTENT
    assert server.asked == [("/thing/a.bin", "bytes=300000-")]


def test_a_connection_that_breaks_is_taken_up_again(server, one, tmp_path):
    server.cut_at = 250_000
    assert (fetch(one, tmp_path, quiet) / "a.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=250000-", "bytes=500000-"]


def test_a_server_without_ranges_begins_again(server, one, tmp_path):
    server.takes_ranges = False
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "a.bin.part").write_bytes(b"x" * 1000)
    assert (fetch(one, tmp_path, quiet) / "a.bin").read_bytes() == CONTENT


def test_a_connection_that_keeps_breaking_is_given_up_and_what_came_is_kept(server, one, tmp_path):
    server.cut_at = 10_000
    with pytest.raises(UnreachableError, match="broke off"):
        fetch(one, tmp_path, quiet)
    assert len(server.asked) == downloads.TRIES
    assert (tmp_path / "thing" / "a.bin.part").stat().st_size == 10_000 * downloads.TRIES


def test_another_content_is_refused_and_thrown_away(server, one, tmp_path):
    server.files["/thing/a.bin"] = b"y" * len(CONTENT)
    with pytest.raises(BadInputError, match="sha256 differs"):
        fetch(one, tmp_path, quiet)
    assert list((tmp_path / "thing").iterdir()) == []


def test_more_bytes_than_were_published_are_not_taken(server, one, tmp_path):
    server.extra = b"z" * 1_000_000
    with pytest.raises(BadInputError, match="sends more than"):
        fetch(one, tmp_path, quiet)
    assert (tmp_path / "thing" / "a.bin.part").stat().st_size == 0


def test_a_spoiled_copy_is_fetched_again(server, one, tmp_path):
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "a.bin").write_bytes(b"?" * len(CONTENT))
    assert (fetch(one, tmp_path, quiet) / "a.bin").read_bytes() == CONTENT


def test_a_missing_file_and_no_server_say_what_to_do(server, one, tmp_path, monkeypatch):
    server.files.clear()
    with pytest.raises(UnreachableError, match="it answers 404") as caught:
        fetch(one, tmp_path, quiet)
    assert "published.invalid" in caught.value.hint
    assert str(tmp_path / "thing") in caught.value.hint
    closed = f"http://127.0.0.1:{server.http.server_port}"
    server.close()
    monkeypatch.setenv(ELSEWHERE, closed)
    with pytest.raises(UnreachableError, match=r"Cannot fetch thing from 127\.0\.0\.1.*refused"):
        fetch(one, tmp_path, quiet)


def test_files_put_there_by_hand_need_no_network(one, tmp_path, monkeypatch):
    monkeypatch.setenv(ELSEWHERE, "http://127.0.0.1:9")
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "a.bin").write_bytes(CONTENT)
    assert fetch(one, tmp_path, quiet) == tmp_path / "thing"


def test_a_silent_server_is_not_waited_for_without_end(server, one, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT_S", 0.05)
    silent = threading.Event()

    def hold(*_args):
        silent.wait(10)

    monkeypatch.setattr(server.http.RequestHandlerClass, "do_GET", hold)
    with pytest.raises(UnreachableError, match="no answer within"):
        fetch(one, tmp_path, quiet)
    silent.set()


def test_two_at_once_do_not_write_into_each_other(server, one, tmp_path):
    def in_between(_text, _done, _total):
        with pytest.raises(RefusedError, match="Another process"):
            fetch(one, tmp_path, quiet)

    fetch(one, tmp_path, in_between)


def test_a_full_disk_is_said(server, one, tmp_path):
    def full(_text, _done, _total):
        raise OSError(28, "No space left on device")

    with pytest.raises(FailedError, match="disk is full"):
        fetch(one, tmp_path, full)


def test_the_address_must_be_http(one, tmp_path, monkeypatch):
    monkeypatch.setenv(ELSEWHERE, "file:///etc")
    with pytest.raises(UsageError, match="not an http address"):
        fetch(one, tmp_path, quiet)
