"""What learns: averages, what pulls at the weights, the scale of fp16, frozen layers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cloudtui_trainer import devices
from cloudtui_trainer.averaging import averaged, swapped
from cloudtui_trainer.devices import choose_precision
from cloudtui_trainer.errors import ParamError, TrainerError
from cloudtui_trainer.learner import FIRST_SCALE, GROWS_AFTER, new_learner
from cloudtui_trainer.params import Params

CPU = torch.device("cpu")


def learner(precision="fp32", **params):
    """One of a small network."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    return new_learner(model, Params(**params), precision, CPU)


def give_gradients(learner, value=1.0):
    for weight in learner.weights:
        weight.grad = torch.full_like(weight, value)


def test_the_average_is_corrected_for_its_short_beginning():
    it = learner(ema=0.9)
    seen = []
    for number in range(1, 6):
        for tensor in averaged(it.model):
            tensor.fill_(number)
        seen.append(number)
        it.averages()
        weights = [0.1 * 0.9 ** (number - place) for place in range(1, number + 1)]
        expected = sum(w * v for w, v in zip(weights, seen, strict=True)) / sum(weights)
        assert all(torch.allclose(tensor, torch.tensor(expected)) for tensor in it.average)


def test_statistics_of_batch_norm_are_averaged_with_the_weights():
    it = learner(ema=0.5)
    it.model[1].running_mean.fill_(4.0)
    it.averages()
    it.model[1].running_mean.fill_(1.0)
    it.averages()
    with swapped(it.model, it.average):
        assert torch.allclose(it.model[1].running_mean, torch.tensor(2.0))
    assert torch.allclose(it.model[1].running_mean, torch.tensor(1.0))


def test_a_gradient_in_parts_of_different_sizes_is_that_of_the_whole():
    """Five rows in two parts: three and two."""
    torch.manual_seed(1)
    rows, truth = torch.randn(5, 3), torch.tensor([0, 1, 1, 0, 1])
    task = SimpleNamespace(
        batch=lambda _split, part, **_: (rows[part], truth[part]),
        loss=nn.functional.cross_entropy,
        scored=lambda outputs, targets: (outputs.argmax(1) == targets).sum(),
    )
    found = []
    for parts in (1, 2):
        it = learner()
        it.model.eval()  # batch-norm sees the parts alone
        sums = it.gradients(task, torch.arange(5), parts, CPU)
        found.append([sums, *(weight.grad for weight in it.weights)])
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*found, strict=True))


def test_biases_and_norms_are_not_pulled_towards_zero():
    it = learner(optimizer="sgd", weight_decay=0.5, momentum=0.0)
    before = [weight.detach().clone() for weight in it.weights]
    give_gradients(it, 0.0)
    it.update(torch.tensor(1.0), 0.1)
    for old, new in zip(before, it.weights, strict=True):
        assert torch.allclose(new, old * (0.95 if old.ndim > 1 else 1.0))


def test_l1_pulls_by_the_sign():
    it = learner(optimizer="sgd", weight_decay=0.0, momentum=0.0, l1=0.01)
    before = [weight.detach().clone() for weight in it.weights]
    give_gradients(it, 0.0)
    it.update(torch.tensor(1.0), 1.0)
    for old, new in zip(before, it.weights, strict=True):
        assert torch.allclose(new, old - 0.01 * old.sign() if old.ndim > 1 else old)


@pytest.mark.parametrize("length", [0.1, 1e6])
def test_a_gradient_is_no_longer_than_the_clip(length):
    it = learner(optimizer="sgd", weight_decay=0.0, momentum=0.0, clip=1.0)
    before = torch.cat([weight.detach().flatten() for weight in it.weights])
    give_gradients(it, length / math.sqrt(len(before)))
    it.update(torch.tensor(1.0), 1.0)
    moved = (torch.cat([weight.detach().flatten() for weight in it.weights]) - before).norm()
    assert moved == pytest.approx(min(length, 1.0), rel=1e-3)


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_a_step_that_is_not_finite_moves_nothing(broken):
    it = learner(clip=1.0, l1=0.1)
    before = [weight.detach().clone() for weight in it.weights]
    give_gradients(it, math.inf if broken == "gradient" else 1.0)
    assert not it.update(torch.tensor(math.nan if broken == "loss" else 1.0), 1.0)
    assert all(torch.equal(old, new) for old, new in zip(before, it.weights, strict=True))


def test_statistics_go_back_to_those_before_the_step_that_came_to_nothing():
    it = learner()
    for number in (1.0, 2.0, 3.0):
        it.model[1].running_mean.fill_(number)
        it.remember()
    it.model[1].running_mean.fill_(math.nan)
    it.put_back(torch.tensor(True))
    assert it.model[1].running_mean.isnan().all()
    it.put_back(torch.tensor(False))
    assert it.model[1].running_mean.tolist() == [3.0] * 4


def test_the_scale_of_fp16_halves_on_overflow_and_grows_after_many_good_steps():
    it = learner("fp16", optimizer="sgd", weight_decay=0.0, momentum=0.0)
    give_gradients(it, math.inf)
    assert not it.update(torch.tensor(1.0), 0.1)
    assert it.scale.tolist() == [FIRST_SCALE / 2, 0]
    for _ in range(GROWS_AFTER):
        give_gradients(it, 0.0)
        it.update(torch.tensor(1.0), 0.1)
    assert it.scale.tolist() == [FIRST_SCALE, 0]


