"""Fetching from a server of our own on loopback: resumed, checked, and refused where it is another file."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import re
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tests.engine.data.conftest import idx_bytes

from cloudtui_engine.data import build_dataset, downloads, published
from cloudtui_engine.data.downloads import ELSEWHERE, File, Publication, fetch
from cloudtui_engine.errors import BadInputError, FailedError, RefusedError, UnreachableError, UsageError

CONTENT = np.random.default_rng(1).bytes(700_000)


def quiet(_text, _done, _total):
    pass


def file_of(name, content):
    return File(name, len(content), hashlib.sha256(content).hexdigest())


def published_as(name, contents):
    files = tuple(file_of(file, content) for file, content in contents.items())
    return Publication(name, "https://published.invalid/", files)


class Server:
    """What it serves, what it was asked, and how it misbehaves."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.cut_at: int | None = None
        self.takes_ranges = True
        self.extra = b""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers.get("Range")
                server.asked.append((self.path, wanted))
                content = server.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                start = int(re.match(r"bytes=(\d+)-", wanted)[1]) if wanted and server.takes_ranges else 0
                body = content[start:] + server.extra
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if server.cut_at is None else body[: server.cut_at])

            def log_message(self, *_args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(10)


@pytest.fixture
def server(monkeypatch):
    running = Server()
    monkeypatch.setenv(ELSEWHERE, running.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield running
    running.close()


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


def idx_set(prefix, rows):
    images = np.random.default_rng(rows).integers(0, 255, (rows, 4, 4))
    return {
        f"{prefix}-images-idx3-ubyte.gz": gzip.compress(idx_bytes(images), mtime=0),
        f"{prefix}-labels-idx1-ubyte.gz": gzip.compress(idx_bytes(np.arange(rows) % 10), mtime=0),
    }


def serve(server, monkeypatch, attribute, contents):
    name = getattr(published, attribute).name
    monkeypatch.setattr(published, attribute, published_as(name, contents))
    server.files = {f"/{name}/{file}": content for file, content in contents.items()}


@pytest.mark.parametrize(
    ("source", "attribute", "label"), [("mnist", "MNIST", "9"), ("fashion-mnist", "FASHION", "Bag")]
)
def test_idx_sets(server, monkeypatch, tmp_path, source, attribute, label):
    monkeypatch.setattr(published, "DEBIAN", tmp_path / "none")
    serve(server, monkeypatch, attribute, idx_set("train", 60) | idx_set("t10k", 20))
    manifest = build_dataset(source, tmp_path / "data", name="d")
    assert manifest.splits == {"train": 54, "validation": 6, "test": 20}
    assert label in manifest.classes
    assert manifest.data["source"]["name"] == source
    assert (tmp_path / "downloads" / source).is_dir()


def test_debians_fashion_is_used_only_when_it_is_the_same(server, monkeypatch, tmp_path):
    folder = tmp_path / "debian"
    folder.mkdir()
    contents = idx_set("train", 60) | idx_set("t10k", 20)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    unpacked = [hashlib.sha256(gzip.decompress(content)).hexdigest() for content in contents.values()]
    monkeypatch.setattr(published, "DEBIAN", folder)
    monkeypatch.setattr(published, "FASHION_UNPACKED", tuple(unpacked))
    first = build_dataset("fashion-mnist", tmp_path / "data", name="d")
    assert server.asked == []
    serve(server, monkeypatch, "FASHION", contents)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(np.arange(20) % 9)))
    assert build_dataset("fashion-mnist", tmp_path / "data", name="d") == first
    assert len(server.asked) == 4


def test_fashion_as_debian_ships_it_is_what_was_published():
    if not published.DEBIAN.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    assert published._is_debians()


def cifar(rows=20, skip=(), extra=()):
    """An archive of six batches; the label of a row stands in its first pixel, too."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for place, name in enumerate([*published._CIFAR_FILES, *(name for name, _ in extra)]):
            if name in skip:
                continue
            batch = np.zeros((rows, 3073), dtype=np.uint8)
            batch[:, 0] = batch[:, 1] = np.arange(rows) % 10
            batch[:, 2] = place
            content = dict(extra).get(name, batch.tobytes())
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def test_cifar10_is_read_from_its_binary_version(server, monkeypatch, tmp_path):
    serve(server, monkeypatch, "CIFAR10", {"cifar-10-binary.tar.gz": cifar()})
    manifest = build_dataset("cifar10", tmp_path / "data", name="d")
    assert manifest.splits == {"train": 90, "validation": 10, "test": 20}
    assert manifest.data["input"]["shape"] == [3, 32, 32]
    folder = tmp_path / "data" / manifest.sha256
    x, y = np.load(folder / "test-x.npy"), np.load(folder / "test-y.npy")
    assert (x[:, 0, 0, 0] == y).all()
    assert (x[:, 0, 0, 1] == 5).all()
    assert manifest.classes[3] == "cat"


class Trap:
    def __reduce__(self):
        return (open, ("/nonexistent/trap", "w"))


@pytest.mark.parametrize(
    "archive",
    [
        cifar(skip=("data_batch_2.bin",)),
        cifar(skip=("test_batch.bin",), extra=[("test_batch.bin", b"x" * 100)]),
        cifar()[:-200],
        b"no archive",
    ],
)
def test_an_archive_that_is_none_is_refused(server, monkeypatch, tmp_path, archive):
    serve(server, monkeypatch, "CIFAR10", {"cifar-10-binary.tar.gz": archive})
    with pytest.raises(BadInputError, match="six batches"):
        build_dataset("cifar10", tmp_path / "data", name="d")


def test_nothing_of_an_archive_is_unpacked_or_unpickled(server, monkeypatch, tmp_path):
    trap = [("../../../escaped", b"x"), ("data_batch_1", pickle.dumps(Trap()))]
    serve(server, monkeypatch, "CIFAR10", {"cifar-10-binary.tar.gz": cifar(extra=trap)})
    build_dataset("cifar10", tmp_path / "data", name="d")
    names = {path.name for path in tmp_path.rglob("*")}
    assert not names & {"escaped", "data_batch_1"}


ADULT_ROW = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Husband, White, Male, {}, 0, 40, ?, {}"
)


def test_adult_keeps_its_own_test_rows(server, monkeypatch, tmp_path):
    train = "\n".join(ADULT_ROW.format(n, "<=50K" if n % 3 else ">50K") for n in range(60)) + "\n\n"
    test = "|1x3 Cross validator\n" + "\n".join(
        ADULT_ROW.format(n, "<=50K." if n % 2 else ">50K.") for n in range(100, 120)
    )
    serve(server, monkeypatch, "ADULT", {"adult.data": train.encode(), "adult.test": test.encode()})
    manifest = build_dataset("adult", tmp_path / "data", name="d")
    assert manifest.splits == {"train": 54, "validation": 6, "test": 20}
    assert manifest.classes == ("<=50K", ">50K")
    assert manifest.data["target"] == {"name": "income", "kind": "classes"}
    assert [column["name"] for column in manifest.data["columns"]] == ["capital-gain"]


def test_the_hashes_are_those_of_files_that_are_here(shared):
    """Of the files that were published two lie beside the project, and Adult's train rows do."""
    for file in published.MNIST.files[2:]:
        assert downloads.is_there(shared / "mnist" / f"mnist-{file.name}", file)
    assert downloads.is_there(shared / "adult.csv", published.ADULT.files[0])
