"""What a machine is told at its first boot, read as cloud-init and a shell read it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloudtui_engine.fleet import boot, trust
from cloudtui_host import switch, switch_script

LINE = "ssh-ed25519 AAAAC3Nza me@here"


def parsed(lifetime_s: int = 7200, idle_s: int = 0, key: trust.HostKey | None = None) -> dict[str, Any]:
    text = boot.user_data(key or trust.new_host_key(), LINE, lifetime_s=lifetime_s, idle_s=idle_s)
    assert text.startswith("#cloud-config\n")
    assert text.isascii()
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def files(config: dict[str, Any]) -> dict[str, str]:
    return {one["path"]: one["content"] for one in config["write_files"]}


def check_shell(text: str) -> None:
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_it_gives_the_host_key_and_lets_us_in() -> None:
    key = trust.new_host_key()
    config = parsed(key=key)
    assert config["ssh_keys"]["ed25519_private"] == key.private
    assert config["ssh_keys"]["ed25519_public"].startswith(key.public)
    assert config["ssh_deletekeys"] is True
    assert config["ssh_authorized_keys"] == [LINE]
    assert config["ssh_pwauth"] is False


def test_it_arms_the_switch() -> None:
    config = parsed(idle_s=1800)
    written = files(config)
    folder = switch.BOOTED
    assert written[f"{folder}/switch"] == switch_script.SCRIPT
    assert written[f"{folder}/limit"] == "7200\n"
    assert written[f"{folder}/idle_s"] == "1800\n"
    assert list(written)[-1] == f"{folder}/limit", "it arms, so it comes last"
    assert files(parsed(lifetime_s=0))[f"{folder}/limit"] == "never\n"
    assert f"{folder}/idle_s" not in files(parsed())
    for name in ("switch", "power-off"):
        check_shell(written[f"{folder}/{name}"])
    for command in config["runcmd"]:
        assert command[:2] == ["sh", "-c"]
        check_shell(command[2])


def test_its_units_are_good(tmp_path: Path) -> None:
    written = files(parsed())
    units = [tmp_path / Path(path).name for path in written if path.startswith("/etc/systemd")]
    for unit in units:
        unit.write_text(written[f"/etc/systemd/system/{unit.name}"])
    try:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, units)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("systemd-analyze is not installed")
    if "Failed to" in done.stderr and "manager" in done.stderr:
        pytest.skip("systemd-analyze cannot work here")
    assert [line for line in done.stderr.splitlines() if "cloudtui-switch" in line] == []


def test_it_fits_into_the_smallest_clouds_user_data() -> None:
    text = boot.user_data(trust.new_host_key(), LINE, lifetime_s=10**7, idle_s=10**6)
    assert len(text.encode()) < boot.MOST_BYTES


def test_a_machine_that_costs_the_same_when_it_is_off_stays_on() -> None:
    text = boot.user_data(trust.new_host_key(), LINE, lifetime_s=60, ends=False)
    written = files(yaml.safe_load(text))
    check_shell(written[f"{boot.FOLDER}/power-off"])
    assert "poweroff" not in written[f"{boot.FOLDER}/power-off"]
    assert "poweroff" in files(parsed())[f"{boot.FOLDER}/power-off"]


def test_a_container_lets_us_in_and_keeps_its_switch(tmp_path: Path) -> None:
    made = boot.start_command("ssh-ed25519 AAAA it's me", lifetime_s=7200)
    check_shell(made)
    folder = tmp_path / "state"
    # Its loop is not begun: the switch has tests of its own.
    command = made.replace(boot.FOLDER, str(folder)).replace("setsid", ": setsid")
    for _ in range(2):
        subprocess.run(
            ["sh", "-c", command], env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True
        )
    assert (tmp_path / ".ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA it's me\n"
    assert (folder / "switch").read_text() == switch_script.SCRIPT
    assert (folder / "wish").read_text().split()[0] == "7200"
    check_shell((folder / "power-off").read_text())
    assert "poweroff" not in (folder / "power-off").read_text()
