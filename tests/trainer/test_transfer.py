"""Weights of another run: what fits is taken, the head new for other classes, other networks refused."""

from __future__ import annotations

import json

import pytest
import torch
from tests.trainer.test_model import spec

from cloudtui_trainer import transfer
from cloudtui_trainer.job import Job
from cloudtui_trainer.models import build
from cloudtui_trainer.weights import WeightsError, read_safetensors, rebuild, write_safetensors

TEN = [str(number) for number in range(10)]


def given(tmp_path, kind="resnet", classes=10, labels=TEN, shape=(1, 8, 8), net=True, **change):
    """A file of weights of a new network."""
    torch.manual_seed(1)
    described = spec(kind, shape, classes) | change
    model = build(described)
    for buffer in (model.mean, model.std):
        buffer.mul_(3)
    path = tmp_path / "given.safetensors"
    write_safetensors(path, model, {"labels": labels} | ({"net": described} if net else {}))
    return path, model.state_dict()


def new(kind="resnet", shape=(1, 8, 8)):
    torch.manual_seed(2)
    return build(spec(kind, shape))


def test_all_is_taken_but_what_was_fitted_to_the_data(tmp_path):
    path, theirs = given(tmp_path)
    model = new()
    taken = transfer.take(path, model, TEN)
    assert not taken.anew
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, theirs[name]) == (name not in {"mean", "std"}), name
    assert "net.stem.1.running_mean" in taken.taken


@pytest.mark.parametrize(
    ("classes", "labels"), [(3, ["a", "b", "c"]), (10, list("abcdefghij")), (10, None)], ids=str
)
def test_the_head_is_new_for_other_classes(tmp_path, classes, labels):
    path, theirs = given(tmp_path, classes=classes, labels=labels)
    model = new()
    before = model.net.head.weight.clone()
    taken = transfer.take(path, model, TEN)
    assert taken.anew == ["net.head.bias", "net.head.weight"]
    assert torch.equal(model.net.head.weight, before)
    assert torch.equal(model.net.stem[0].weight, theirs["net.stem.0.weight"])


def test_weights_that_do_not_say_their_network_are_held_against_it(tmp_path):
    path, _ = given(tmp_path, net=False)
    assert not transfer.take(path, new(), TEN).anew
    path, _ = given(tmp_path, kind="cnn", net=False)
    with pytest.raises(WeightsError, match="another architecture: only 0 of"):
        transfer.take(path, new(), TEN)


def test_another_network_is_refused_by_its_name(tmp_path):
    path, _ = given(tmp_path, kind="cnn")
    with pytest.raises(WeightsError, match="weights of a 'cnn'; this run trains a 'resnet'"):
        transfer.take(path, new(), TEN)


def test_a_pruned_network_of_other_widths_is_refused(tmp_path):
    path, _ = given(tmp_path, stages=[{"width": 9, "stride": 1, "inner": [7]}], stem=5)
    with pytest.raises(WeightsError, match="another architecture"):
        transfer.take(path, new(), TEN)


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    path, theirs = given(tmp_path)
    theirs["net.stem.0.weight"][0] = float("nan")
    write_safetensors(path, theirs, {"labels": TEN})
    with pytest.raises(WeightsError, match="not finite"):
        transfer.take(path, new(), TEN)


@pytest.mark.usefixtures("no_export", "small")
class TestRuns:
    """A run that begins with the weights of another."""

    @pytest.fixture
    def first(self, home):
        before = home.beside("before")
        assert before.run(epochs=3) == 0
        return before.folder() / "artifacts" / "model.safetensors"

    def test_it_begins_where_the_other_ended(self, home, first):
        home.weights_file = first
        assert home.run(epochs=1, lr=1e-4) == 0
        told = home.events()["weights_taken"]
        assert (told["anew"], told["weights"]) == ([], "model.safetensors")
        assert "nothing is begun anew" in told["text"]
        fresh = home.beside("fresh")
        fresh.weights_file = None
        assert fresh.run(epochs=1, lr=1e-4) == 0
        assert home.points()[1, "train/loss"] < fresh.points()[1, "train/loss"] / 2

    def test_frozen_layers_stay_for_their_epochs(self, home, first):
        home.weights_file = first
        assert home.run(epochs=2, freeze_epochs=2) == 0
        theirs, _ = read_safetensors(first)
        ours, _ = read_safetensors(home.folder() / "artifacts" / "model.safetensors")
        changed = {name for name, tensor in theirs.items() if not torch.equal(tensor, ours[name])}
        assert changed == {"net.dense.5.weight", "net.dense.5.bias"}
        thawed = home.beside("thawed")
        thawed.weights_file = first
        assert thawed.run(epochs=2, freeze_epochs=1) == 0
        differs = {
            step for step, key in home.points() if home.points()[step, key] != thawed.points()[step, key]
        }
        assert min(differs) == 6  # batch-norm looks at the batch again

    def test_it_resumes_without_the_file_with_the_same_layers_frozen(self, home, first, monkeypatch):
        from tests.trainer.test_resume import StopAt

        home.weights_file = first
        home.params |= {"freeze_epochs": 1, "ema": 0.9}
        whole = home.beside("whole")
        assert whole.run() == 0
        monkeypatch.setattr("cloudtui_trainer.__main__.Stop", type("At3", (StopAt,), {"after": 3}))
        assert home.run(1) == 75
        first.rename(first.with_name("away"))
        monkeypatch.setattr("cloudtui_trainer.__main__.Stop", type("Never", (StopAt,), {"after": 10**9}))
        assert home.run(2) == 0
        assert home.weights(2) == whole.weights()

    def test_a_file_that_is_none_ends_the_run_with_the_reason(self, home, first):
        first.write_bytes(b"nothing of this kind")
        home.weights_file = first
        assert home.run() == 1
        assert "no whole file of weights" in home.records()[-1]["message"]

    def test_the_best_weights_lie_beside_the_checkpoints(self, home):
        assert home.run(ema=0.9) == 0
        best = home.folder() / "checkpoints" / "best.safetensors"
        tensors, stated = read_safetensors(best)
        ours, _ = read_safetensors(home.folder() / "artifacts" / "model.safetensors")
        assert all(torch.equal(tensor, ours[name]) for name, tensor in tensors.items())
        assert stated["epoch"] == "2"
        assert rebuild(best)(torch.zeros(1, 1, 8, 8)).shape == (1, 10)


def test_a_checkpoint_is_good_wherever_the_weights_lie_that_it_began_from(tmp_path):
    def fingerprint(**config):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"dataset": "data/ab", **config}))
        return Job.load(path, {}).fingerprint

    here = fingerprint(weights="/a/model.safetensors", weights_sha256="ab")
    assert fingerprint(weights="/b/model.safetensors", weights_sha256="ab") == here
    assert fingerprint(weights="/a/model.safetensors", weights_sha256="cd") != here
    assert fingerprint(weights="/a/model.safetensors") != fingerprint(weights="/b/model.safetensors")
    assert fingerprint(weights_sha256="ab") == fingerprint(), "of nothing there is no content"
