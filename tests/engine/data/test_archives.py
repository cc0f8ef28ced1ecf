"""Archives: what they hold, and what strangers put into them."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image
from tests.engine.data.columns import NOISE, YES_NO

from cloudtui_engine.data import archives, build_dataset
from cloudtui_engine.errors import BadInputError, FailedError

Usage = namedtuple("Usage", "total used free")
TABLE = "a,y\n" + "".join(f"{a},{y}\n" for a, y in zip(NOISE, YES_NO, strict=True))


def members(classes=("cat", "dog"), below=""):
    """Pictures of each class."""
    found = {}
    for place in range(20):
        for number, name in enumerate(classes):
            picture = io.BytesIO()
            Image.fromarray(np.full((8, 8), place + 90 * number, np.uint8)).save(picture, "PNG")
            found[f"{below}{name}/{place:02}.png"] = picture.getvalue()
    return found


def packed(path, held):
    """An archive of the kind that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            for name, content in held.items():
                file.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
            for name, content in held.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    return str(path)


@pytest.mark.parametrize("name", ["pets.zip", "pets.tar", "pets.tar.gz"])
@pytest.mark.parametrize("below", ["", "pets/"])
def test_pictures_in_an_archive_are_those_of_its_folder(tmp_path, into, name, below):
    odd = {f"__MACOSX/{below}cat/._00.png": b"x", f"{below}.DS_Store": b"x"}
    made = build_dataset(packed(tmp_path / name, members(below=below) | odd), into, name="d")
    assert made.classes == ("cat", "dog")
    assert sum(made.splits.values()) == 40
    assert [path.name for path in into.iterdir()] == [made.sha256]


def test_a_table_in_an_archive_is_that_table(tmp_path, into):
    (tmp_path / "t.csv").write_text(TABLE)
    plain = build_dataset(str(tmp_path / "t.csv"), into, name="d")
    assert (
        build_dataset(packed(tmp_path / "t.zip", {"t/t.csv": TABLE}), into, name="d").sha256 == plain.sha256
    )


@pytest.mark.parametrize("kind", [".zip", ".tar"])
@pytest.mark.parametrize(
    "name", ["../up.csv", "/etc/up.csv", "a/../../up.csv", "a//b.csv", "a\n.csv", "d/" * 40]
)
def test_a_member_that_would_lie_elsewhere_refuses_the_whole(tmp_path, into, name, kind):
    with pytest.raises(BadInputError, match="cannot be a file here"):
        build_dataset(
            packed(tmp_path / f"x{kind}", {"t.csv": TABLE.encode(), f"{name}x": b"x"}), into, name="d"
        )
    assert not list(tmp_path.rglob("up.csv*"))
    assert not any(into.iterdir())


def test_links_are_refused(tmp_path, into):
    with tarfile.open(tmp_path / "x.tar", "w") as file:
        link = tarfile.TarInfo("t.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        info = zipfile.ZipInfo("t.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    for name in ("x.tar", "x.zip"):
        with pytest.raises(BadInputError, match="it is a link"):
            build_dataset(str(tmp_path / name), into, name="d")


def test_two_members_of_one_path_are_refused(tmp_path, into):
    with pytest.raises(BadInputError, match="another one has that path"):
        build_dataset(packed(tmp_path / "x.tar", {"a": b"x", "a/b.csv": b"y"}), into, name="d")


def test_a_damaged_one_and_one_that_does_not_fit_are_said(tmp_path, into, monkeypatch):
    whole = packed(tmp_path / "x.zip", {"t.csv": TABLE})
    damaged = tmp_path / "y.zip"
    damaged.write_bytes((tmp_path / "x.zip").read_bytes().replace(b"a,y", b"b,y"))
    with pytest.raises(BadInputError, match=r"y.zip cannot be unpacked: Bad CRC"):
        build_dataset(str(damaged), into, name="d")
    monkeypatch.setattr(archives, "MARGIN", shutil.disk_usage(tmp_path).free)
    with pytest.raises(FailedError, match=r"no room to unpack x.zip"):
        build_dataset(whole, into, name="d")
    assert not any(into.iterdir())


def test_where_it_was_unpacked_is_in_no_message(tmp_path, into):
    with pytest.raises(BadInputError, match=r"Cannot use x.zip: .*class folder"):
        build_dataset(packed(tmp_path / "x.zip", {"a.txt": b"x", "b.txt": b"y"}), into, name="d")
