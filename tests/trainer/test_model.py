"""The network fits every size of picture, and augmentation moves pictures and nothing else."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudtui_trainer.augmentation import erased, shifted
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import build, cnn, resnet, spec_of
from cloudtui_trainer.randomness import mixed
from cloudtui_trainer.rates import schedule

KINDS = {"cnn": cnn, "resnet": resnet}


def spec(kind, shape, classes=10):
    """The default network's spec for pictures of a shape."""
    features = {"kind": "image", "shape": list(shape), "mean": [100.0] * shape[0], "std": [50.0] * shape[0]}
    return KINDS[kind].spec(shape, classes, features)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["cnn", "resnet"]), st.sampled_from([1, 3]), st.integers(4, 70), st.integers(4, 70),
    st.integers(2, 12),
)  # fmt: skip
def test_any_shape_in_one_row_a_picture_out(kind, channels, height, width, classes):
    model = build(spec(kind, (channels, height, width), classes)).eval()
    assert model(torch.zeros(2, channels, height, width, dtype=torch.uint8)).shape == (2, classes)
    assert sum(weight.numel() for weight in model.parameters()) < 12_000_000


def test_mnist_gets_the_documents_network():
    model = build(spec("cnn", (1, 28, 28))).net
    assert [layer.out_channels for layer in model.convolutions if isinstance(layer, torch.nn.Conv2d)] == [
        64,
        128,
    ]
    assert [layer.out_features for layer in model.dense if isinstance(layer, torch.nn.Linear)] == [512, 10]


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)])
def test_the_residual_network_is_small_and_works_from_8_to_64(shape):
    model = build(spec("resnet", shape))
    assert 290_000 < sum(weight.numel() for weight in model.parameters()) < 320_000
    model(torch.randint(0, 255, (4, *shape), dtype=torch.uint8)).sum().backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


def test_both_dense_layers_drop_as_much_as_is_said():
    model = build(cnn.spec((1, 8, 8), 10, spec("cnn", (1, 8, 8))["features"], dropout=0.4))
    assert [layer.p for layer in model.modules() if isinstance(layer, torch.nn.Dropout)] == [0.4, 0.4]


@pytest.mark.parametrize("kind", ["cnn", "resnet"])
def test_the_spec_is_json_and_rebuilds_the_network(kind):
    model = build(spec(kind, (3, 20, 28)))
    again = build(json.loads(json.dumps(spec_of(model))))
    again.load_state_dict(model.state_dict())
    pictures = torch.randint(0, 255, (3, 3, 20, 28), dtype=torch.uint8)
    assert torch.equal(model.eval()(pictures), again.eval()(pictures))


def test_a_pruned_network_is_the_same_spec_with_other_widths():
    net = spec("resnet", (1, 28, 28))
    net["stem"] = 20
    net["stages"][0] |= {"width": 20, "inner": [7, 9]}
    net["stages"][1] |= {"width": 33, "inner": [11]}
    model = build(net)
    assert model.net.stages[0][1].conv1.weight.shape == (9, 20, 3, 3)
    assert isinstance(model.net.stages[0][0].shortcut, torch.nn.Identity)
    assert model.net.stages[2][0].shortcut[0].weight.shape == (128, 33, 1, 1)
    net = spec("cnn", (1, 28, 28)) | {"widths": [5, 13], "dense": 17}
    assert build(net).net.dense[2].weight.shape == (17, 13 * 7 * 7)
    assert build(net)(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "evil"}, {"model": None}, {"classes": 0}, {"classes": True}, {"shape": [1, 28]},
        {"stem": -4}, {"stem": 10**9}, {"stem_stride": 0}, {"dropout": 2}, {"features": {"kind": "x"}},
        {"stages": 7}, {"stages": [{"width": 3}]}, {"stages": [{"width": 3, "stride": 1, "inner": []}]},
    ],
)  # fmt: skip
def test_a_spec_that_makes_no_sense_is_refused(change):
    with pytest.raises(TrainerError, match=r"no network|makes no sense"):
        build(spec("resnet", (1, 28, 28)) | change)


