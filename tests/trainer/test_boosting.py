"""Boosted trees: what scikit-learn grew, what is summed here and what ONNX Runtime computes are one model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudtui_trainer import fitting
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import boosting
from cloudtui_trainer.models.boosting import Boosting, Ranks
from cloudtui_trainer.models.trees import rounded_down

STATED = {"input": "rows", "output": "logits", "labels": ["a", "b"]}


def table(rows=400, words=(3, 7), numbers=3, seed=0, coarse=True):
    """Features and raw rows with missing numbers, missing and rare categories."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(rows, numbers + len(words))).astype(np.float32)
    if coarse:
        x = np.round(x * 10) / np.float32(10)  # values meet thresholds, and midpoints are no float32
    x[chance.random(x.shape) < 0.1] = np.nan
    columns = [
        {"name": f"n{at}", "kind": "number", "fill": 0.0, "mean": 0.0, "std": 1.0, "edges": [-1.0, 1.0]}
        for at in range(numbers)
    ]
    for size in words:
        at = len(columns)
        x[:, at] = chance.integers(0, size + 1, rows)
        columns.append({"name": f"c{at}", "kind": "category", "vocabulary": [str(w) for w in range(size)]})
    return {"kind": "tabular", "columns": columns, "target": {"kind": "classes"}}, x


def target(x, classes, seed=0):
    chance = np.random.default_rng(seed)
    score = np.nan_to_num(x[:, 0]) + np.sin(x[:, -1] * 2) + chance.normal(size=len(x)) / 3
    if not classes:
        return (score * 50 + 1000).astype(np.float32)
    return np.digitize(score, np.quantile(score, np.arange(1, classes) / classes)).astype(np.int64)


def grown(classes, rounds=30, **how):
    features, x = table(**how)
    model = Boosting(features, x, target(x, classes), classes, rate=0.2, leaves=15, seed=0, threads=1)
    model.grow(rounds // 2)
    model.grow(rounds - rounds // 2)
    return model, x


def as_onnx(model):
    content = model.to_onnx({**STATED, "output": "out"})
    session = onnxruntime.InferenceSession(content)
    return lambda rows: session.run(["out"], {"rows": rows})[0]


@pytest.mark.parametrize("classes", [0, 2, 3, 5])
def test_scikit_learn_and_onnx_runtime_agree_on_rows_never_seen(classes):
    model, x = grown(classes)
    _, new = table(seed=1)
    for rows in (x, new, new[:1], new[:7]):
        compared = model.ranks.apply(rows)
        own = model.forest.outputs(compared)
        if classes:
            shares = model._grower.predict_proba(compared)
            logits = model.outputs(own)
            raised = np.exp(logits - logits.max(1, keepdims=True))
            np.testing.assert_allclose(raised / raised.sum(1, keepdims=True), shares, atol=1e-6)
        else:
            np.testing.assert_allclose(own[:, 0], model._grower.predict(compared), rtol=1e-6)
        found = as_onnx(model)(rows)
        assert found.shape == (len(rows), classes or 1)
        np.testing.assert_allclose(found, model.outputs(own), atol=1e-4, rtol=1e-6)


def test_a_file_that_says_something_else_than_its_trees_is_refused():
    model, x = grown(2)
    content = model.to_onnx(STATED)
    own = model.outputs(model.forest.outputs(model.ranks.apply(x)))
    task = SimpleNamespace(batch=lambda *_: (torch.from_numpy(x), None), rows=lambda _: len(x))

    def judged(off):
        fitted = SimpleNamespace(outputs=lambda _: own + off)
        return fitting._judged(content, task, fitted, "test", SimpleNamespace())

    np.testing.assert_allclose(judged(0.0), own, atol=1e-4, rtol=1e-6)
    with pytest.raises(TrainerError, match=r"differs from the model by 0\.1 on the test rows"):
        judged(0.1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 0.3), st.sampled_from([0, 2]))
def test_values_at_a_threshold_go_the_same_way_everywhere(seed, step, classes):
    """Thresholds are midpoints of neighbours; rows lie on them, and on the float32 on either side."""
    features, x = table(rows=120, words=(2,), numbers=1, seed=seed)
    x[:, 0] = (np.arange(120) * step).astype(np.float32)
    y = target(x, classes, seed)
    model = Boosting(features, x, y, classes, rate=0.3, leaves=8, seed=0, threads=1)
    model.grow(5)
    cuts = np.concatenate([tree.threshold[~tree.leaf] for trees in model.forest.rounds for tree in trees])
    cuts = cuts[np.isfinite(cuts)]
    near = np.concatenate([cuts, np.nextafter(cuts, np.float32(9e9)), np.nextafter(cuts, np.float32(-9e9))])
    rows = np.stack([near, np.ones_like(near)], 1).astype(np.float32)
    compared = model.ranks.apply(rows)
    own = model.forest.outputs(compared)[:, 0]
    grower = model._grower
    expected = grower.decision_function(compared) if classes else grower.predict(compared)
    np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(as_onnx(model)(rows)[:, -1], expected, rtol=1e-5, atol=1e-5)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.1)
