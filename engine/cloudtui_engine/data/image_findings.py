"""What a person should know of pictures before trusting a model of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data import table_rows
from cloudtui_engine.data.splits import TEST
from cloudtui_engine.data.table_findings import SMALL_TEST, of_classes
from cloudtui_engine.data.tables import Finding

Values = npt.NDArray[Any]


def hashes(rows: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """A number for each row that tells it from others."""
    digests = b"".join(hashlib.blake2b(row, digest_size=8).digest() for row in np.ascontiguousarray(rows))
    return np.frombuffer(digests, dtype=np.uint64)


def of_images(found: Values, labels: Values, codes: Values, classes: Sequence[str]) -> list[Finding]:
    """Pictures that come again, in other splits or under other labels, and classes that differ in size.

    Args:
        found: the hash of each picture.
        labels: its class number.
        codes: its split.
        classes: the labels.
    """
    findings = of_classes(np.bincount(labels, minlength=len(classes)), classes)
    _, group = np.unique(found, return_inverse=True)
    again = len(group) - int(group.max()) - 1
    if again:
        across = table_rows.in_several_splits(group, codes)
        shared = f"; {across:,} of the different ones are in more than one split" if across else ""
        text = f"{again:,} pictures are the same as another one{shared}."
        findings.append(Finding("duplicates_across_splits" if across else "duplicates", text))
    pairs = np.unique(group * len(classes) + labels)
    contradicting = int((np.bincount(pairs // len(classes)) > 1).sum())
    if contradicting:
        text = f"{contradicting:,} pictures stand in more than one class: no model can get them all right."
        findings.append(Finding("contradicting", text))
    tested = int((codes == TEST).sum())
    if tested < SMALL_TEST:
        text = f"Only {tested} pictures are left to test on: what they say is rough."
        findings.append(Finding("small_test", text))
    return findings