def test_shifting_moves_each_picture_by_at_most_its_reach():
    torch.manual_seed(0)
    pictures = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    pictures[:, :, 14, 14] = 255
    moved = shifted(pictures, flip=False)
    assert moved.dtype == torch.uint8
    places = moved.flatten(1).argmax(1)
    assert ((places // 28 - 14).abs() <= 2).all()
    assert ((places % 28 - 14).abs() <= 2).all()
    assert len(set(places.tolist())) > 10
    assert moved.sum() == pictures.sum()


def test_tiny_pictures_stay_and_flipping_mirrors():
    torch.manual_seed(0)
    pictures = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8).repeat(20, 1, 1, 1)
    assert torch.equal(shifted(pictures, flip=False), pictures)
    kinds = {tuple(row.flatten().tolist()) for row in shifted(pictures, flip=True)}
    assert kinds == {tuple(pictures[0].flatten().tolist()), tuple(pictures[0].flip(2).flatten().tolist())}


@pytest.mark.parametrize("side", [0.01, 0.3, 0.9])
def test_erasing_wipes_out_one_square_of_each_picture(side):
    torch.manual_seed(0)
    pictures = torch.full((64, 3, 20, 30), 255, dtype=torch.uint8)
    found = erased(pictures, side, [7.2, 0.0, 9.9])
    assert found.dtype == torch.uint8
    hit = found[:, 0] != 255
    assert set(found[:, 0][hit].tolist()) == {7}
    assert set(found[:, 2][hit].tolist()) == {10}
    assert torch.equal(hit, found[:, 1] != 255)
    tall, wide = hit.any(2).sum(1), hit.any(1).sum(1)
    assert torch.equal(hit.sum((1, 2)), tall * wide)
    assert int(tall.max()) == max(1, round(20 * side))
    assert int(wide.max()) == max(1, round(30 * side))
    assert len({tuple(row.nonzero()[0].tolist()) for row in hit}) > 5
    assert (pictures == 255).all()


def test_the_step_schedule_divides_by_ten_twice():
    assert [schedule("step", done) for done in (0.0, 0.49, 0.5, 0.74, 0.75, 0.99)] == [
        1.0, 1.0, 0.1, 0.1, 0.01, 0.01,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["one_cycle", "cosine", "constant"])
def test_rates_stay_within_bounds(name):
    rates = [schedule(name, step / 100) for step in range(100)]
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert min(rates) > 0
    assert name == "constant" or rates[-1] < 0.01


def test_one_cycle_warms_up_and_cosine_falls_from_the_first_step():
    one_cycle, cosine = (
        [schedule(name, step / 100) for step in range(100)] for name in ("one_cycle", "cosine")
    )
    assert one_cycle[0] == pytest.approx(1 / 25)
    assert one_cycle.index(max(one_cycle)) == 30
    assert cosine == sorted(cosine, reverse=True)


@pytest.mark.parametrize("kind", ["cnn", "resnet"])
def test_dropout_is_drawn_in_training_alone(kind):
    model = build(spec(kind, (1, 8, 8)) | {"dropout": 0.5})
    rows = torch.randint(0, 255, (16, 1, 8, 8), dtype=torch.uint8)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0
    assert not torch.equal(model.train()(rows), model(rows))
    assert torch.equal(model.eval()(rows), model(rows))


@given(st.integers(0, 2**31 - 1), st.integers(0, 2), st.integers(0, 10**6))
def test_seeds_of_neighbours_differ(seed, use, number):
    found = {
        mixed(seed, use, number),
        mixed(seed, use, number + 1),
        mixed(seed, use + 1, number),
        mixed(seed + 1, use, number),
    }
    assert len(found) == 4
    assert all(0 <= value < 2**63 for value in found)
