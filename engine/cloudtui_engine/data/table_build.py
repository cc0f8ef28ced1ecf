"""A table to a dataset version: target, splits, what is left out, what is fitted, what is to be known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data import table_findings, table_fit, table_rows, table_target
from cloudtui_engine.data.manifest import FORMAT, SPLITS, Manifest
from cloudtui_engine.data.placing import making, place
from cloudtui_engine.data.shards import ShardWriter
from cloudtui_engine.data.splits import TRAIN
from cloudtui_engine.data.table_target import Target
from cloudtui_engine.data.tables import Column, Finding, Table
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

LEAST_ROWS = 10

Codes = npt.NDArray[Any]


def build_table(
    table: Table, into: Path, *, name: str, target: str = "", leave_out: Sequence[str] = (), seed: int = 0
) -> Manifest:
    """Prepare a table and put it at `into/<sha256>/`, whole or not at all.

    Raises:
        UsageError: a column that was named is not there, or is both to be predicted and left out.
        BadInputError: nothing can be learned from it.
        FailedError: the disk is full.
    """
    findings = list(table.findings)
    unwanted = {table_target.find(table.columns, one).name for one in leave_out}
    column = table_target.pick(table, target, unwanted, findings)
    table, column = _with_target(table, column, findings)
    judged = table_target.judge(column, findings)
    inputs = [one for one in table.columns if one.name != column.name]
    # A number of the row or a name of its own makes no row another one: a model would not see it.
    seen = [one for one in inputs if not one.why_not and one.name not in unwanted]
    codes, group = _split(table, judged, [*seen, column], seed)
    train = codes == TRAIN
    left_out = {
        one.name: "you asked for it" if one.name in unwanted else table_fit.useless(one, train)
        for one in inputs
    }
    used = [one for one in inputs if not left_out[one.name]]
    if not used:
        raise BadInputError(
            f"No column is left to predict {clean_line(column.name, 80)} from: {_reasons(left_out)}.",
            "Give columns with values that differ and repeat.",
        )
    fitted = [table_fit.fit(one, train) for one in used]
    x = np.stack([values for _, values in fitted], axis=1)
    findings += table_findings.of_table(used, judged, codes, group, x)
    data = _manifest(name, judged, used, [entry for entry, _ in fitted], train)
    data["left_out"] = [{"name": one, "why": why} for one, why in left_out.items() if why]
    data["findings"] = [finding.as_dict() for finding in table_findings.shortened(findings)]
    data["source"] = {**table.source, "rows": table.rows, "seed": seed}
    with making(into, x.nbytes + judged.y.nbytes) as folder:
        data |= _write(x, judged.y, codes, folder)
        return place(folder, into, data)


def _with_target(table: Table, column: Column, findings: list[Finding]) -> tuple[Table, Column]:
    """The table without the rows that have no target."""
    there = np.flatnonzero(~column.missing)
    gone = table.rows - len(there)
    shown = clean_line(column.name, 80)
    if not len(there):
        raise BadInputError(
            f"The target {shown} is missing in every row.", "Name another column with --target."
        )
    if gone:
        text = f"{gone:,} of {table.rows:,} rows have no {shown}; they are left out."
        findings.append(Finding("target_missing", text, column.name))
        given = None if table.given is None else table.given[there]
        table = replace(table, columns=[one.at(there) for one in table.columns], given=given)
        column = column.at(there)
    if table.rows < LEAST_ROWS:
        raise BadInputError(
            f"Rows with a target: only {table.rows}, too few to train and test on.",
            f"{LEAST_ROWS} is the least.",
        )
    return table, column


def _split(table: Table, target: Target, columns: Sequence[Column], seed: int) -> tuple[Codes, Codes]:
    """The split of each row, and the first row that is the same as it."""
    group = table_rows.groups(columns)
    together = np.arange(table.rows) if table_rows.come_again_by_nature(group) else group
    codes = table_rows.split(target.strata, table.splits(), together, seed)
    empty = [split for code, split in enumerate(SPLITS) if not (codes == code).any()]
    if empty:
        of_classes = target.kind == "classes"
        raise BadInputError(
            f"Too few different rows{' in each class' * of_classes} to leave some for {' and '.join(empty)}.",
            "Add rows to the smaller classes." if of_classes else "Add rows that differ.",
        )
    if target.kind == "classes":
        untaught = np.setdiff1d(target.y, target.y[codes == TRAIN])
        if len(untaught):
            raise BadInputError(
                f"The class {clean_line(target.classes[int(untaught[0])], 60)} has no row to train on.",
                "Add rows of it, or remove it.",
            )
    return codes, group


def _manifest(
    name: str,
    target: Target,
    used: Sequence[Column],
    features: Sequence[Mapping[str, Any]],
    train: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    fitted: dict[str, Any] = {"kind": target.kind}
    if target.kind == "number":
        mine = target.y[train].astype(np.float64)
        std = float(mine.std())
        fitted |= {"mean": float(mine.mean()), "std": std if np.float32(std) > 0 else 1.0}
    return {
        "format": FORMAT,
        "name": name,
        "task": "tabular",
        "classes": list(target.classes),
        "input": {"shape": [len(used)], "dtype": "float32"},
        "target": {"name": target.name, "kind": target.kind},
        "columns": [_described(one) for one in used],
        "features": {"kind": "tabular", "columns": list(features), "target": fitted},
    }


def _described(column: Column) -> dict[str, Any]:
    missing = column.missing
    return {
        "name": column.name,
        "kind": "category" if column.is_category else "number",
        "type": column.type,
        "missing": round(float(missing.mean()), 6),
        "distinct": len(np.unique(column.values[~missing])),
    }


def _write(x: Codes, y: Codes, codes: Codes, folder: Path) -> dict[str, Any]:
    splits: dict[str, Any] = {}
    files: dict[str, Any] = {}
    for code, split in enumerate(SPLITS):
        chosen = np.flatnonzero(codes == code)
        for part, whole in (("x", x), ("y", y)):
            path = folder / f"{split}-{part}.npy"
            with ExitStack() as stack:
                shape = (len(chosen), *whole.shape[1:])
                writer = stack.enter_context(ShardWriter(path, shape, whole.dtype))
                writer.append(whole[chosen])
                files[path.name] = dict(writer.finish())
        splits[split] = {"rows": len(chosen), "x": f"{split}-x.npy", "y": f"{split}-y.npy"}
    return {"splits": splits, "files": files}


def _reasons(left_out: Mapping[str, str]) -> str:
    said = [f"{clean_line(name, 60)}: {why}" for name, why in left_out.items()]
    return "; ".join(said[:3]) + (f"; and {len(said) - 3:,} more" if len(said) > 3 else "")
