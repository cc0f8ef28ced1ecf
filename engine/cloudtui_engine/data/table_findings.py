"""What a person should know of a table before trusting a model of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data import table_rows
from cloudtui_engine.data.splits import TEST, TRAIN
from cloudtui_engine.data.table_leaks import leak
from cloudtui_engine.data.table_target import Target
from cloudtui_engine.data.tables import Column, Finding

IMBALANCED = 10.0
RARE = 10
SMALL_TEST = 100
_MOST_OF_A_KIND = 20

Values = npt.NDArray[Any]


def of_table(
    columns: Sequence[Column], target: Target, codes: Values, group: Values, x: Values
) -> list[Finding]:
    """Everything that is seen in the prepared rows.

    Args:
        columns: the inputs.
        target: what is predicted.
        codes: the split of each row.
        group: for each row the first row that is the same.
        x: the rows as the shards hold them.
    """
    train = codes == TRAIN
    found = [one for one in (leak(column, target, train) for column in columns) if one]
    found += _missing(columns)
    found += _unseen(columns, codes, x)
    found += _duplicates(group, codes)
    found += _contradictions(columns, group)
    if target.kind == "classes":
        found += of_classes(np.bincount(target.y, minlength=len(target.classes)), target.classes)
    tested = int((codes == TEST).sum())
    if tested < SMALL_TEST:
        text = f"Only {tested} rows are left to test on: what they say is rough."
        found.append(Finding("small_test", text))
    return found


def of_classes(counts: Values, classes: Sequence[str]) -> list[Finding]:
    """Classes that differ much in size, and those with hardly any rows."""
    found = []
    largest, smallest = int(counts.max()), int(counts.min())
    if largest >= IMBALANCED * smallest:
        text = (
            f"The classes differ in size: {classes[int(counts.argmax())]} has {largest:,} rows, "
            f"{classes[int(counts.argmin())]} {smallest:,}. "
            "Look at the recall of each class, not at accuracy alone."
        )
        found.append(Finding("imbalanced", text))
    rare = [classes[place] for place, count in enumerate(counts) if count < RARE]
    if rare:
        shown = ", ".join(rare[:5]) + (f" and {len(rare) - 5:,} more" if len(rare) > 5 else "")
        found.append(Finding("rare_classes", f"Fewer than {RARE} rows: {shown}."))
    return found


def shortened(findings: Sequence[Finding]) -> list[Finding]:
    """The same with at most twenty of a kind, and a line that says how many more there are."""
    kept: list[Finding] = []
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
        if counts[finding.code] <= _MOST_OF_A_KIND:
            kept.append(finding)
    kept += [
        Finding(code, f"The same holds for {count - _MOST_OF_A_KIND:,} more columns.")
        for code, count in counts.items()
        if count > _MOST_OF_A_KIND
    ]
    return kept


def _missing(columns: Sequence[Column]) -> list[Finding]:
    found = []
    for column in columns:
        missing = int(column.missing.sum())
        if missing:
            how = "count as a category of their own" if column.is_category else "get the median of train"
            share = missing / len(column.values)
            text = f"{column.name} is missing in {missing:,} rows ({share:.1%}); they {how}."
            found.append(Finding("missing", text, column.name))
    return found


def _unseen(columns: Sequence[Column], codes: Values, x: Values) -> list[Finding]:
    found = []
    for place, column in enumerate(columns):
        if column.is_category:
            unseen = int(((x[:, place] == 0) & ~column.missing & (codes != TRAIN)).sum())
            if unseen:
                text = (
                    f"{column.name}: {unseen:,} validation and test rows hold words that train does not have."
                )
                found.append(Finding("unseen", text, column.name))
    return found


def _duplicates(group: Values, codes: Values) -> list[Finding]:
    again = len(group) - len(np.unique(group))
    if not again:
        return []
    across = table_rows.in_several_splits(group, codes)
    rows = f"{again:,} rows are the same as an earlier row"
    if not across:
        return [Finding("duplicates", f"{rows}; those that are alike are kept in the same split.")]
    if table_rows.come_again_by_nature(group):
        why = "so many are alike that they come again by nature"
    else:
        why = "the source's own splits share them"
    text = f"{rows}; {across:,} of the different ones are in more than one split, as {why}."
    return [Finding("duplicates_across_splits", text)]


def _contradictions(columns: Sequence[Column], group: Values) -> list[Finding]:
    firsts = np.unique(group)
    alike = table_rows.groups([column.at(firsts) for column in columns])
    _, counts = np.unique(alike, return_counts=True)
    rows = int(counts[counts > 1].sum())
    if not rows:
        return []
    text = f"{rows:,} rows agree in all inputs and differ in the target: no model can get them all right."
    return [Finding("contradicting", text)]
