"""Files both ways against the real host package: exact, resumed, withdrawn, safe from a host that lies."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.hosts import support
from tests.engine.hosts.test_hostile_replies import liar
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd, wait_for

from cloudtui_engine.errors import BadInputError, CloudtuiError, FailedError, UnreachableError
from cloudtui_engine.hosts import transfer, upload
from cloudtui_engine.hosts.download import RemoteFile
from cloudtui_engine.hosts.landing import Landing
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.local import LocalTransport

Way = Callable[..., Transport]
DEST = "data/" + "a" * 64
SIZES = {"empty": 0, "one": 1, "a/b/c.bin": 70_001, "a/b/d.bin": 300_000, "big.npy": 2_000_003, "z": 5}


def contents(seed: int = 1, sizes: dict[str, int] = SIZES) -> dict[str, bytes]:
    source = random.Random(seed)
    return {name: source.randbytes(size) for name, size in sizes.items()}


def on_disk(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_put_is_exactly_what_is_there(sshd: Sshd, tmp_path: Path, way: Way) -> None:
    given = contents()
    files = support.local_files(tmp_path / "from", given)
    transport = way(sshd)
    transport.connect(10)
    seen: list[tuple[int, int]] = []
    root = str(tmp_path / "root")
    result = transfer.put(
        transport, root=root, dest=DEST, files=files, on_progress=lambda *at: seen.append(at)
    )
    total = sum(SIZES.values())
    assert result == transfer.PutResult(was_there=False, sent_bytes=total, total_bytes=total)
    assert on_disk(tmp_path / "root" / DEST) == given
    assert seen[-1] == (total, total)
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)
    assert transfer.put(transport, root=root, dest=DEST, files=files).was_there
    transport.close()


def test_what_is_got_is_exactly_what_was_there(sshd: Sshd, tmp_path: Path, way: Way) -> None:
    given = contents()
    root = tmp_path / "root"
    base, files = support.artifacts(root, given)
    transport = way(sshd)
    transport.connect(10)
    seen: list[tuple[int, int]] = []
    into = tmp_path / "into"
    transfer.get(
        transport, root=str(root), base=base, files=files, into=into, on_progress=lambda *at: seen.append(at)
    )
    assert on_disk(into) == given
    assert seen[-1] == (sum(SIZES.values()),) * 2
    sessions = sshd.sessions
    transfer.get(transport, root=str(root), base=base, files=files, into=into)
    assert sshd.sessions <= sessions  # Nothing was missing: nobody was asked.
    transport.close()


def test_many_small_files_go_both_ways_on_this_machine(tmp_path: Path) -> None:
    given = contents(2, {f"d{number % 7}/f{number}": number * 37 % 4000 for number in range(400)})
    files = support.local_files(tmp_path / "from", given)
    transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest=DEST, files=files)
    assert on_disk(tmp_path / "root" / DEST) == given
    base, remote = support.artifacts(tmp_path / "root", given)
    transfer.get(
        LocalTransport(), root=str(tmp_path / "root"), base=base, files=remote, into=tmp_path / "into"
    )
    assert on_disk(tmp_path / "into") == given


def test_a_manifest_that_is_longer_than_a_frame_goes_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PART_BYTES", 20_000)
    made = contents(5, {f"d{number % 9}/{number}": number % 3 for number in range(900)})
    files = support.local_files(tmp_path / "from", made)
    assert len([*upload._parts(files)]) > 5
    for expected in (sum(len(content) for content in made.values()), 0):
        result = transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest=DEST, files=files)
        assert result.sent_bytes == expected
    assert on_disk(tmp_path / "root" / DEST) == made


def test_a_file_and_a_folder_of_one_name_are_told(tmp_path: Path) -> None:
    content = b"content"
    sha256 = hashlib.sha256(content).hexdigest()
    for number, paths in enumerate((("a", "a/b"), ("a/b", "a"))):
        with Landing(tmp_path / str(number)) as landing:
            first, second = (landing.arrive(path, len(content), sha256) for path in paths)
            first.write(content)
            first.finish()
            second.write(content)
            with pytest.raises(FailedError, match=f"^{paths[1]} cannot be put here") as caught:
                second.finish()
            assert caught.value.code == "in_the_way"
            second.close()
        assert (tmp_path / str(number) / paths[0]).read_bytes() == content


def test_modes_are_kept(tmp_path: Path) -> None:
    (file,) = support.local_files(tmp_path / "from", {"run.sh": b"#!/bin/sh\n"})
    script = transfer.LocalFile(file.source, file.path, file.size, file.sha256, 0o755)
    transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest=DEST, files=[script])
    assert (tmp_path / "root" / DEST / "run.sh").stat().st_mode & 0o100


# -- cuts


def until_done(work: Callable[[], object], between: Callable[[], object], most: int = 30) -> int:
    """Repeat `work` until the link no longer breaks; how often it broke."""
    for broke in range(most):
        try:
            work()
        except UnreachableError:
            between()
        else:
            return broke
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_put_that_is_cut_again_and_again_arrives_exactly(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy], seed: int
) -> None:
    source = random.Random(seed)
    given = contents(seed)
    files = support.local_files(tmp_path / "from", given)
    proxy = make_proxy(sshd, rate=8e6)
    transport = support.transport(sshd, tmp_path, port=proxy.port)
    sent: list[int] = []

    def work() -> None:
        result = transfer.put(transport, root=str(tmp_path / "root"), dest=DEST, files=files)
        sent.append(result.sent_bytes)

    def cut() -> None:
        if proxy.connections < 6:
            proxy.cut_after(source.randrange(30_000, 1_500_000), reset=bool(seed % 2))

    cut()
    broke = until_done(work, cut)
    assert broke >= 2
    assert on_disk(tmp_path / "root" / DEST) == given
    assert sent[-1] < sum(SIZES.values())  # It went on; it did not begin again.


def test_a_get_that_is_cut_again_and_again_arrives_exactly(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]
) -> None:
    source = random.Random(5)
    given = contents(5)
    base, files = support.artifacts(tmp_path / "root", given)
    proxy = make_proxy(sshd)
    transport = support.transport(sshd, tmp_path, port=proxy.port)
    into = tmp_path / "into"

    def cut() -> None:
        if proxy.connections < 6:
            proxy.cut_after(source.randrange(100_000, 900_000))

    cut()
    work = lambda: transfer.get(transport, root=str(tmp_path / "root"), base=base, files=files, into=into)  # noqa: E731
    assert until_done(work, cut) >= 3
    assert on_disk(into) == given
    assert proxy.down < 2 * sum(SIZES.values())


# -- withdrawn, and beside other work


def test_an_upload_on_a_throttled_link_is_withdrawn_amid_its_bytes(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]
) -> None:
    files = support.local_files(tmp_path / "from", {"big": os.urandom(8_000_000)})
    proxy = make_proxy(sshd, rate=400_000)
    transport = support.transport(sshd, tmp_path, port=proxy.port)
    with pytest.raises(transfer.Cancelled):
        transfer.put(
            transport,
            root=str(tmp_path / "root"),
            dest=DEST,
            files=files,
            cancelled=lambda: proxy.up > 300_000,
        )
    assert proxy.up < 3_000_000


def test_a_download_on_a_throttled_link_is_withdrawn_amid_its_bytes(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]
) -> None:
    base, files = support.artifacts(tmp_path / "root", {"big": os.urandom(8_000_000)})
    proxy = make_proxy(sshd, rate=400_000)
    transport = support.transport(sshd, tmp_path, port=proxy.port)
    with pytest.raises(transfer.Cancelled):
        transfer.get(
            transport,
            root=str(tmp_path / "root"),
            base=base,
            files=files,
            into=tmp_path / "into",
            cancelled=lambda: proxy.down > 300_000,
        )
    assert proxy.down < 3_000_000
    assert all(name.startswith(".") for name in on_disk(tmp_path / "into"))


def test_a_request_is_answered_during_a_throttled_upload(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]
) -> None:
    files = support.local_files(tmp_path / "from", {"big": os.urandom(20_000_000)})
    (tmp_path / "root" / "jobs").mkdir(parents=True)
    proxy = make_proxy(sshd)
    session = Session(support.connected(sshd, tmp_path, port=proxy.port), str(tmp_path / "root"))
    stop = threading.Event()

    def work() -> None:
        with pytest.raises(transfer.Cancelled):
            transfer.put(
                session.transport, root=str(tmp_path / "root"), dest=DEST, files=files, cancelled=stop.is_set
            )

    proxy.rate = 500_000
    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: proxy.up > 400_000, "some bytes on their way")
    for _ in range(3):
        session.request("stop", {"job": "c0none", "attempt": 1, "grace_s": 1}, timeout=20)
    assert thread.is_alive()
    assert proxy.up < 10_000_000
    stop.set()
    thread.join(20)
    session.close()


# -- what is not right


def test_a_file_that_changed_since_it_was_listed_is_refused_by_the_host(tmp_path: Path) -> None:
    files = support.local_files(tmp_path / "from", {"a": b"as listed"})
    files[0].source.write_bytes(b"otherwise")
    with pytest.raises(CloudtuiError, match="different"):
        transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest=DEST, files=files)
    assert not (tmp_path / "root" / DEST).exists()
    files[0].source.write_bytes(b"short")
    with pytest.raises(BadInputError, match="shorter"):
        transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest=DEST, files=files)
    files[0].source.unlink()
    with pytest.raises(BadInputError, match="cannot be read"):
        transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest=DEST, files=files)


def test_the_hosts_refusal_is_told(tmp_path: Path) -> None:
    files = support.local_files(tmp_path / "from", {"a": b"x"})
    with pytest.raises(CloudtuiError):
        transfer.put(LocalTransport(), root=str(tmp_path / "root"), dest="../out", files=files)
    with pytest.raises(CloudtuiError):
        transfer.get(
            LocalTransport(), root=str(tmp_path / "root"), base="jobs/c0/a0001/artifacts",
            files=[RemoteFile("none", 1, "a" * 64)], into=tmp_path / "into",
        )  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a/../x", "a//x", "", ".", "a/.", "x\x00", "x\n", "x\x1b[31m", "a\\b", ".cloudtui-x",
     "x" * 300, "/".join("a" * 40), "\u202ex"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_never_asked_for(tmp_path: Path, path: str) -> None:
    with pytest.raises(BadInputError):
        transfer.get(
            LocalTransport(), root="", base="b", files=[RemoteFile(path, 1, "a" * 64)], into=tmp_path / "into"
        )


def test_links_in_the_way_are_not_followed(tmp_path: Path) -> None:
    base, files = support.artifacts(tmp_path / "root", {"a/x": b"content", "y": b"content"})
    outside = tmp_path / "outside"
    outside.mkdir()
    into = tmp_path / "into"
    into.mkdir()
    (into / "a").symlink_to(outside)
    (outside / "victim").write_text("mine")
    (into / "y").symlink_to(outside / "victim")
    with pytest.raises((CloudtuiError, OSError)):
        transfer.get(LocalTransport(), root=str(tmp_path / "root"), base=base, files=files, into=into)
    transfer.get(LocalTransport(), root=str(tmp_path / "root"), base=base, files=files[1:], into=into)
    assert (into / "y").read_bytes() == b"content"
    assert on_disk(outside) == {"victim": b"mine"}


SERVE = """
for request in requests():
    say({{"id": request["id"], "ok": True, "result": {{"files": [{{"path": "a", "size": {size}}}]}}}})
    {then}
    time.sleep(9)