def test_fp16_takes_the_scale_out_before_the_step():
    it = learner("fp16", optimizer="sgd", weight_decay=0.0, momentum=0.0)
    before = [weight.detach().clone() for weight in it.weights]
    give_gradients(it, FIRST_SCALE)
    it.update(torch.tensor(1.0), 0.5)
    assert all(torch.allclose(new, old - 0.5) for old, new in zip(before, it.weights, strict=True))


def test_a_checkpoint_holds_the_scale_of_fp16():
    it, other = learner("fp16"), learner("fp16")
    it.scale.copy_(torch.tensor([4.0, 7.0]))
    other.load(it.state())
    assert other.scale.tolist() == [4.0, 7.0]


def test_frozen_weights_stay_and_so_do_their_statistics():
    it = learner()
    frozen = [name for name, _ in it.model.named_parameters() if not name.startswith("2.")]
    before = {name: tensor.clone() for name, tensor in it.model.state_dict().items()}
    it.set_training(frozen)
    it.model(torch.randn(8, 3)).square().mean().backward()
    it.update(torch.tensor(1.0), 0.1)
    changed = {
        name for name, tensor in it.model.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert changed == {"2.weight", "2.bias"}
    it.set_training([])
    it.model(torch.randn(8, 3)).square().mean().backward()
    it.update(torch.tensor(1.0), 0.1)
    changed = {
        name for name, tensor in it.model.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert changed == set(before)


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(ParamError, match="only a GPU computes in it"):
        choose_precision(Params(precision="fp16"), CPU, nn.Conv2d(1, 1, 1))


@pytest.mark.parametrize(
    ("flags", "model", "precision"),
    [
        ("fpu avx512f avx512_bf16", nn.Conv2d(1, 1, 1), "bf16"), ("fpu amx_bf16", nn.Conv2d(1, 1, 1), "bf16"),
        ("fpu avx512f", nn.Conv2d(1, 1, 1), "fp32"), ("fpu avx512_bf16", nn.Linear(1, 1), "fp32"),
    ],
)  # fmt: skip
def test_auto_takes_bf16_where_the_cpu_multiplies_it(tmp_path, monkeypatch, flags, model, precision):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: {flags}\n\nprocessor : 1\nflags : fpu\n")
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "cpuinfo")
    assert choose_precision(Params(), CPU, nn.Sequential(model)) == precision
    assert choose_precision(Params(precision="fp32"), CPU, nn.Sequential(model)) == "fp32"


def test_a_machine_that_does_not_tell_its_flags_computes_in_fp32(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "none")
    assert choose_precision(Params(), CPU, nn.Conv2d(1, 1, 1)) == "fp32"


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_first_step_that_is_skipped_leaves_nothing_behind(optimizer):
    """Momentum that was never written would be whatever lay in that memory."""
    skipped, plain = learner(optimizer=optimizer), learner(optimizer=optimizer)
    give_gradients(skipped, math.nan)
    assert not skipped.update(torch.tensor(1.0), 0.1)
    assert all(not held.any() for state in skipped.optimizer.state.values() for held in state.values())
    for it in (skipped, plain):
        give_gradients(it)
        assert it.update(torch.tensor(1.0), 0.1)
    assert all(torch.equal(left, right) for left, right in zip(skipped.weights, plain.weights, strict=True))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_weights_that_thaw_learn_from_there_on_as_new_ones_do(optimizer):
    it = learner(optimizer=optimizer, weight_decay=0.0)
    body = ["0.weight", "0.bias", "1.weight", "1.bias"]
    it.set_training(body)
    it.model(torch.randn(8, 3)).square().mean().backward()
    it.update(torch.tensor(1.0), 0.1)
    it.set_training([])
    new = learner(optimizer=optimizer, weight_decay=0.0)
    before = [it.model[0].weight.detach().clone(), new.model[0].weight.detach().clone()]
    for one in (it, new):
        give_gradients(one)
        assert one.update(torch.tensor(1.0), 0.1)
    moved = [one.model[0].weight - old for one, old in zip((it, new), before, strict=True)]
    assert moved[0].abs().min() > 0.01
    assert torch.allclose(moved[0], moved[1], atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_optimizer_takes_its_memory_before_the_first_step(optimizer):
    it = learner(optimizer=optimizer)
    held = [tensor.data_ptr() for state in it.optimizer.state.values() for tensor in state.values()]
    assert len(it.optimizer.state) == len(it.weights)
    give_gradients(it)
    it.update(torch.tensor(1.0), 0.1)
    assert held == [tensor.data_ptr() for state in it.optimizer.state.values() for tensor in state.values()]


def test_memory_that_runs_out_amid_an_update_ends_the_run(monkeypatch):
    """Some weights have moved and others not: to do it again from there would move these twice."""
    it = learner()
    give_gradients(it)

    def half(*_args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(it.optimizer, "step", half)
    with pytest.raises(TrainerError, match="amid an update"):
        it.update(torch.tensor(1.0), 0.1)
