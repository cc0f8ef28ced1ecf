"""scikit-learn's gradient boosting of trees (HistGradientBoosting) as a model: it grows, and is not trained.

Categories go in as the rank of their share of the target in the train rows, so a split at a rank divides them
as a split by categories would (Fisher 1958: for one output no other order is better), and every tree is of
plain comparisons, which ONNX Runtime computes everywhere. What is exported takes raw rows: the ranks are a
table in its graph. Written by hand: skl2onnx would be a further package on every host, and where splits are
by categories its file gives other scores than scikit-learn (onnx/sklearn-onnx, issue 1051).
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models.trees import Floats, Forest, Sums, Tree, tree_node

OPSET, TREES_OPSET, IR = 18, 3, 10
_NEEDED = {"sklearn": "scikit-learn", "onnx": "onnx"}
_PRIOR = 10.0
"""Rows' worth of the mean that every category's share of the target begins with."""


def missing_libraries() -> list[str]:
    """What this model needs and this host does not have."""
    return [name for module, name in _NEEDED.items() if importlib.util.find_spec(module) is None]


@dataclass(frozen=True)
class Ranks:
    """Raw rows to what the trees compare: numbers as they are, then categories as ranks."""

    numbers: list[int]
    categories: list[int]
    tables: list[Floats]
    """The rank of each code, a table a category."""

    @classmethod
    def fit(cls, features: Mapping[str, Any], rows: Floats, target: Sums) -> Ranks:
        """From the train rows and their targets, (rows, outputs)."""
        columns = features["columns"]
        places = {
            kind: [place for place, column in enumerate(columns) if column["kind"] == kind]
            for kind in ("number", "category")
        }
        sizes = [len(columns[place]["vocabulary"]) + 1 for place in places["category"]]
        tables = [
            _ranks(rows[:, place].astype(np.int64), target, size)
            for place, size in zip(places["category"], sizes, strict=True)
        ]
        return cls(places["number"], places["category"], tables)

    def apply(self, rows: Floats) -> Floats:
        """What the trees compare. A code that is none counts as unseen."""
        parts = [rows[:, self.numbers]]
        for place, table in zip(self.categories, self.tables, strict=True):
            codes = rows[:, place]
            known = (codes >= 0) & (codes < len(table))
            parts.append(table[np.where(known, codes, 0).astype(np.int64)][:, None])
        done: Floats = np.concatenate(parts, axis=1, dtype=np.float32)
        return done


def _ranks(codes: npt.NDArray[np.int64], target: Sums, size: int) -> Floats:
    mean = target.mean(0)
    counts = np.bincount(codes, minlength=size)
    sums = np.stack([np.bincount(codes, column, minlength=size) for column in target.T], axis=1)
    shares = (sums + _PRIOR * mean) / (counts + _PRIOR)[:, None] - mean
    # Of several outputs: along the direction in which the categories differ most.
    _, _, directions = np.linalg.svd(shares * np.sqrt(counts)[:, None], full_matrices=False)
    order = np.argsort(shares @ directions[0], kind="stable")
    ranks = np.empty(size, dtype=np.float32)
    ranks[order] = np.arange(size)
    return ranks


class Boosting:
    """Trees that grow by rounds.

    Args:
        features: of the manifest.
        rows: raw train rows.
        target: class numbers, or numbers.
        classes: how many; 0 where the target is a number.
        rate: how much of each tree is added.
        leaves: of a tree, at most.
        seed: of what scikit-learn draws.
        threads: of the CPU; 0 is all cores.

    Raises:
        TrainerError: this host has not what it needs.
    """

    def __init__(
        self,
        features: Mapping[str, Any],
        rows: Floats,
        target: npt.NDArray[Any],
        classes: int,
        *,
        rate: float,
        leaves: int,
        seed: int,
        threads: int = 0,
    ) -> None:
        if missing := missing_libraries():
            raise TrainerError(
                f"Boosting needs {' and '.join(missing)} on this host.", f"pip install {' '.join(missing)}"
            )
        if classes and len(np.unique(target)) < max(2, classes):
            raise TrainerError(
                f"Only {len(np.unique(target))} of {classes} classes have a row to learn from.",
                "Boosting needs two classes at least, and rows of each.",
            )
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        self.classes, self._threads = classes, threads
        outputs = np.eye(classes)[target] if classes else target.astype(np.float64)[:, None]
        self.ranks = Ranks.fit(features, rows, outputs)
        self._x, self._y = self.ranks.apply(rows), target
        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        self._grower = kind(
            learning_rate=rate, max_leaf_nodes=leaves, early_stopping=False, warm_start=True,
            categorical_features=None, random_state=seed, max_iter=0,
        )  # fmt: skip
        self.forest = Forest([0.0])

    def grow(self, rounds: int) -> None:
        """Add rounds of trees."""
        self._grower.set_params(max_iter=len(self.forest.rounds) + rounds)
        from threadpoolctl import threadpool_limits

        # scikit-learn has a pool of threads of its own, to which torch's number does not apply.
        with threadpool_limits(self._threads or None, user_api="openmp"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._grower.fit(self._x, self._y)
        self.forest.base = [float(value) for value in np.ravel(self._grower._baseline_prediction)]
        for trees in self._grower._predictors[len(self.forest.rounds) :]:
            self.forest.rounds.append([Tree.of(tree.nodes) for tree in trees])

    @property
    def binary(self) -> bool:
        """There is one output for two classes: the logit of the second."""
        return self.classes == 2

    def outputs(self, sums: Sums) -> Floats:
        """Logits, or (rows, 1) predictions, of the forest's sums."""
        wide = np.concatenate([np.zeros_like(sums), sums], axis=1) if self.binary else sums
        return wide.astype(np.float32)

    def to_onnx(self, stated: Mapping[str, Any]) -> bytes:
        """The whole model as one file that takes raw rows. All that is `stated` goes into it, too."""
        from onnx import TensorProto, checker, helper

        width = len(self.ranks.numbers) + len(self.ranks.categories)
        wide = max(2, self.classes) if self.classes else 1
        nodes, constants = _ranks_graph(self.ranks, stated["input"])
        nodes.append(tree_node(self.forest, "compared", stated["output"], int(self.binary)))
        graph = helper.make_graph(
            nodes, "boosting",
            [helper.make_tensor_value_info(stated["input"], TensorProto.FLOAT, ["batch", width])],
            [helper.make_tensor_value_info(stated["output"], TensorProto.FLOAT, ["batch", wide])],
            constants,
        )  # fmt: skip
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=IR)
        for key, value in sorted(stated.items()):
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
        checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString()
        return content