"""


@pytest.mark.parametrize(
    ("size", "then", "why"),
    [
        (10, "data(0, 0, b'x' * 11)", "other bytes"),
        (10, "data(0, 0, b'x' * 5); data(0, 9, b'x')", "other bytes"),
        (10, "data(3, 0, b'x' * 10)", "other bytes"),
        (10, "data(0, 0, b'y' * 10)", "not what the host promised"),
        (11, "pass", "its size is another"),
        ("'10'", "pass", "its size is another"),
        (10, "data(0, 0, b'x' * 5); say({'event': 'sent'})", "before all was sent"),
        (10, "say({'event': 'failed', 'error': {'message': 'Gone \\x1b[2J', 'code': 'changed'}})", "Gone"),
    ],
)
def test_a_host_that_sends_something_else_leaves_no_file(
    tmp_path: Path, size: object, then: str, why: str
) -> None:
    into = tmp_path / "into"
    promised = RemoteFile("a", 10, hashlib.sha256(b"x" * 10).hexdigest())
    with pytest.raises(FailedError if why != "Gone" else CloudtuiError, match=why) as raised:
        transfer.get(
            liar(tmp_path, SERVE.format(size=size, then=then)), root="", base="b", files=[promised], into=into
        )
    assert "\x1b" not in raised.value.message
    assert not (into / "a").exists()
    assert all(path.stat().st_size <= 10 for path in into.iterdir())


def test_a_partial_file_that_someone_spoiled_is_dropped_and_fetched_anew(tmp_path: Path) -> None:
    base, files = support.artifacts(tmp_path / "root", {"a": b"x" * 1000})
    into = tmp_path / "into"
    into.mkdir()
    with Landing(into) as landing:
        arrival = landing.arrive("a", 1000, files[0].sha256)
        arrival.write(b"y" * 500)
        arrival.close()
    with pytest.raises(FailedError) as raised:
        transfer.get(LocalTransport(), root=str(tmp_path / "root"), base=base, files=files, into=into)
    assert raised.value.code == "checksum"
    transfer.get(LocalTransport(), root=str(tmp_path / "root"), base=base, files=files, into=into)
    assert on_disk(into) == {"a": b"x" * 1000}
