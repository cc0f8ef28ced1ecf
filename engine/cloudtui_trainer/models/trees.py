"""Boosted trees as arrays: read from scikit-learn's, summed here, and written as one ONNX graph.

A row goes left where its value is at most the threshold. Inputs are float32 and scikit-learn's thresholds
are float64, so each is rounded down to a float32: then `x <= t` is what it was, for every float32.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """Nodes by number, the root first. A leaf's children are itself."""

    feature: npt.NDArray[np.int64]
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    leaf: npt.NDArray[np.bool_]
    value: Sums
    depth: int

    @classmethod
    def of(cls, nodes: npt.NDArray[Any]) -> Tree:
        """From the nodes of scikit-learn's `TreePredictor`."""
        if nodes["is_categorical"].any():
            raise ValueError("a split by categories cannot be read")
        leaf = nodes["is_leaf"].astype(bool)
        itself = np.arange(len(nodes))
        return cls(
            feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64),
            threshold=rounded_down(np.where(leaf, 0.0, nodes["num_threshold"])),
            missing_left=nodes["missing_go_to_left"].astype(bool),
            left=np.where(leaf, itself, nodes["left"]).astype(np.int64),
            right=np.where(leaf, itself, nodes["right"]).astype(np.int64),
            leaf=leaf,
            value=nodes["value"].astype(np.float64),
            depth=int(nodes["depth"].max()),
        )

    def values(self, rows: Floats) -> Sums:
        """The value of the leaf that each row comes to."""
        each = np.arange(len(rows))
        node = np.zeros(len(rows), dtype=np.int64)
        for _ in range(self.depth):
            there = rows[each, self.feature[node]]
            to_left = (there <= self.threshold[node]) | (np.isnan(there) & self.missing_left[node])
            node = np.where(to_left, self.left[node], self.right[node])
        found: Sums = self.value[node]
        return found


@dataclass
class Forest:
    """Rounds of trees, one an output, added to what each output begins with."""

    base: list[float]
    rounds: list[list[Tree]] = field(default_factory=list)

    def outputs(self, rows: Floats, first: int = 0) -> Sums:
        """The sums of all rounds from `first` on: (rows, outputs). With the base where `first` is 0."""
        total = np.tile(self.base if first == 0 else np.zeros(len(self.base)), (len(rows), 1))
        for trees in self.rounds[first:]:
            for output, tree in enumerate(trees):
                total[:, output] += tree.values(rows)
        return total

    @property
    def nodes(self) -> int:
        """Of all trees."""
        return sum(len(tree.leaf) for trees in self.rounds for tree in trees)


def rounded_down(values: npt.NDArray[Any]) -> Floats:
    """The largest float32 that is not above each value."""
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
    with np.errstate(over="ignore"):  # below the lowest number is minus infinity
        below = np.nextafter(near, np.float32(-np.inf))
    found: Floats = np.where(near.astype(np.float64) > values, below, near)
    return found


def tree_node(forest: Forest, source: str, result: str, shift: int) -> Any:
    """The ONNX node (ai.onnx.ml TreeEnsembleRegressor) of a forest.

    Args:
        forest: the trees.
        source: name of the input, float32 (rows, features).
        result: name of the output, float32 (rows, outputs + shift).
        shift: outputs of 0 that stand before those of the forest.
    """
    from onnx import helper

    flat = [(output, tree) for trees in forest.rounds for output, tree in enumerate(trees)]
    number = np.concatenate([np.full(len(tree.leaf), at) for at, (_, tree) in enumerate(flat)])
    inner = np.concatenate([np.arange(len(tree.leaf)) for _, tree in flat])
    leaf = np.concatenate([tree.leaf for _, tree in flat])
    of_output = np.concatenate([np.full(len(tree.leaf), output + shift) for output, tree in flat])

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(tree, name) for _, tree in flat])

    return helper.make_node(
        "TreeEnsembleRegressor",
        [source],
        [result],
        domain="ai.onnx.ml",
        n_targets=len(forest.base) + shift,
        aggregate_function="SUM",
        post_transform="NONE",
        base_values=[0.0] * shift + [float(value) for value in forest.base],
        nodes_treeids=number.tolist(),
        nodes_nodeids=inner.tolist(),
        nodes_featureids=joined("feature").tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values=joined("threshold").tolist(),
        nodes_hitrates=[1.0] * len(leaf),
        nodes_truenodeids=np.where(leaf, 0, joined("left")).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, joined("right")).tolist(),
        nodes_missing_value_tracks_true=joined("missing_left").astype(int).tolist(),
        target_treeids=number[leaf].tolist(),
        target_nodeids=inner[leaf].tolist(),
        target_ids=of_output[leaf].tolist(),
        target_weights=joined("value")[leaf].astype(np.float32).tolist(),
    )
