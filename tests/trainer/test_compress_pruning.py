"""Channels that hang together, found and cut with exactly the effect that was meant."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tests.trainer.compress_models import CNN, RESNET, task_of, trained, write_pictures

from cloudtui_trainer.compress import coupling, pruning
from cloudtui_trainer.compress.kl import divergence
from cloudtui_trainer.compress.rows import TrainRows
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import build

MLP = {
    "model": "mlp", "classes": 3, "widths": [20, 14], "embedding": 6, "dropout": 0.0,
    "features": {
        "kind": "tabular", "target": {"kind": "classes"},
        "columns": [
            {"name": "a", "kind": "number", "fill": 0.0, "mean": 0.0, "std": 1.0, "edges": [-1.0, 0.0, 1.0]},
            {"name": "b", "kind": "category", "vocabulary": ["x", "y"]},
            {"name": "c", "kind": "number", "fill": 0.0, "mean": 0.0, "std": 1.0, "edges": [-1.0, 1.0]},
        ],
    },
}  # fmt: skip
PICTURE = {"shape": [1, 8, 8], "classes": 4}
FEATURES = {"kind": "image", "shape": [1, 8, 8], "mean": [90.0], "std": [70.0]}


def whole(net):
    """A network with weights and statistics that are all different, and some inputs."""
    torch.manual_seed(3)
    model = build(net if net is MLP else {**net, **PICTURE, "features": FEATURES}).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point() and name not in {"mean", "std"} and "columns" not in name:
                tensor.copy_(
                    torch.rand_like(tensor) + 0.2 if "running_var" in name else torch.randn_like(tensor)
                )
    rows = torch.randn(5, 3).round(decimals=2)
    rows[:, 1] = torch.tensor([0.0, 1, 2, 1, 0])
    return model, rows if net is MLP else torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("net", "widths"),
    [
        (CNN, {"widths.0": 12, "widths.1": 16, "dense": 24}),
        (
            RESNET,
            {
                "stages.0.inner.0": 8, "stages.1.width": 12, "stages.1.inner.0": 12,
                "stem+stages.0.width": 8,
            },
        ),
        (MLP, {"widths.0": 20, "widths.1": 14}),
    ],
    ids=["cnn", "resnet", "mlp"],
)  # fmt: skip
def test_every_width_is_found_and_cut_exactly(net, widths):
    model, inputs = whole(net)
    units = coupling.provable(model, coupling.units(model.spec), inputs)
    assert {unit.name: unit.width for unit in units} == widths
    keep = {unit: torch.randperm(unit.width)[: unit.width // 3 + 1].sort().values for unit in units}
    smaller = coupling.cut(model.spec, model.state_dict(), keep)
    coupling.prove(model, smaller, keep, inputs)
    assert build(smaller.spec).load_state_dict(smaller.state_dict())
    assert sum(w.numel() for w in smaller.parameters()) < 0.6 * sum(w.numel() for w in model.parameters())


def test_the_wrong_channels_are_noticed():
    model, inputs = whole(CNN)
    unit = coupling.units(model.spec)[1]
    smaller = coupling.cut(model.spec, model.state_dict(), {unit: torch.arange(0, 8)})
    with pytest.raises(TrainerError, match="changed more than these"):
        coupling.prove(model, smaller, {unit: torch.arange(8, 16)}, inputs)


def test_a_layout_thought_wrong_is_left_alone():
    """The pictures of a channel lie one after another; cut by another thought, the proof finds out."""
    model, inputs = whole(CNN)
    unit = next(unit for unit in coupling.units(model.spec) if unit.name == "widths.1")
    flat = next(touch for touch in unit.touches if touch.each > 1)
    shuffled = dataclasses.replace(flat, tensor="net.dense.5.weight", each=1)
    wrong = dataclasses.replace(unit, touches=(*(touch for touch in unit.touches if touch != flat), shuffled))
    assert coupling.provable(model, [unit], inputs) == [unit]
    assert coupling.provable(model, [wrong], inputs) == []


def test_the_embedding_of_columns_is_no_width_of_channels():
    model, _ = whole(MLP)
    assert "embedding" not in {unit.name for unit in coupling.units(model.spec)}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    task = task_of(write_pictures(tmp_path_factory.mktemp("pruning") / "data"))
    model = trained(task, RESNET)
    rows = TrainRows(task)
    curves = pruning.curves(model, coupling.units(model.spec), rows, count=128, seed=0)
    return model, rows.sample(8, 0), curves


def test_more_cut_never_diverges_less(measured):
    for curve in measured[2]:
        assert list(curve.divergences) == sorted(curve.divergences)
        assert curve.divergences[0] == 0.0 < curve.divergences[-1]
        assert sorted(curve.ranking.tolist()) == list(range(curve.unit.width))


def test_ratios_are_not_uniform_and_reach_the_target(measured):
    model, inputs, curves = measured
    share = pruning.cost_of(model, inputs)
    assert share({}) == 1.0
    widths = pruning.widths(curves, 0.5, share)
    assert 0.35 < share(widths) <= 0.5
    kept = {unit.name: width / unit.width for unit, width in widths.items()}
    assert max(kept.values()) - min(kept.values()) > 0.2
    least = min(curves, key=lambda curve: curve.at_half)
    most = max(curves, key=lambda curve: curve.at_half)
    assert kept[least.unit.name] <= kept[most.unit.name]


def test_the_cost_is_that_of_the_network_which_is_built(measured):
    model, inputs, curves = measured
    widths = pruning.widths(curves, 0.4, pruning.cost_of(model, inputs))
    smaller = build(coupling.narrowed(model.spec, widths)).eval()

    def sums(net):
        positions = pruning._positions(net, inputs)
        weights = dict(net.named_parameters())
        return (
            sum(weights[name].numel() * count for name, count in positions.items()),
            sum(weight.numel() for weight in weights.values()),
            sum(len(weights[name]) * count for name, count in positions.items()),
        )

    left, right = sums(smaller), sums(model)
    parts = zip(pruning.PRICES, left, right, strict=True)
    expected = sum(price * part / whole for price, part, whole in parts)
    assert pruning.cost_of(model, inputs)(widths) == pytest.approx(expected)


def test_unread_channels_are_ranked_first(measured):
    """A channel whose norm is zero says nothing, by any criterion that looks at its scale."""
    model, _, curves = measured
    unit = curves[0].unit
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for touch in unit.writers(state):
        state[touch.tensor][3] = 0.0
    scores = pruning.importances(unit, state, {})
    assert scores["norm"].argmin() == scores["weights"].argmin() == 3


def test_nothing_told_of_two_equal_models():
    logits = torch.randn(9, 4).numpy()
    assert divergence(logits, logits) == pytest.approx(0.0, abs=1e-12)
    assert divergence(logits, logits + 3.0) == pytest.approx(0.0, abs=1e-9)
    assert divergence(logits, -logits) > 0.1
    assert divergence(logits, logits * float("nan")) == float("inf")


def test_wide_units_keep_whole_registers_of_channels():
    assert pruning.steps(128) == (128, 112, 96, 80, 64, 48, 32, 16, 8)
    assert pruning.steps(512) == (512, 448, 384, 320, 256, 192, 128, 64, 32, 16, 8)
    assert pruning.steps(32) == (32, 16, 8)
    assert pruning.steps(12) == (12, 10, 9, 8, 6, 4, 3, 2)
    assert pruning.steps(20)[:3] == (20, 18, 15)
    for width in range(3, 700):
        found = pruning.steps(width)
        assert found[0] == width
        assert list(found) == sorted(set(found), reverse=True)
        assert found[-1] >= 2


def curve(name, *divergences):
    unit = coupling.Unit(((name,),), 64, ())
    return pruning.Curve(unit, torch.arange(64), "norm", (64, 48, 32, 16)[: len(divergences)], divergences)


def priced(**prices):
    """The cost of units, each by its share of the channels."""
    return lambda widths: sum(
        prices[unit.name] * widths.get(unit, 64) / 64
        for unit in (coupling.Unit(((name,),), 64, ()) for name in prices)
    )


def test_the_cheapest_is_cut_first():
    found = pruning.widths([curve("a", 0, 9, 9, 9), curve("b", 0, 1, 2, 3)], 0.7, priced(a=0.5, b=0.5))
    assert {unit.name: width for unit, width in found.items()} == {"a": 64, "b": 16}


def test_what_was_cut_for_nothing_is_given_back():
    """The small one is cut first and does not suffice; the large one goes beyond the target in one step."""
    large, small = curve("large", 0, 50, 60, 70), curve("small", 0, 1, 2, 3)
    found = pruning.widths([large, small], 0.75, priced(large=0.9, small=0.1))
    assert {unit.name: width for unit, width in found.items()} == {"large": 48, "small": 48}


def test_a_target_out_of_reach_is_come_as_near_as_can_be():
    found = pruning.widths([curve("a", 0, 1, 2, 3)], 0.01, priced(a=1.0))
    assert list(found.values()) == [16]