@example(-1e-320)
@example(1e300)
@example(-1e300)
def test_a_threshold_is_rounded_down_and_no_further(value):
    down = rounded_down(np.array([value]))[0]
    assert float(down) <= value
    with np.errstate(over="ignore"):
        above = np.nextafter(down, np.float32(np.inf))
    assert float(above) > value


def test_codes_that_are_none_count_as_unseen():
    model, _ = grown(2)
    _, rows = table(seed=2)
    odd, zero = rows[:6].copy(), rows[:6].copy()
    odd[:, -1] = [99, -1, np.nan, np.inf, 8, 1e9]
    zero[:, -1] = 0
    np.testing.assert_array_equal(model.ranks.apply(odd), model.ranks.apply(zero))
    np.testing.assert_array_equal(as_onnx(model)(odd), as_onnx(model)(zero))


def test_ranks_follow_the_target_share():
    features, _ = table(words=(3,), numbers=1)
    codes = np.repeat([1, 2, 3], 100)
    rows = np.stack([np.zeros(300), codes], 1).astype(np.float32)
    share = np.select([codes == 1, codes == 2], [0.5, 0.9], 0.1)
    y = (np.arange(300) % 100 < share * 100).astype(float)
    (table_of,) = Ranks.fit(features, rows, y[:, None]).tables
    assert table_of[[3, 1, 2]].tolist() in ([0, 2, 3], [0, 1, 3], [3, 2, 0], [3, 1, 0])


@pytest.mark.parametrize(("words", "numbers"), [((), 3), ((4, 4), 0)])
def test_tables_of_one_kind_of_column(words, numbers):
    model, x = grown(2, words=words, numbers=numbers)
    np.testing.assert_allclose(
        as_onnx(model)(x), model.outputs(model.forest.outputs(model.ranks.apply(x))), atol=1e-5
    )


def test_the_file_is_checked_dynamic_and_says_what_it_is():
    model, _ = grown(2)
    proto = onnx.load_from_string(model.to_onnx(STATED))
    onnx.checker.check_model(proto, full_check=True)
    assert {entry.domain: entry.version for entry in proto.opset_import} == {"": 18, "ai.onnx.ml": 3}
    (rows,) = proto.graph.input
    assert [side.dim_param or side.dim_value for side in rows.type.tensor_type.shape.dim] == ["batch", 5]
    assert {entry.key: entry.value for entry in proto.metadata_props}["labels"] == '["a", "b"]'


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(boosting, "missing_libraries", lambda: ["scikit-learn"])
    with pytest.raises(TrainerError, match="pip install scikit-learn"):
        grown(2)


def test_growing_in_two_parts_is_growing_at_once():
    parts, x = grown(2, rounds=10)
    features, _ = table()
    whole = Boosting(features, x, target(x, 2), 2, rate=0.2, leaves=15, seed=0, threads=1)
    whole.grow(10)
    compared = whole.ranks.apply(x)
    np.testing.assert_array_equal(parts.forest.outputs(compared), whole.forest.outputs(compared))


@pytest.mark.parametrize(("classes", "found"), [(3, [0, 2]), (1, [0])])
def test_a_class_without_rows_is_refused(classes, found):
    features, x = table(rows=60)
    with pytest.raises(TrainerError, match=f"Only {len(found)} of {classes} classes"):
        Boosting(features, x, np.resize(found, 60), classes, rate=0.1, leaves=8, seed=0)
