"""CLI.md holds: every command, exit statuses, fields, one JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tui.cli.conftest import Said
from tests.tui.cli.fake_engine import DONE, FAILED, FINGERPRINT, LIVE, FakeEngine, a_dataset, a_run

from cloudtui import actions
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.instance import Address
from cloudtui_engine.records.run import RunState

Cli = Callable[..., Said]
COMMANDS = [action.command for action in actions.ACTIONS if "cli" in action.faces]
RUN_FIELDS = {
    "id",
    "name",
    "status",
    "attempt",
    "instances",
    "dataset",
    "task",
    "model",
    "params",
    "metrics",
    "created_at",
    "started_at",
    "ended_at",
    "duration_s",
    "cost_usd",
    "exit_code",
    "reason",
    "artifacts",
    "tags",
    "note",
}
INSTANCE_FIELDS = {
    "id",
    "name",
    "provider",
    "wanted",
    "cloud_state",
    "link_state",
    "address",
    "price_usd_per_hour",
    "cost_usd",
    "gpus",
    "facts",
    "seen_at",
}
DATASET_FIELDS = {"id", "name", "version", "task", "sha256", "size_bytes", "splits", "classes", "instances"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(cli: Cli, command: tuple[str, ...]) -> None:
    said = cli(*command, "--help")
    assert said.status == 0
    assert "--json" in said.out
    assert said.err == ""


def test_help_and_version(cli: Cli) -> None:
    assert all(
        noun in cli("--help").out for noun in ("instance", "dataset", "run", "model", "doctor", "demo")
    )
    assert cli("--version").out.startswith("cloudtui ")
    assert cli("run", "--help").status == 0


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("run", "nonsense"),
        ("run",),
        ("run", "show"),
        ("run", "start"),
        ("run", "list", "--limit", "many"),
        ("run", "list", "--limit", "0"),
        ("run", "list", "--filter", "(("),
        ("run", "tag", "x"),
        ("run", "compare", "one"),
        ("run", "start", "--dataset", "d", "--set", "epochs"),
        ("run", "start", "--dataset", "digits", "--on", "local,box"),
        ("run", "script", "--on", "local"),
        ("run", "script", "--on", "local", "--dir", "/no/such/folder", "--", "true"),
        ("run", "script", "--on", "local", "--secret", "NOT_THERE", "--", "true"),
        ("instance", "add", "box", "--ssh", "host:99999"),
        ("instance", "add", "box", "--ssh", "-oProxyCommand=x"),
        ("instance", "add", "a,b", "--ssh", "host"),
        ("instance", "add", "box", "--ssh", "host", "--key", "/no/such/key"),
        ("demo", "--epochs", "0"),
        (),
    ],
)
def test_wrong_usage_is_2(cli: Cli, catalog: Catalog, words: tuple[str, ...]) -> None:
    a_dataset(catalog)
    a_run(catalog, "one", *DONE)
    a_run(catalog, "x", *DONE)
    catalog.instances.add(_box())
    said = cli(*words, "--json") if "--" not in words else cli("--json", *words)
    assert said.status == 2
    assert {"code", "message", "hint"} <= set(said.json["error"])
    assert "Traceback" not in said.err


def _box():  # type: ignore[no-untyped-def]
    from cloudtui_engine.records.instance import Address, Instance

    return Instance("cbox000000000000", "box", "ssh", Address("box"))


@pytest.mark.parametrize(
    "words",
    [
        ("run", "show", "nothing"),
        ("run", "logs", "nothing"),
        ("run", "logs", "one", "--attempt", "7"),
        ("instance", "show", "nothing"),
        ("dataset", "show", "nothing"),
        ("model", "show", "nothing"),
        ("run", "start", "--dataset", "nothing"),
        ("run", "start", "--dataset", "digits", "--on", "nothing"),
    ],
)
def test_no_such_thing_is_3(cli: Cli, catalog: Catalog, words: tuple[str, ...]) -> None:
    a_dataset(catalog)
    a_run(catalog, "one", *DONE)
    said = cli("--json", *words)
    assert (said.status, said.json["error"]["code"]) == (3, "not_found")
    assert cli(*words).out == ""


def test_errors_for_people_go_to_stderr(cli: Cli) -> None:
    said = cli("run", "show", "nothing")
    assert said.out == ""
    assert "nothing" in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in cli("run", "show", "nothing", "--debug").err


def test_a_defect_is_told_without_a_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudtui.handlers.run.show", lambda *_a, **_k: 1 / 0)
    said = cli("run", "show", "x", "--json")
    assert (said.status, said.json["error"]["code"]) == (5, "internal")
    assert said.err == ""


def test_a_run_goes_on_on_another_machine(cli: Cli, catalog: Catalog) -> None:
    failed = a_run(catalog, "failed", *FAILED)
    catalog.instances.add(_box())
    said = cli("run", "resume", failed.id, "--on", "box", "--json")
    assert (said.status, said.json["instances"]) == (0, ["box"])
    assert catalog.runs.attempt(failed.id, 2).instance_id == _box().id


def test_refused_is_4(cli: Cli, catalog: Catalog, tmp_path: Path) -> None:
    live = a_run(catalog, "live", *LIVE)
    done = a_run(catalog, "done", *DONE)
    catalog.instances.add(_box())
    backup = tmp_path / "b.tar"
    assert cli("backup", str(backup)).status == 0
    for words in (
        ("run", "delete", live.id),
        ("run", "stop", done.id),
        ("run", "resume", done.id),
        ("run", "resume", live.id),
        ("run", "rename", live.id, "done"),
        ("instance", "add", "box", "--ssh", "other"),
        ("instance", "add", "local", "--ssh", "other"),
        ("instance", "forget", "local"),
        ("restore", str(backup)),
    ):
        said = cli(*words, "--json")
        assert said.status == 4, words
        assert said.json["error"]["hint"] or words[1:2] == ("forget",)


def test_unknown_host_key_is_4_and_the_fingerprint_is_told(cli: Cli, catalog: Catalog) -> None:
    said = cli("instance", "add", "box", "--ssh", "ann@host:2222", "--json")
    assert (said.status, said.json["error"]["code"]) == (4, "host_key_unknown")
    assert FINGERPRINT in said.json["error"]["message"]
    assert f"--accept-host-key {FINGERPRINT}" in said.json["error"]["hint"]
    assert [one.state for one in catalog.operations.list(10)] == ["cancelled"]
    other = cli("instance", "add", "box", "--ssh", "host", "--accept-host-key", "SHA256:other", "--json")
    assert (other.status, "not SHA256:other" in other.json["error"]["message"]) == (4, True)
    said = cli("instance", "add", "box", "--ssh", "ann@host:2222", "--accept-host-key", FINGERPRINT, "--json")
    assert said.status == 0
    assert said.json.keys() >= INSTANCE_FIELDS
    assert said.json["address"] == "ann@host:2222"


def test_unreachable_is_6(cli: Cli, engine: FakeEngine) -> None:
    said = cli("instance", "add", "box", "--ssh", "nowhere", "--json")
    assert (said.status, said.json["error"]["code"]) == (6, "unreachable")
    engine.hosts = {"box": "box does not answer."}
    said = cli("run", "sync", "--json")
    assert (said.status, said.json["hosts"]) == (6, {"box": "box does not answer."})
    engine.hosts = {}
    assert cli("run", "sync").status == 0


def test_run_start_returns_the_accepted_run(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    engine.outcome = "runs on"
    a_dataset(catalog)
    said = cli(
        "run",
        "start",
        "--dataset",
        "digits",
        "--on",
        "local",
        "--set",
        "epochs=3",
        "--set",
        "lr=1e-3",
        "--set",
        "ema=true",
        "--set",
        "opt=adamw",
        "--name",
        "mine",
        "--json",
    )
    assert said.status == 0
    assert said.json.keys() >= RUN_FIELDS
    assert said.json["params"] == {"epochs": 3, "lr": 0.001, "ema": True, "opt": "adamw"}
    assert (said.json["name"], said.json["instances"], said.json["dataset"]) == ("mine", ["local"], "digits")
    assert said.json["created_at"].endswith("Z")
    again = cli("run", "start", "--dataset", "digits", "--name", "mine", "--json")
    assert (again.status, again.json["error"]["code"]) == (4, "name_taken")


def test_follow_returns_the_finished_run(cli: Cli, catalog: Catalog) -> None:
    a_dataset(catalog)
    said = cli("run", "start", "--dataset", "digits", "--follow", "--json")
    assert (said.status, said.json["status"]) == (0, "succeeded")
    assert {one["name"] for one in said.json["artifacts"]} == {"model.onnx", "report.json"}
    assert "running" in said.err or "succeeded" in said.err
    other = cli("run", "again", said.json["id"], "--set", "lr=0.5", "--follow", "--json")
    assert (other.status, other.json["params"]) == (0, {"lr": 0.5})


def test_a_followed_run_that_fails_is_5_and_is_shown(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    engine.outcome = "failed"
    a_dataset(catalog)
    said = cli("run", "start", "--dataset", "digits", "--follow", "--json")
    assert (said.status, said.json["status"], said.json["reason"]) == (5, "failed", "Out of memory.")
    assert cli("run", "resume", said.json["id"], "--follow").status == 5
    assert cli("run", "show", said.json["id"]).status == 0


def test_no_free_gpu_is_4(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    engine.outcome = "busy"
    a_dataset(catalog)
    local = catalog.instances.ensure_local()
    catalog.instances.update(local.id, gpus=[{"name": "A100", "memory_bytes": 1}])
    for more in ((), ("--follow",)):
        said = cli("run", "start", "--dataset", "digits", "--gpus", "auto", "--json", *more)
        assert (said.status, said.json["error"]["code"]) == (4, "gpu_busy")
        assert "ann" in said.json["error"]["message"]


def test_ctrl_c_leaves_the_run_running(
    cli: Cli, catalog: Catalog, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.outcome = "runs on"
    a_dataset(catalog)
    seen: list[float] = []

    def interrupted(seconds: float) -> None:
        seen.append(seconds)
        if catalog.runs.list()[0].status is RunState.RUNNING:
            raise KeyboardInterrupt

    monkeypatch.setattr("cloudtui.handlers.follow.time.sleep", interrupted)
    said = cli("run", "start", "--dataset", "digits", "--name", "mine", "--follow", "--json")
    assert (said.status, said.json["error"]["code"]) == (130, "interrupted")
    assert "cloudtui run logs" in said.json["error"]["hint"]
    assert catalog.runs.find("mine").status is RunState.RUNNING


def test_script_ships_words_env_and_secrets(
    cli: Cli, catalog: Catalog, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print(1)\n")
    said = cli(
        "run",
        "script",
        "--json",
        "--on",
        "local",
        "--dir",
        str(tmp_path / "code"),
        "--env",
        "A=1=2",
        "--secret",
        "TOKEN",
        "--",
        "python",
        "train.py",
        "--json",
        "--lr",
        "3",
    )
    assert said.status == 0, said
    run = catalog.runs.find(said.json["id"])
    assert run.spec["command"] == ["python", "train.py", "--json", "--lr", "3"]
    assert run.spec["env"] == {"A": "1=2"}
    assert engine.secrets == {run.id: {"TOKEN": "s3cret"}}
    kept = b"".join(path.read_bytes() for path in catalog.paths.home.rglob("*") if path.is_file())
    assert b"s3cret" not in kept


def test_stop(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    live = a_run(catalog, "live", *LIVE)
    assert cli("run", "stop", "live", "--json").json["id"] == live.id


def test_lists_are_lists_and_globals_stand_anywhere(cli: Cli, catalog: Catalog, tmp_path: Path) -> None:
    a_dataset(catalog)
    a_run(catalog, "one", *DONE, params={"lr": 0.1})
    a_run(catalog, "two", *FAILED)
    assert cli("instance", "list", "--json").json[0].keys() >= INSTANCE_FIELDS
    assert cli("dataset", "list", "--json").json[0].keys() >= DATASET_FIELDS
    assert cli("dataset", "show", "digits", "--json").json["splits"] == {
        "train": 10,
        "validation": 2,
        "test": 3,
    }
    assert cli("model", "list", "--json").json == []
    assert [run["name"] for run in cli("run", "list", "--json").json] == ["two", "one"]
    assert [run["name"] for run in cli("--json", "run", "list", "--filter", "status:failed").json] == ["two"]
    assert [run["name"] for run in cli("run", "--json", "list", "--sort", "name").json] == ["one", "two"]
    assert len(cli("run", "list", "--limit", "1", "--json").json) == 1
    other = str(tmp_path / "other")
    assert cli("--home", other, "run", "list", "--json").json == []
    assert cli("run", "list", "--json", "--home", other).json == []


def test_keeping(cli: Cli, catalog: Catalog) -> None:
    run = a_run(catalog, "one", *DONE)
    assert cli("run", "tag", "one", "a", "b", "--json").json["tags"] == ["a", "b"]
    assert cli("run", "tag", "one", "--remove", "a", "--json").json["tags"] == ["b"]
    assert cli("run", "note", "one", "a note", "--json").json["note"] == "a note"
    assert cli("run", "rename", run.id[:12], "uno", "--json").json["name"] == "uno"
    assert cli("run", "delete", "uno", "--json").status == 0
    assert cli("run", "list", "--json").json == []
    assert [one["id"] for one in cli("run", "list", "--deleted", "--json").json] == [run.id]
    assert cli("run", "restore", "uno", "--json").json["deleted_at"] is None


def test_compare(cli: Cli, catalog: Catalog) -> None:
    a_run(catalog, "one", *DONE, params={"lr": 0.1, "epochs": 3})
    a_run(catalog, "two", *DONE, params={"lr": 0.2, "epochs": 3})
    said = cli("run", "compare", "one", "two", "--json").json
    assert [run["name"] for run in said["runs"]] == ["one", "two"]
    assert {d["key"]: (d["values"], d["differs"]) for d in said["params"]}["lr"] == ([0.1, 0.2], True)
    text = cli("run", "compare", "one", "two").out
    assert "lr" in text
    assert "epochs" not in text


def test_logs(cli: Cli, catalog: Catalog) -> None:
    a_dataset(catalog)
    run = cli("run", "start", "--dataset", "digits", "--follow", "--json").json["id"]
    assert cli("run", "logs", run).out == "epoch 1\nbar 100%\nepoch 2\n"
    assert cli("run", "logs", run, "--tail", "1").out == "epoch 2\n"
    assert cli("run", "logs", run, "--json").json["lines"] == ["epoch 1", "bar 100%", "epoch 2"]
    followed = cli("run", "logs", run, "-f", "--json").out.splitlines()
    assert [json.loads(line)["line"] for line in followed] == ["epoch 1", "bar 100%", "epoch 2"]


def test_metrics_have_null_for_nan(cli: Cli, catalog: Catalog, tmp_path: Path) -> None:
    from tests.tui.cli.fake_engine import some_points

    run = a_run(catalog, "one", *LIVE)
    some_points(catalog, run, tmp_path)
    (series,) = cli("run", "metrics", "one", "--json").json
    assert (series["key"], series["steps"], series["values"]) == ("train/loss", [0, 1], [0.5, None])
    assert series["times"][0] == "1970-01-01T00:16:40.000Z"
    assert cli("run", "metrics", "one", "--key", "other", "--json").json == []
    assert "train/loss" in cli("run", "metrics", "one").out


def test_models(cli: Cli, catalog: Catalog, tmp_path: Path) -> None:
    a_dataset(catalog)
    cli("run", "start", "--dataset", "digits", "--name", "net", "--follow")
    assert cli("model", "show", "net", "--json").json["reports"]["evaluation/test"]["n"] == 360
    assert cli("model", "alias", "net", "best", "--json").json["alias"] == ["best"]
    assert cli("model", "alias", "net", "net").status == 4
    target = tmp_path / "mine.onnx"
    said = cli("model", "export", "best", str(target), "--json")
    assert (said.status, target.stat().st_size) == (0, said.json["size_bytes"])
    assert cli("model", "export", "best", str(target)).status == 0
    target.write_bytes(b"mine")
    assert cli("model", "export", "best", str(target)).status == 4
    assert cli("model", "export", "best", str(target), "--yes").status == 0
    assert cli("model", "export", "best", str(tmp_path / "x.pt")).status == 2
    kept = catalog.paths.file(said.json["sha256"])
    kept.chmod(0o600)
    kept.write_bytes(b"damaged")
    assert cli("model", "export", "best", str(tmp_path / "damaged.onnx")).status == 5
    assert list(tmp_path.glob(".*")) == list(tmp_path.glob("damaged*")) == []
    kept.unlink()
    gone = cli("model", "export", "best", str(tmp_path / "other.onnx"), "--json")
    assert (gone.status, gone.json["error"]["code"]) == (5, "gone")
    assert "cloudtui run pull" in gone.json["error"]["hint"]


def test_push_and_probe(cli: Cli, catalog: Catalog) -> None:
    a_dataset(catalog)
    assert cli("dataset", "push", "digits", "local", "--follow", "--json").json["instances"] == ["local"]
    assert cli("instance", "probe", "local", "--json").json["facts"]["os"] == "Linux"
    assert cli("run", "import", "--json").json == []


def test_demo(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    a_dataset(catalog)
    said = cli("demo", "--headless", "--epochs", "2", "--json")
    assert said.status == 0
    assert (said.json["accuracy"], said.json["n"]) == (0.95, 360)
    assert said.json["confidence"] == {"accuracy": [0.92, 0.97]}
    assert said.json["run"]["name"] == "demo-1"
    assert said.json["run"]["params"] == {"epochs": 2}
    assert said.json["confusions"][0] == {"truth": "3", "predicted": "5", "count": 10}
    text = cli("demo").out
    assert "95.00%" in text
    assert "demo-2" in text
    engine.outcome = "failed"
    said = cli("demo", "--headless")
    assert said.status == 5
    assert "Out of memory." in said.out
    assert "epoch 2" in said.out


def test_doctor_and_engine(cli: Cli, catalog: Catalog) -> None:
    said = cli("doctor", "--json")
    assert said.status == 0
    assert {check["name"] for check in said.json["checks"]} >= {"python", "ssh", "catalog", "engine", "disk"}
    assert cli("engine", "status", "--json").json["running"] is False
    assert cli("engine", "stop", "--json").json == {"was_running": False}


def test_doctor_finds_a_damaged_catalog(cli: Cli, catalog: Catalog) -> None:
    catalog.close()
    catalog.paths.catalog.write_bytes(b"no database at all" * 100)
    said = cli("doctor", "--json")
    assert said.status == 5
    (check,) = [check for check in said.json["checks"] if check["name"] == "catalog"]
    assert check["status"] == "fail"
    assert check["hint"]
    assert cli("run", "list", "--json").status == 5


def test_import_from_ssh_config(cli: Cli, catalog: Catalog, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "Host box\n HostName 10.0.0.5\n User ann\n Port 2222\nHost *.lab gpu? \n User bob\nHost two\n"
    )
    said = cli("instance", "import", "--from", str(config), "--json")
    assert {one["name"]: one["address"] for one in said.json}["box"] == "ann@10.0.0.5:2222"
    assert [one["name"] for one in said.json] == ["box", "two"]
    assert cli("instance", "import", "--from", str(config), "--json").json == []
    assert cli("instance", "import", "--from", str(tmp_path / "none")).status == 5
    assert cli("instance", "forget", "box", "--json").status == 0
    assert [one["name"] for one in cli("instance", "list", "--json").json] == ["local", "two"]
    assert "off the list" in cli("instance", "forget", "two").out


def test_an_imported_host_keeps_its_name_where_ssh_must_look_it_up(
    cli: Cli, catalog: Catalog, tmp_path: Path
) -> None:
    config, key = tmp_path / "config", tmp_path / "key"
    key.write_text("")
    config.write_text(
        f"Host box\n HostName 10.0.0.5\n User ann\n IdentityFile {key}\n"
        "Host inner\n HostName 10.0.0.6\n ProxyJump box\n"
        "Host known\n HostName 10.0.0.7\n HostKeyAlias other\n"
        "Host piped\n HostName 10.0.0.8\n ProxyCommand nc %h %p\n"
    )
    assert cli("instance", "import", "--from", str(config), "--json").status == 0
    found = {one.name: one.address for one in catalog.instances.list()}
    assert found["box"] == Address("10.0.0.5", "ann", 22, str(key))
    for name in ("inner", "known", "piped"):
        assert found[name] == Address(name)


def test_backup_and_restore(cli: Cli, catalog: Catalog, tmp_path: Path) -> None:
    a_dataset(catalog)
    run = cli("run", "start", "--dataset", "digits", "--follow", "--json").json
    file = tmp_path / "all.tar"
    assert cli("backup", str(file), "--json").json["size_bytes"] > 1000
    other = ("--home", str(tmp_path / "other"))
    assert cli(*other, "restore", str(file), "--json").status == 0
    back = cli(*other, "run", "show", run["id"], "--json").json
    assert Path(back["artifacts"][0]["local"]).read_bytes()
    assert Path(back["artifacts"][0]["local"]).is_relative_to(tmp_path / "other")
    assert cli(*other, "run", "logs", run["id"]).out.startswith("epoch 1")
    said = cli(*other, "restore", str(file), "--yes", "--json")
    assert Path(said.json["replaced"]).exists()
    (tmp_path / "bad.tar").write_bytes(b"nothing of the kind")
    assert cli(*other, "restore", str(tmp_path / "bad.tar"), "--yes").status == 5
    assert cli(*other, "run", "show", run["id"]).status == 0
    assert list((tmp_path / "other").glob(".restore-*")) == []


def test_watch_install(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    said = cli("watch", "--install", "--json")
    unit = Path(said.json["file"])
    assert unit.is_relative_to(tmp_path / "config")
    assert "cloudtui_engine --home" in unit.read_text()
    assert "--foreground" in unit.read_text()
    assert "systemctl --user enable" in cli("watch", "--install").out
