"""The network fits every size of picture, and augmentation moves pictures and nothing else."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudtui_trainer.models.cnn import CNN
from cloudtui_trainer.randomness import mixed
from cloudtui_trainer.rates import schedule
from cloudtui_trainer.tasks.image import shifted


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([1, 3]), st.integers(4, 70), st.integers(4, 70), st.integers(2, 12))
def test_any_shape_in_one_row_a_picture_out(channels, height, width, classes):
    model = CNN((channels, height, width), classes, 0.1).eval()
    assert model(torch.zeros(2, channels, height, width)).shape == (2, classes)
    assert sum(weight.numel() for weight in model.parameters()) < 12_000_000


def test_mnist_gets_the_documents_network():
    model = CNN((1, 28, 28), 10, 0.25)
    assert [layer.out_channels for layer in model.convolutions if isinstance(layer, torch.nn.Conv2d)] == [
        64,
        128,
    ]
    assert [layer.out_features for layer in model.dense if isinstance(layer, torch.nn.Linear)] == [512, 10]


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


@pytest.mark.parametrize("name", ["one_cycle", "cosine", "constant"])
def test_rates_stay_within_bounds(name):
    rates = [schedule(name, step / 100) for step in range(100)]
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert min(rates) > 0
    assert name == "constant" or rates[-1] < 0.01


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
