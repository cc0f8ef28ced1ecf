"""Losses that are not finite: skipped, then taken back once, then told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cloudtui_trainer import checkpoints
from cloudtui_trainer.job import Job
from cloudtui_trainer.models import spec_of
from cloudtui_trainer.tasks.image import ImageParams, ImageTask
from cloudtui_trainer.train import fresh, taken_from
from cloudtui_trainer.weights import write_safetensors

pytestmark = pytest.mark.usefixtures("no_export", "small")


@pytest.fixture
def spoilt(monkeypatch):
    """Let the loss of some steps (counted from 0 as they are computed) be NaN."""
    right = ImageTask.loss

    def spoil(bad):
        calls = iter(range(10**9))

        def loss(self, outputs, targets):
            return right(self, outputs, targets) * (float("nan") if next(calls) in bad else 1.0)

        monkeypatch.setattr(ImageTask, "loss", loss)

    return spoil


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_bad_step_changes_nothing(home, spoilt, monkeypatch, optimizer):
    spoilt({4})
    states = []
    right = torch.optim.Optimizer.zero_grad
    monkeypatch.setattr(
        torch.optim.Optimizer,
        "zero_grad",
        lambda self, **more: (
            states.append([w.detach().clone() for w in self.param_groups[0]["params"]]),
            right(self, **more),
        ),
    )
    assert home.run(optimizer=optimizer) == 0
    assert all(torch.equal(a, b) for a, b in zip(states[4], states[5], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(states[5], states[6], strict=True))
    assert home.points()[5, "train/loss"] == "nan"
    assert home.points()[6, "train/loss"] < 10
    assert home.events()["skipped_steps"]["steps"] == 1


def test_a_point_is_of_the_steps_that_were_finite(home, spoilt):
    spoilt({3})
    assert home.run(log_every=5) == 0
    assert 0 < home.points()[5, "train/loss"] < 10


def test_many_in_a_row_are_taken_back_once_with_half_the_rate(home, spoilt):
    spoilt(set(range(20, 30)))
    assert home.run(epochs=8, checkpoint_every_steps=8, schedule="constant") == 0
    taken = home.events()["taken_back"]
    assert (taken["step"], taken["to_step"], taken["rate_scale"]) == (30, 24, 0.5)
    rates = {step: value for (step, key), value in home.points().items() if key == "train/learning_rate"}
    assert rates[31] == pytest.approx(rates[30] / 2)
    assert sorted(rates) == list(range(1, 41))


def test_when_it_does_not_help_the_run_fails_with_the_reason(home, spoilt):
    spoilt(set(range(5, 100)))
    assert home.run(epochs=20) == 1
    assert "not finite for 10 steps in a row" in home.records()[-1]["message"]
    assert home.events()["taken_back"]["to_step"] == 0


def kept(home, number):
    """A job whose newest checkpoint, of step 4, has this number in all of its weights."""
    job = Job.load(home.config(), {})
    params, cpu = ImageParams(), torch.device("cpu")
    task = ImageTask(job.dataset, params, cpu)
    learner = fresh(job, task, params, cpu)
    for weight in learner.weights:
        weight.data.fill_(number)
    checkpoints.save(job.checkpoints, 4, job.fingerprint, learner.state())
    return job, task, params, cpu


@pytest.mark.parametrize(("number", "step"), [(0.25, 4), (float("nan"), 0)])
def test_weights_are_taken_back_from_a_checkpoint_that_is_finite(home, number, step):
    learner, source = taken_from(*kept(home, number))
    assert source == step
    assert all(torch.isfinite(weight).all() for weight in learner.weights)
    assert all((weight == number).all() for weight in learner.weights) == (step == 4)


def test_with_no_good_checkpoint_the_run_begins_again_with_the_weights_that_it_was_given(home, tmp_path):
    job, task, params, cpu = kept(home, float("nan"))
    given = task.build("cnn")
    write_safetensors(tmp_path / "given.safetensors", given, {"net": spec_of(given), "labels": task.labels})
    learner, source = taken_from(replace(job, weights=tmp_path / "given.safetensors"), task, params, cpu)
    assert source == 0
    for mine, theirs in zip(learner.weights, given.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_batch_norm_is_not_poisoned(home, monkeypatch):
    """Activations that overflow must not reach the running statistics."""
    right = ImageTask.batch
    calls = iter(range(10**9))

    def batch(self, split, rows, *, augment=False):
        pictures, targets = right(self, split, rows, augment=augment)
        return (
            (pictures.float() * float("inf"), targets)
            if augment and next(calls) == 3
            else (pictures, targets)
        )

    monkeypatch.setattr(ImageTask, "batch", batch)
    assert home.run() == 0
    assert home.events()["skipped_steps"]["steps"] == 1
    assert home.points()[10, "test/accuracy"] > 0.5
