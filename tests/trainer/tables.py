"""Tables written as dataset versions are: manifest and shards, by the contract, not by the engine."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np

EDGES = 32


def write_table(
    folder: Path, columns, target, *, name="table", target_name="target", seed=0, shares=(0.7, 0.1)
):
    """Write a table below `folder`; returns its sha256.

    Args:
        columns: {name: list of numbers (None is missing) or of strings (None is missing)}.
        target: a list of strings (classes) or of floats (a number).
    """
    chance = np.random.default_rng(seed)
    n = len(target)
    order = chance.permutation(n)
    first, second = round(n * shares[0]), round(n * (shares[0] + shares[1]))
    rows = {"train": order[:first], "validation": order[first:second], "test": order[second:]}
    is_class = isinstance(target[0], str)
    classes = sorted(set(target)) if is_class else []
    y = np.array([classes.index(t) for t in target], np.int64) if is_class else np.array(target, np.float32)
    described, fitted, x = [], [], []
    for column, cells in columns.items():
        kind = "category" if any(isinstance(cell, str) for cell in cells) else "number"
        missing = sum(cell is None for cell in cells) / n
        described.append({"name": column, "kind": kind, "missing": missing, "distinct": len(set(cells))})
        if kind == "category":
            seen = Counter(cells[i] for i in rows["train"] if cells[i] is not None)
            vocabulary = [word for word, _ in seen.most_common()]
            codes = {word: number + 1 for number, word in enumerate(vocabulary)}
            x.append(np.array([codes.get(cell, 0) for cell in cells], np.float32))
            fitted.append({"name": column, "kind": kind, "vocabulary": vocabulary})
        else:
            values = np.array([np.nan if cell is None else cell for cell in cells], np.float32)
            known = values[rows["train"]].astype(float)
            known = known[~np.isnan(known)]
            edges = np.unique(np.quantile(known, np.linspace(0, 1, EDGES)).astype(np.float32))
            std = float(known.std()) or 1.0
            fitted.append({
                "name": column, "kind": kind, "fill": float(np.median(known)), "mean": float(known.mean()),
                "std": std, "edges": [float(edge) for edge in edges],
            })  # fmt: skip
            x.append(values)
    matrix = np.stack(x, 1).astype(np.float32)
    goal = {"kind": "classes"} if is_class else number(y[rows["train"]])
    temporary = folder / f"new-{name}-{seed}"
    temporary.mkdir(parents=True)
    files, splits = {}, {}
    for split, chosen in rows.items():
        for part, array in (("x", matrix[chosen]), ("y", y[chosen])):
            path = temporary / f"{split}-{part}.npy"
            np.save(path, array)
            content = path.read_bytes()
            files[path.name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        splits[split] = {"rows": len(chosen), "x": f"{split}-x.npy", "y": f"{split}-y.npy"}
    manifest = {
        "format": 1, "name": name, "task": "tabular", "classes": classes,
        "input": {"shape": [len(columns)], "dtype": "float32"},
        "target": {"name": target_name, "kind": "classes" if is_class else "number"},
        "columns": described, "left_out": [], "findings": [],
        "features": {"kind": "tabular", "columns": fitted, "target": goal},
        "splits": splits, "files": files, "source": {"kind": "test"},
    }  # fmt: skip
    content = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    sha = hashlib.sha256(content).hexdigest()
    (temporary / "manifest.json").write_bytes(content)
    if (folder / sha).exists():
        shutil.rmtree(temporary)
    else:
        temporary.rename(folder / sha)
    return sha


def number(y):
    return {"kind": "number", "mean": float(y.mean()), "std": float(y.std())}


def breast_cancer(folder: Path, seed=0):
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    columns = {str(n): data.data[:, i].tolist() for i, n in enumerate(data.feature_names)}
    return write_table(
        folder, columns, [str(data.target_names[t]) for t in data.target], name="cancer", seed=seed
    )


def diabetes(folder: Path, seed=0):
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    columns = {str(n): data.data[:, i].tolist() for i, n in enumerate(data.feature_names)}
    return write_table(folder, columns, data.target.tolist(), name="diabetes", seed=seed)
