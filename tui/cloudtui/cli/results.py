"""What a command prints for people, and its exit status, by what its handler returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.actions.action import Action
from cloudtui.cli import (
    access_texts,
    compare_texts,
    dataset_texts,
    difference_texts,
    everyone_texts,
    fetch_texts,
    fleet_texts,
    job_texts,
    money_texts,
    run_texts,
    texts,
    work_texts,
)
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.records.run import RunState
from cloudtui_engine.sanitize import clean_line

FAILED, UNREACHABLE = 5, 6
_MARKS: Mapping[str, str] = {"ok": "✓", "warn": "⚠", "fail": "✗"}


def lines(action: Action, result: Any, cells: int | None) -> Sequence[str]:
    """The lines for people; `cells` is the width of the terminal, None where it is none."""
    if action.id in _SHORT:
        return [_SHORT[action.id].format(name=clean_line(result.name), id=result.id)]
    if action.id == "view.delete":
        return work_texts.deleted_view(result)
    if action.id in _ASKED:
        records = result if isinstance(result, list) else [result]
        if all(type(one).__name__ == "Instance" for one in records) and records:
            return [line for one in records for line in fleet_texts.asked(action.verb, one)]
    if isinstance(result, list):
        return _several(action, result, cells)
    name = type(result).__name__
    if name in _ONE:
        return _ONE[name](result)
    return _OTHER[name](result, cells)


def _several(action: Action, result: list[Any], cells: int | None) -> Sequence[str]:
    if action.id in _NONE and not result:
        return [_NONE[action.id]]
    if action.id in _TABLES:
        return _TABLES[action.id](result, cells)
    if action.id == "run.metrics":
        return run_texts.series(result, cells) if result else ["No points yet."]
    if result:
        return texts.LISTS[action.noun](result, cells)
    if action.verb == "import":
        return ["Nothing new was found."]
    return [texts.EMPTY[action.noun]]


def _checks(checks: Sequence[Any]) -> list[str]:
    said = []
    for check in checks:
        said.append(f"{_MARKS[check.status]} {check.name}: {clean_line(check.detail)}")
        if check.hint:
            said.append(f"    {check.hint}")
    return said


def _engine(result: Any) -> list[str]:
    work = pairs(
        [
            ("Live runs", str(result.live_runs)),
            ("Waiting", str(result.pending)),
            ("Need you", str(result.needs_you)),
            ("Links", str(result.links)),
            ("Forwards", str(result.forwards) if result.forwards else ""),
            ("Crashes", str(result.crashes) if result.crashes else ""),
            ("Last error", clean_line(result.last_error)),
        ]
    )
    running = f"● An engine runs: process {result.pid}, since {words.moment(result.started_at)}."
    return [
        running if result.running else "○ No engine runs; the next command that needs one starts it.",
        *work,
    ]


def _sync(result: Any) -> list[str]:
    hosts = result.result.get("hosts") or {}
    said = [f"{clean_line(name)}: {clean_line(str(what))}" for name, what in hosts.items()]
    return said or ["Nothing is out: no host holds a live run."]


def _demo(result: Any, cells: int | None) -> list[str]:
    run = result.run
    if result.opens_desktop:
        return [f"{run.name} has begun."]
    if run.status is not RunState.SUCCEEDED:
        said = [f"{run.name}: {words.RUN_MARKS[run.status]}. {clean_line(result.reason)}"]
        if result.last_lines:
            said += ["", "The last lines of its log:", *(f"  {line}" for line in result.last_lines)]
        return [*said, "", "Next:", *(f"  {command}" for command in result.next_commands)]
    interval = result.interval
    accuracy = f"{words.percent(result.accuracy, 2)}" + (
        f"  95% interval [{interval[0] * 100:.2f}, {interval[1] * 100:.2f}], {words.count(result.n)} rows"
        if interval
        else ""
    )
    mistakes = "; ".join(
        f"{count} times {truth} taken for {said}" for truth, said, count in result.confusions
    )
    about = pairs(
        [
            ("Run", f"{run.name}  {words.RUN_MARKS[run.status]}"),
            ("Dataset", f"{result.dataset.name} v{result.dataset.version}"),
            ("Test accuracy", accuracy),
            ("Mistakes", mistakes),
            ("Time", words.duration(run.duration_s)),
            ("Parameters", words.count(result.parameters)),
            ("Model", f"{result.model.name} v{result.model.version}" if result.model else ""),
        ]
    )
    rows = [
        [clean_line(a.name), words.size(a.size_bytes), a.local or "still on the host"] for a in run.artifacts
    ]
    files = table([Column("File"), Column("Size", right=True), Column("Kept at")], rows) if rows else []
    said = [*about, "", *files]
    if result.evaluation:
        said += ["", *job_texts.evaluation(result.evaluation)]
    if result.compression:
        said += ["", *job_texts.compression(result.compression, cells)]
    if result.reason:
        said += ["", clean_line(result.reason)]
    return [*said, "", "Next:", *(f"  {command}" for command in result.next_commands)]


def _service(result: Any) -> list[str]:
    commands = [f"  {command}" for command in result.enable]
    return [
        f"Wrote {result.file}.",
        "Enable it:",
        *commands,
        "And undo it:",
        *(f"  {c}" for c in result.disable),
    ]


def _backup(result: Any, _cells: int | None) -> list[str]:
    said = [f"{result.file}: all of {result.home}, {words.size(result.size_bytes)}."]
    return [*said, f"The home that was there is kept: {result.replaced}"] if result.replaced else said


_SHORT: Mapping[str, str] = {
    "run.stop": "{name} is asked to stop. See how it goes: cloudtui run show {id}",
    "run.abandon": "{name} is given up. Where its machine comes back: cloudtui run import --from MACHINE",
    "run.delete": "{name} is in the trash. Take it back: cloudtui run restore {id}",
    "run.restore": "{name} is back.",
    "instance.forget": "{name} is off the list. Its runs stay; nothing was done on the machine.",
}
_ASKED = frozenset({
    "instance.launch", "instance.replace", "instance.start", "instance.stop", "instance.terminate",
    "instance.deadline", "instance.open", "instance.orphans",
})  # fmt: skip
"""What answers with machines that somebody has just asked something of."""
_TABLES: Mapping[str, Callable[[Any, int | None], Sequence[str]]] = {
    "home.doctor": lambda result, _cells: _checks(result),
    "provider.check": lambda result, _cells: fleet_texts.checks(result),
    "instance.forwards": access_texts.forwards, "dataset.fetches": fetch_texts.fetches,
    "instance.offers": fleet_texts.offers, "instance.orphans": fleet_texts.orphans,
    "provider.list": fleet_texts.clouds, "provider.claim": fleet_texts.clouds,
    "settings.list": work_texts.settings,
}  # fmt: skip
_NONE: Mapping[str, str] = {
    "instance.offers": "Nothing fits. Another region, GPU or price may help; see: cloudtui provider list",
    "instance.forwards": "No port of a machine is forwarded. One is by: cloudtui instance forward NAME PORT",
    "dataset.fetches": "Nothing is being fetched. What is, is begun by: cloudtui dataset add NAME s3://...",
    "instance.orphans": "No orphans: every machine of this home in a cloud that it has used is on the list."
    " Of a home that was lost: cloudtui instance orphans --everyone",
    "provider.list": "No cloud is installed. For AWS: pip install 'cloudtui[aws]'",
}
_ONE: Mapping[str, Callable[[Any], Sequence[str]]] = {
    "Run": run_texts.run, "Instance": texts.instance, "Dataset": dataset_texts.dataset, "Model": texts.model,
    "Evaluation": job_texts.evaluation, "OperationRow": work_texts.operation,
    "Fetch": fetch_texts.stopped, "Reached": access_texts.reached, "Stopped": access_texts.stopped,
    "Setting": work_texts.setting, "View": work_texts.view,
}  # fmt: skip
_OTHER: Mapping[str, Callable[[Any, int | None], Sequence[str]]] = {
    "ModelDetail": texts.model_detail,
    "Compression": job_texts.compression,
    "Cleaning": work_texts.cleaning,
    "RunColumns": work_texts.run_columns,
    "Comparison": compare_texts.comparison,
    "ModelDifference": difference_texts.difference,
    "EngineStatus": lambda result, _cells: _engine(result),
    "Operation": lambda result, _cells: _sync(result),
    "DemoReport": _demo,
    "Service": lambda result, _cells: _service(result),
    "Backup": _backup,
    "Ended": lambda result, _: ["The engine has ended." if result.was_running else "No engine was running."],
    "Watched": lambda _result, _cells: [],
    "Shell": lambda _result, _cells: [],
    "Served": lambda result, _: [f"{result.address} is closed."],
    "CostReport": money_texts.cost,
    "Everyone": everyone_texts.everyone,
    "Written": lambda result, _: [f"{result.file}: {words.size(result.size_bytes)}"],
    "Exported": lambda result, _: [f"{result.file}: {words.size(result.size_bytes)}, sha256 {result.sha256}"],
}


def _is_bad(check: Any) -> bool:
    """Of doctor, or of a cloud."""
    return check.status == "fail" if hasattr(check, "status") else not check.ok


def _is_partial(action: Action, result: Any) -> bool:
    """Somebody who was asked has not answered."""
    if action.id != "run.sync":
        return bool(result.silent)
    return any(what != "caught up" for what in (result.result.get("hosts") or {}).values())


def exit_status(action: Action, result: Any, arguments: Mapping[str, Any]) -> int:
    """0, or why not."""
    if action.id in {"home.doctor", "provider.check"}:
        return FAILED if any(_is_bad(check) for check in result) else 0
    if action.id in {"home.watch", "instance.shell"}:
        return int(getattr(result, "exit_status", 0))
    if action.id == "home.demo":
        ended_badly = result.run.status.is_finished and result.run.status is not RunState.SUCCEEDED
        return FAILED if ended_badly or result.reason else 0
    if action.id == "run.sync" or type(result).__name__ == "Everyone":
        return UNREACHABLE if _is_partial(action, result) else 0
    if arguments.get("follow") and getattr(result, "status", None) in {RunState.FAILED, RunState.LOST}:
        return FAILED
    return 0
