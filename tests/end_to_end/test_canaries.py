"""Secrets are where they were put and nowhere else: canaries in each such place, and a search for them.

Searched are every byte of the home and of the hosts, each value of the catalog unpacked, a backup, what was
exported and printed, and the arguments and environments of all processes while jobs run.
"""

from __future__ import annotations

import sqlite3
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.clouds.moto_sshd import REGION, Moto
from tests.support.home import Home, wait_until
from tests.support.sshd import Sshd, make_key
from tests.support.typist import answering

pytestmark = [pytest.mark.sshd, pytest.mark.services, pytest.mark.timeout(300)]

CANARY = "cAnAry7f3a"
CLOUD, CLOUD_FILE, PHRASE, OF_RUN, HOOK, NEIGHBOUR = (
    f"{CANARY}-{name}" for name in ("cloud", "cloudfile", "phrase", "run", "hook", "neighbour")
)
PROFILE = f"""[default]
aws_access_key_id = AKIA7CANARY7FILE777
aws_secret_access_key = {CLOUD_FILE}
"""
WAITS = 'touch "$CLOUDTUI_ARTIFACTS/began"; while [ ! -e "$0" ]; do sleep 0.1; done; exit 3'


@pytest.fixture
def moto(sshd_here: None, tmp_path: Path) -> Iterator[Moto]:
    with Moto(tmp_path / "moto", hosts=True) as cloud:
        yield cloud


@pytest.fixture
def home(moto: Moto, tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "laptop"
    (folder / ".aws").mkdir(parents=True)
    (folder / ".aws" / "credentials").write_text(PROFILE)
    elsewhere = {
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / ".aws" / "credentials"),
        "LAMBDA_API_KEY": CLOUD,
        "AZURE_CLIENT_SECRET": CLOUD,
        "HF_TOKEN": NEIGHBOUR,
    }
    made = Home(folder / "home", moto.environment | elsewhere | {"AWS_SECRET_ACCESS_KEY": CLOUD})
    yield made
    made.close()


@pytest.fixture
def box(sshd_here: None, tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "box", user_key=make_key(tmp_path / "locked", passphrase=PHRASE)).start()
    yield server
    server.stop()


def at_a_terminal(home: Home, typed: str, *words: str) -> str:
    """A command at a terminal, where this is typed whenever a passphrase is asked for; what it printed."""
    status, seen = answering([sys.executable, "-m", "cloudtui", *words], home.env, "Passphrase", typed)
    assert status == 0, seen + home.log()
    return seen


# -- where it is looked for


def in_processes(ours: str) -> list[str]:
    """Processes whose arguments have a canary, or whose environment has one that is not theirs."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            arguments, environment = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
        except OSError:
            continue
        if CANARY.encode() in arguments:
            found.append(f"arguments of {arguments!r}")
        if b"CLOUDTUI_RUN=" in environment:  # a job: only the one that was given it may have a secret
            has = CANARY.encode() in environment.replace(f"MY_TOKEN={ours}".encode(), b"")
            found += [f"environment of {arguments!r}"] if has else []
    return found


def in_files(folder: Path) -> list[str]:
    return [
        str(file)
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink() and CANARY.encode() in file.read_bytes()
    ]


def in_catalog(file: Path) -> list[str]:
    """Tables and columns with a canary, packed or not."""
    found = []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in names:
            rows = db.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name of the schema
            columns = [one[0] for one in rows.description]
            found += [
                f"{table}.{column}"
                for row in rows
                for column, value in zip(columns, row, strict=True)
                if CANARY.encode() in unpacked(value)
            ]
    return found


def unpacked(value: object) -> bytes:
    if not isinstance(value, bytes):
        return str(value).encode()
    try:
        return value + zlib.decompress(value)
    except zlib.error:
        return value


def states(home: Home, begin: str = "") -> set[str]:
    return {str(run.status) for run in home.catalog().runs.list() if run.name.startswith(begin)}


# -- what is done


def test_secrets_are_nowhere_but_where_they_were_put(
    home: Home, moto: Moto, box: Sshd, tmp_path: Path
) -> None:
    said, go, out = [], tmp_path / "go", tmp_path / "out"
    out.mkdir()

    def run(*words: str) -> str:
        answer = home.run(*words)
        said.append(answer.out + answer.err)
        return answer.out

    run("settings", "set", "notify.webhook", f"http://127.0.0.1:9/{HOOK}")
    run("settings", "set", "notify.webhok", f"http://127.0.0.1:9/{HOOK}")  # as people mistype it
    run("run", "script", "--on", "local", "--secret", f"MY_TOKEN={OF_RUN}", "--", "true")
    for shown in (("get", "notify.webhook"), ("list",), ("list", "--json")):
        run("settings", *shown)
    home.json(
        "instance", "launch", "rented", "--provider", "aws", "--type", "g4dn.xlarge", "--region", REGION,
        "--deadline", "1h", "--follow",
    )  # fmt: skip
    address = f"{box.user}@{box.address}:{box.port}"
    said.append(at_a_terminal(
        home, PHRASE, "instance", "add", "box", "--ssh", address, "--key", str(box.user_key),
        "--root", str(box.root), "--accept-host-key", box.fingerprint,
    ))  # fmt: skip
    home.env["MY_TOKEN"] = OF_RUN
    job = ("--", "sh", "-c", WAITS, str(go))
    for host in ("rented", "box", "local"):
        home.json("run", "script", "--on", host, "--name", f"with-{host}", "--secret", "MY_TOKEN", *job)
    wait_until(lambda: states(home, "with") == {"running"}, 60, "the jobs that have a secret")
    home.json("engine", "stop")  # so that the next one is begun by somebody who has it exported
    said.append(at_a_terminal(home, PHRASE, "instance", "probe", "box"))
    for host in ("rented", "box", "local"):
        home.json("run", "script", "--on", host, "--name", f"beside-{host}", *job)
    wait_until(lambda: states(home) == {"running"}, 60, "those beside them")
    assert in_processes(OF_RUN) == []

    go.touch()
    home.kill_engine()
    said.append(at_a_terminal(home, PHRASE, "instance", "probe", "box"))
    wait_until(lambda: states(home) == {"failed"}, 60, "the end of all")
    names = [run.name for run in home.catalog().runs.list()]
    run("doctor")
    for name in ("x.html", "x.csv", "x.json"):
        run("run", "export", *names, str(out / name))
    run("backup", str(out / "backup.tar"))
    run("--debug", "provider", "check", "aws")
    del home.env["AWS_SECRET_ACCESS_KEY"], home.env["AWS_ACCESS_KEY_ID"]
    home.json("engine", "stop")
    run("provider", "check", "aws")  # with the file's
    run("instance", "terminate", "rented", "--lose", "with-rented,beside-rented", "--yes", "--follow")
    assert moto.count() == 0, said[-1] + home.log()
    run("log", "--json")
    with tarfile.open(out / "backup.tar") as tar:
        tar.extractall(out / "backup", filter="data")

    assert in_catalog(home.paths.catalog) == []
    assert in_catalog(out / "backup" / "catalog.db") == []
    assert in_files(home.paths.home) == [str(home.paths.home / "webhook")]
    assert in_files(out) == []
    assert in_files(box.folder) + in_files(tmp_path / "moto") == []
    assert CANARY not in "".join(said)
