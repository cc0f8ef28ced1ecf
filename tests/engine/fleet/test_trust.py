"""Keys: made once, readable by nobody else, told to nobody."""

from __future__ import annotations

import base64
import stat
import subprocess
import threading
from pathlib import Path

import paramiko

from cloudtui_engine.fleet import trust
from cloudtui_engine.paths import Paths


def test_the_key_of_an_installation_is_made_once_and_is_this_users(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    path = trust.key_file(paths)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    assert trust.key_file(paths).read_bytes() == before
    line = trust.authorized_key(paths)
    assert line.startswith("ssh-ed25519 AAAA")
    assert path.with_name("id_ed25519.pub").read_text().strip() == line
    key = paramiko.PKey.from_path(path)
    assert base64.b64encode(key.asbytes()).decode() == line.split()[1]
    assert sorted(one.name for one in path.parent.iterdir()) == ["id_ed25519", "id_ed25519.pub"]


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(trust.authorized_key(paths))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_host_key_is_one_that_ssh_takes_and_is_not_shown(tmp_path: Path) -> None:
    key = trust.new_host_key()
    file = tmp_path / "key"
    file.write_text(key.private)
    file.chmod(0o600)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], check=True, capture_output=True, text=True)
    assert shown.stdout.split()[:2] == key.public.split()
    assert "PRIVATE" not in repr(key)
    assert trust.new_host_key().public != key.public


def test_a_payload_is_wiped_of_its_private_key_and_of_nothing_else() -> None:
    secret = trust.new_host_key().private
    plain = f"#cloud-config\n{secret}"
    payload = {
        "type": "g5.xlarge",
        "UserData": plain,
        "list": [{"data": base64.b64encode(plain.encode()).decode()}, 3, None],
        "token": "abc-1",
    }
    assert trust.has_secrets(payload)
    wiped = trust.without_secrets(payload)
    assert wiped == {
        "type": "g5.xlarge", "UserData": trust.WIPED, "list": [{"data": trust.WIPED}, 3, None],
        "token": "abc-1",
    }  # fmt: skip
    assert not trust.has_secrets(wiped)
