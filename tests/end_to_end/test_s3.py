"""Data from S3 to a dataset by real processes before moto: cut on the way, killed, gone on with."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from tests.support.clouds.moto_sshd import KEY, SECRET, Moto
from tests.support.home import Home, wait_until
from tests.support.proxy import Proxy

pytestmark = pytest.mark.services

ROWS = 60_000


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture
def proxy(moto: Moto) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", urlsplit(moto.endpoint).port or 0)) as between:
        yield between


@pytest.fixture
def home(tmp_path: Path, moto: Moto, proxy: Proxy) -> Iterator[Home]:
    way = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}", "OMP_NUM_THREADS": "1"}
    made = Home(tmp_path / "laptop" / "home", env={**moto.environment, **way})
    yield made
    made.close()


@pytest.fixture(scope="module")
def s3(moto: Moto) -> Any:
    import boto3

    client = boto3.client(
        "s3", endpoint_url=moto.endpoint, region_name="us-east-1",
        aws_access_key_id=KEY, aws_secret_access_key=SECRET,
    )  # fmt: skip
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    return client


def written_anywhere(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def test_a_table_is_fetched_over_a_cut_and_a_killed_engine(home: Home, proxy: Proxy, s3: Any) -> None:
    noise = np.random.default_rng(1).random((ROWS, 2))
    table = "a,b,y\n" + "".join(f"{a:.9f},{b:.9f},{'yes' if a > b else 'no'}\n" for a, b in noise)
    version = s3.put_object(Bucket="data", Key="in/t.csv", Body=table.encode())["VersionId"]
    proxy.rate = 1.0e6
    with home.popen("--json", "dataset", "add", "towns", "s3://data/in/t.csv", "--target", "y") as command:
        wait_until(lambda: done(home) > 200_000, what="bytes on their way")
        proxy.reset()
        before = done(home)
        wait_until(lambda: done(home) > before + 200_000, what="more of them after the cut")
        assert home.kill_engine()
        proxy.rate = None
        out, err = command.communicate(timeout=90)
    assert command.returncode == 0, f"{out}\n{err}\n{home.log()}"
    made = home.json("dataset", "show", "towns")
    assert (made["source"], made["taken"]["version"]) == ("s3://data/in/t.csv", version)
    assert sum(made["splits"].values()) == ROWS
    # What goes through twice is what was on its way when the line or the engine ended, and not the whole.
    assert proxy.down < 1.6 * len(table)
    assert not any((home.paths.home / "downloads" / "objects").iterdir())
    assert written_anywhere(home.paths.home.parent, SECRET) == []


def done(home: Home) -> int:
    if not home.paths.catalog.exists():
        return 0
    asked = home.catalog().operations.list(1)
    return int(asked[0].progress.get("done") or 0) if asked else 0


def put_picture(s3: Any, number: int) -> None:
    picture = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 90, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels + np.uint8(number % 2 * 120)).save(picture, "PNG")
    key = f"pets/{('cat', 'dog')[number % 2]}/{number:03}.png"
    s3.put_object(Bucket="data", Key=key, Body=picture.getvalue())


def test_a_folder_of_three_hundred_pictures_is_a_dataset_and_a_hostile_key_is_none(
    home: Home, proxy: Proxy, s3: Any
) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: put_picture(s3, number), range(300)))
    made = home.json("dataset", "add", "pets", "s3://data/pets")
    assert (made["classes"], sum(made["splits"].values())) == (["cat", "dog"], 300)
    assert (made["taken"]["objects"], len(made["taken"]["listing"])) == (300, 64)
    s3.put_object(Bucket="data", Key="pets/cat/../../../up.png", Body=b"x")
    connections = proxy.connections
    refused = home.run("--json", "dataset", "add", "pets", "s3://data/pets/")
    assert (refused.status, refused.json["error"]["code"]) == (5, "bad_input")
    assert "'..'" in refused.json["error"]["message"]
    assert proxy.connections - connections <= 2, "nothing is fetched"
    assert not list(home.paths.home.parent.rglob("up.png"))
    missing = home.run("--json", "dataset", "add", "pets", "s3://data/dogs/")
    assert (missing.status, missing.json["error"]["code"]) == (3, "not_found")
