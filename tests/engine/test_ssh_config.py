"""The user's SSH configuration, read as ssh reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudtui_engine import ssh_config
from cloudtui_engine.errors import BadInputError, RefusedError


def config(folder: Path, text: str) -> Path:
    path = folder / "config"
    path.write_text(text)
    return path


def test_a_host_block_gives_address_user_port_and_keys(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        f"Host gpu\n HostName 10.1.2.3\n User ada\n Port 2222\n"
        f" IdentityFile {tmp_path}/a\n IdentityFile {tmp_path}/b\n"
        f" IdentitiesOnly yes\n HostKeyAlias gpu-key\n UserKnownHostsFile {tmp_path}/k1 {tmp_path}/k2\n",
    )
    found = ssh_config.resolve("gpu", name="box-2", config=path)
    assert (found.name, found.host, found.user, found.port) == ("box-2", "10.1.2.3", "ada", 2222)
    assert found.identity_files == (f"{tmp_path}/a", f"{tmp_path}/b")
    assert found.identities_only
    assert found.host_key_alias == "gpu-key"
    assert {tmp_path / "k1", tmp_path / "k2"} <= set(found.known_hosts_files)


def test_what_the_user_typed_goes_before_the_configuration(tmp_path: Path) -> None:
    path = config(tmp_path, "Host gpu\n HostName 10.1.2.3\n User ada\n Port 2222\n")
    found = ssh_config.resolve("gpu", "bob", 2200, "~/k", config=path)
    assert (found.user, found.port, found.key_file) == ("bob", 2200, "~/k")
    assert ssh_config.resolve("gpu", port=22, config=path).port == 2222


def test_jumps_are_resolved_by_their_own_blocks_in_order(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        "Host gpu\n HostName 10.0.0.3\n ProxyJump inner,eve@10.0.0.9:2209\n"
        "Host inner\n HostName 10.0.0.2\n User ada\n ProxyJump outer\n"
        "Host outer\n HostName 10.0.0.1\n Port 2201\n",
    )
    hops = ssh_config.resolve("gpu", config=path).jumps
    assert [(hop.host, hop.port) for hop in hops] == [
        ("10.0.0.1", 2201),
        ("10.0.0.2", 22),
        ("10.0.0.9", 2209),
    ]
    assert [hop.user for hop in hops][1:] == ["ada", "eve"]


def test_a_circle_of_jumps_is_refused(tmp_path: Path) -> None:
    path = config(tmp_path, "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(RefusedError, match="jumps"):
        ssh_config.resolve("a", config=path)


def test_a_proxy_command_is_refused_with_a_hint(tmp_path: Path) -> None:
    path = config(tmp_path, "Host gpu\n ProxyCommand nc %h %p\n")
    with pytest.raises(RefusedError) as raised:
        ssh_config.resolve("gpu", config=path)
    assert "ProxyJump" in raised.value.hint
    assert "--via ssh" in raised.value.hint
    assert raised.value.code == "needs_ssh"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("PKCS11Provider /usr/lib/card.so", "a smart card"),
        ("IdentityAgent /run/other", "another agent"),
        ("CertificateFile ~/.ssh/c-cert.pub", "a certificate"),
        ("IdentityFile {0}/fido", "a FIDO key"),
        ("GSSAPIAuthentication yes", ""),
        ("IdentityAgent SSH_AUTH_SOCK", ""),
        ("IdentityFile {0}/plain", ""),
    ],
)
def test_what_only_ssh_can_do_is_known(tmp_path: Path, line: str, what: str) -> None:
    (tmp_path / "fido.pub").write_text("sk-ssh-ed25519@openssh.com AAAA me\n")
    (tmp_path / "plain.pub").write_text("ssh-ed25519 AAAA me\n")
    found = ssh_config.resolve("gpu", config=config(tmp_path, f"Host gpu\n {line.format(tmp_path)}\n"))
    assert found.beyond.startswith(what)
    assert bool(found.beyond) == bool(what)


@pytest.mark.parametrize("name", ["", "-oProxyCommand=touch /tmp/x", "a b", "a\nb", "x" * 300])
def test_what_is_no_host_name_is_never_given_to_ssh(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="no host name"):
        ssh_config.resolve(name, config=config(tmp_path, ""))


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="does not accept"):
        ssh_config.resolve("gpu", config=config(tmp_path, "Host gpu\n NoSuchOption x\n"))


def test_without_ssh_plain_blocks_are_read_and_a_warning_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudtui_engine.ssh_config.shutil.which", lambda _name: None)
    path = config(tmp_path, "Host gpu\n HostName 10.1.2.3\n User ada\n IdentityFile /k\n ProxyJump far\n")
    found = ssh_config.resolve("gpu", config=path)
    assert (found.host, found.user, found.identity_files) == ("10.1.2.3", "ada", ("/k",))
    assert [hop.host for hop in found.jumps] == ["far"]
    assert found.warnings


def test_hosts_are_listed_without_wildcards_and_with_includes(tmp_path: Path) -> None:
    (tmp_path / "more.d").mkdir()
    (tmp_path / "more.d" / "lab").write_text('Host lab-1 "lab-2"\n')
    path = config(
        tmp_path,
        "Include more.d/*\nInclude missing\n# Host hidden\nHost gpu *.example.com !not\nhost=equals\n"
        "Host gpu\nMatch host x\n User y\nHost -bad\n",
    )
    assert ssh_config.list_hosts(path) == ["lab-1", "lab-2", "gpu", "equals"]


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no SSH configuration"):
        ssh_config.list_hosts(tmp_path / "none")
