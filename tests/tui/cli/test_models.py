"""Models, their evaluations and compressions, and upkeep, as commands and as the JSON of CLI.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tui.cli.fake_engine import COMPRESSION, DONE, EVALUATION, LIVE, FakeEngine, a_dataset, a_run

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.run import RunState

Cli = Callable[..., Any]
EVALUATION_FIELDS = {
    "model", "dataset", "split", "task", "n", "metrics", "confidence", "classes", "confusion", "errors",
}  # fmt: skip
VARIANT_FIELDS = {
    "id", "method", "accuracy", "delta", "delta_ci", "size_bytes", "size_ratio", "latency_ratio",
    "throughput_ratio", "verdict",
}  # fmt: skip


def trained(cli: Cli, catalog: Catalog, name: str = "cnn") -> str:
    if not catalog.datasets.list():
        a_dataset(catalog)
    run = cli("run", "start", "--dataset", "digits", "--name", name, "--follow", "--json").json
    return str(run["id"])


def test_evaluate_prints_a_report_or_the_documented_fields(cli: Cli, catalog: Catalog) -> None:
    trained(cli, catalog)
    said = cli("model", "evaluate", "cnn", "--json")
    assert said.status == 0
    assert set(said.json) >= EVALUATION_FIELDS
    assert (said.json["model"], said.json["dataset"], said.json["split"]) == ("cnn@1", "digits", "test")
    assert said.json["metrics"] == EVALUATION["metrics"]
    text = cli("model", "evaluate", "cnn").out
    assert "95.00%  95% interval [92.00%, 97.00%]" in text
    assert ["3", "170", "10"] in [line.split() for line in text.splitlines()]


def test_compress_prints_verdicts_or_the_documented_fields(cli: Cli, catalog: Catalog) -> None:
    trained(cli, catalog)
    said = cli("model", "compress", "cnn", "--json")
    assert said.status == 0
    assert set(said.json) >= {"model", "dataset", "baseline", "variants", "chosen"}
    assert set(said.json["variants"][0]) >= VARIANT_FIELDS
    assert said.json["baseline"] == COMPRESSION["baseline"]
    text = cli("model", "compress", "cnn").out
    assert "360 rows cannot tell a drop of 0.5 point; 765 could." in text
    assert "3.77x" in text
    assert "◐ undecided" in text


def test_a_model_shows_what_hangs_on_it(cli: Cli, catalog: Catalog) -> None:
    trained(cli, catalog)
    trained(cli, catalog, "other")
    cli("model", "compress", "cnn")
    rows = cli("model", "list", "--json").json
    assert [(one["name"], one["variant"], one["parent"]) for one in rows] == [
        ("other", "", None), ("cnn", "", None), ("cnn-int8", "int8", "cnn@1"),
    ]  # fmt: skip
    assert "  cnn-int8" in cli("model", "list").out
    whole = cli("model", "show", "cnn", "--json").json
    assert [one["name"] for one in whole["variants"]] == ["cnn-int8"]
    assert [one["split"] for one in whole["evaluations"]] == ["test"]
    assert whole["compressions"][0]["status"] == "succeeded"
    text = cli("model", "show", "cnn").out
    assert "Made from it:" in text
    assert "Compressed by" in text
    small = cli("model", "show", "cnn-int8", "--json").json
    assert small["lineage"] == ["cnn@1"]
    assert "Made from cnn@1." in cli("model", "show", "cnn-int8").out


def test_jobs_are_listed_where_they_are_asked_for(cli: Cli, catalog: Catalog) -> None:
    trained(cli, catalog)
    cli("model", "evaluate", "cnn")
    assert [one["kind"] for one in cli("run", "list", "--json").json] == ["train"]
    assert [one["kind"] for one in cli("run", "list", "--jobs", "--json").json] == ["evaluate", "train"]


def test_a_job_that_fails_is_the_command_s_failure(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    trained(cli, catalog)
    engine.outcome = "failed"
    said = cli("model", "compress", "cnn", "--json")
    assert (said.status, said.json["error"]["code"]) == (5, "failed")
    assert "Out of memory." in said.json["error"]["message"]
    assert "cloudtui run logs" in said.json["error"]["hint"]


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("model", "evaluate", "none"), 3, "not_found"),
        (("model", "compress", "none"), 3, "not_found"),
        (("model", "evaluate", "cnn", "--dataset", "none"), 3, "not_found"),
        (("model", "evaluate", "cnn", "--on", "none"), 3, "not_found"),
        (("model", "compress", "cnn", "--max-drop", "0"), 2, "usage"),
        (("model", "compress", "cnn", "--max-drop", "much"), 2, "usage"),
        (("model", "evaluate", "cnn", "--split", "other"), 2, "usage"),
        (("run", "start", "--dataset", "digits", "--pull", "some"), 2, "usage"),
        (("run", "start", "--dataset", "digits", "--pull-max", "much"), 2, "usage"),
        (("run", "start", "--dataset", "digits", "--weights", "none"), 3, "not_found"),
        (("run", "start", "--dataset", "digits", "--weights", "cnn"), 4, "no_weights"),
        (("run", "pull", "cnn", "no-such-file"), 3, "not_found"),
        (("operation", "show", "none"), 3, "not_found"),
    ],
)
def test_what_cannot_be_done_says_why(
    cli: Cli, catalog: Catalog, words: tuple[str, ...], status: int, code: str
) -> None:
    trained(cli, catalog)
    said = cli(*words, "--json")
    assert (said.status, said.json["error"]["code"]) == (status, code)


def test_a_start_says_what_comes_here(cli: Cli, catalog: Catalog) -> None:
    a_dataset(catalog)
    run = cli("run", "start", "--dataset", "digits", "--pull", "all", "--pull-max", "1.5GiB", "--json").json
    spec = catalog.runs.get(run["id"]).spec
    assert (spec["pull"], spec["pull_max"]) == ("all", 3 * 2**29)


def test_files_left_on_the_host_are_shown_and_fetched(cli: Cli, catalog: Catalog) -> None:
    run = a_run(catalog, "one", *DONE)
    files = [("a.bin", "file", 5, "a" * 64), ("b.bin", "file", 5, "b" * 64)]
    catalog.runs.add_artifacts(run.id, 1, files, left={"a.bin", "b.bin"})
    shown = cli("run", "show", "one", "--json").json["artifacts"]
    assert [(one["local"], one["wanted"]) for one in shown] == [(None, False), (None, False)]
    text = cli("run", "show", "one").out
    assert "left on the host" in text
    assert f"cloudtui run pull {run.id}" in text
    pulled = cli("run", "pull", "one", "a.bin", "--json").json["artifacts"]
    assert [bool(one["local"]) for one in pulled] == [True, False]


def test_giving_up_needs_a_yes(cli: Cli, catalog: Catalog) -> None:
    run = a_run(catalog, "one", *LIVE)
    said = cli("run", "abandon", "one", "--json")
    assert (said.status, said.json["error"]["code"]) == (4, "needs_yes")
    assert catalog.runs.get(run.id).status is RunState.RUNNING
    assert "given up" in cli("run", "abandon", "one", "--yes").out
    assert catalog.runs.get(run.id).status is RunState.LOST


def test_doctor_tells_of_runs_that_wait_for_their_machine(cli: Cli, catalog: Catalog) -> None:
    silent = a_run(catalog, "silent", *LIVE)
    catalog.runs.set_stale([silent.id], 1000.0)
    a_run(catalog, "ending", *LIVE, RunState.STOPPING)
    a_run(catalog, "well", *LIVE)
    checks = [one for one in cli("doctor", "--json").json["checks"] if one["name"] == "run"]
    assert [one["status"] for one in checks] == ["warn", "ok"]
    assert f"cloudtui run abandon {silent.id}" in checks[0]["hint"]
    assert "Wait" in checks[1]["hint"]
    refused = cli("run", "resume", "ending", "--json")
    assert (refused.status, refused.json["error"]["hint"]) == (4, "Wait for its end.")


def test_operations_are_shown(cli: Cli, catalog: Catalog, engine: FakeEngine) -> None:
    trained(cli, catalog)
    assert cli("operation", "list", "--json").json == []
    (row,) = cli("operation", "list", "--all", "--json").json
    assert (row["kind"], row["about"], row["state"]) == ("run.start", "cnn", "done")
    assert row["created_at"].endswith("Z")
    engine.close()  # it would take the next one from under the test
    failed = catalog.operations.submit("run.pull", "gone", {}, None)
    catalog.operations.fail(failed.id, {"code": "x", "message": "It \x1b[31mbroke.", "hint": "Mend it."})
    text = cli("operation", "show", failed.id).out
    assert "It broke." in text
    assert "Mend it." in text
    assert "run.pull" in cli("operation", "list", "--all").out


def test_cleaning_lists_first_and_removes_with_a_yes(
    cli: Cli, engine: FakeEngine, catalog: Catalog, tmp_path: Path
) -> None:
    said = cli("instance", "clean", "local", "--dry-run", "--json").json
    assert [one["goes"] for one in said["entries"]] == [True, False]
    assert (said["removed"], said["bytes"], said["untouched"]) == (None, 7, ["thesis"])
    assert "Nothing was removed." in cli("instance", "clean", "local", "--dry-run").out
    refused = cli("instance", "clean", "local", "--json")
    assert (refused.status, refused.json["error"]["code"]) == (4, "needs_yes")
    assert engine.cleaned == []
    assert cli("instance", "clean", "local", "--yes", "--json").json["removed"] == 1
    assert engine.cleaned == ["trainer/" + "a" * 64]
