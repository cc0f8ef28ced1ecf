"""The tables that scikit-learn ships."""

from __future__ import annotations

import numpy as np

from cloudtui_engine.data.column_types import numeric
from cloudtui_engine.data.tables import Column, Finding, Table
from cloudtui_engine.errors import BadInputError


def open_table(name: str) -> Table:
    """`breast_cancer`, `wine` or `diabetes`; its target is the column `target`.

    Raises:
        BadInputError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise BadInputError(
            f"{name} comes with scikit-learn, which is not installed.", "pip install 'cloudtui[data]'"
        ) from None
    loaders = {
        "breast_cancer": datasets.load_breast_cancer,
        "wine": datasets.load_wine,
        "diabetes": lambda: datasets.load_diabetes(scaled=False),
    }
    found = loaders[name]()
    findings: list[Finding] = []
    columns = [
        numeric(str(feature), found.data[:, place], findings)
        for place, feature in enumerate(found.feature_names)
    ]
    words = tuple(str(word) for word in found.get("target_names", ()))
    if words:
        columns.append(Column("target", "category", found.target.astype(np.int64), words))
    else:
        columns.append(numeric("target", found.target, findings))
    source = {"kind": "built-in", "name": name.replace("_", "-")}
    return Table(columns, source, target="target", findings=findings)