def _ranks_graph(ranks: Ranks, source: str) -> tuple[list[Any], list[Any]]:
    """The nodes from raw rows to `compared`, and their constants: what `Ranks.apply` does."""
    from onnx import helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, values: npt.NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    parts = []
    if ranks.numbers:
        places = constant("number_places", np.array(ranks.numbers, np.int64))
        parts.append(add("Gather", [source, places], "numbers", axis=1))
    if ranks.categories:
        sizes = np.array([len(table) for table in ranks.tables])
        places = constant("category_places", np.array(ranks.categories, np.int64))
        codes = add("Gather", [source, places], "codes", axis=1)
        zero = constant("zero", np.zeros((), np.float32))
        least = add("GreaterOrEqual", [codes, zero], "not_below")
        most = add("LessOrEqual", [codes, constant("most", (sizes - 1).astype(np.float32))], "not_above")
        known = add("And", [least, most], "known")
        whole = add("Cast", [add("Where", [known, codes, zero], "known_codes")], "whole_codes", to=7)
        first = constant("first", (np.cumsum(sizes) - sizes).astype(np.int64))
        table = constant("ranks", np.concatenate(ranks.tables).astype(np.float32))
        parts.append(add("Gather", [table, add("Add", [whole, first], "rank_places")], "categories", axis=0))
    add("Concat", parts, "compared", axis=1)
    return nodes, constants
