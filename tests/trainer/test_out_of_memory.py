"""Too little memory: the same update in smaller parts, told; and what counts as free."""

from __future__ import annotations

import json

import pytest
import torch
from tests.trainer.test_resume import StopAt

from cloudtui_trainer import memory
from cloudtui_trainer.finishing import predict
from cloudtui_trainer.models.cnn import CNN
from cloudtui_trainer.parts import divided, most_parts
from cloudtui_trainer.stop import STOPPED

OUT = torch.OutOfMemoryError("CUDA out of memory")


@pytest.fixture
def cramped(monkeypatch):
    """Let training on more rows than `most` fail for want of memory, after batch-norm has seen them."""
    right = CNN.forward

    def cramp(most, error=OUT, after=0):
        calls = iter(range(10**9))

        def forward(self, pictures):
            out = right(self, pictures)
            if self.training and next(calls) >= after and len(pictures) > most:
                raise error
            return out

        monkeypatch.setattr(CNN, "forward", forward)

    return cramp


@pytest.mark.usefixtures("no_export", "small")
class TestSmallerParts:
    """What the loop does."""

    def test_the_step_is_done_again_from_the_same_state_in_parts(self, home, cramped, monkeypatch):
        home.params |= {"batch_size": 100, "ema": 0.9, "dropout": 0.0}
        cramped(50)
        assert home.run() == 0
        told = home.events()["out_of_memory"]
        assert (told["step"], told["parts"]) == (0, 2)
        assert "batch-norm" in told["text"]
        monkeypatch.undo()
        monkeypatch.setattr("cloudtui_trainer.export.missing_libraries", lambda: ["onnx"])
        other = home.beside("parts")
        assert other.run(accumulate=2) == 0
        assert home.weights() == other.weights()
        assert home.points() == other.points()

    def test_parts_are_halved_until_they_fit_and_stay_so(self, home, cramped, monkeypatch):
        home.params |= {"batch_size": 100, "checkpoint_every_steps": 4}
        cramped(13, RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), 5)
        monkeypatch.setattr("cloudtui_trainer.__main__.Stop", type("At9", (StopAt,), {"after": 12}))
        assert home.run(1) == STOPPED
        events = [record["data"] for record in home.records(1, "event") if record["name"] == "out_of_memory"]
        assert [(event["step"], event["parts"]) for event in events] == [(5, 2), (5, 4), (5, 8)]
        monkeypatch.setattr("cloudtui_trainer.__main__.Stop", type("Never", (StopAt,), {"after": 10**9}))
        assert home.run(2) == 0
        assert "out_of_memory" not in home.events(2)

    def test_two_rows_that_are_too_many_end_the_run_with_the_reason(self, home, cramped):
        cramped(0)
        assert home.run() == 1
        assert "even two rows at a time" in home.records()[-1]["message"]

    def test_other_errors_are_not_taken_for_it(self, home, cramped):
        cramped(0, RuntimeError("something else"))
        with pytest.raises(RuntimeError, match="something else"):
            home.run()
        assert "out_of_memory" not in home.events()


@pytest.mark.parametrize(("rows", "steps"), [(1437, 15), (1437, 479), (10, 3), (11, 1), (3, 1), (2, 2)])
def test_no_part_is_of_one_row_where_its_batch_has_more(rows, steps):
    batches = torch.arange(rows).tensor_split(steps)
    most = most_parts(rows, steps)
    least = min(len(batch) for batch in batches)
    assert min(len(part) for part in divided(batches, most)) >= min(least, 2)
    assert most == max(1, least // 2)


def test_prediction_goes_on_in_smaller_batches(home):
    from cloudtui_trainer.tasks.image import ImageParams, ImageTask

    task = ImageTask(home.root / "data" / home.dataset, ImageParams(), torch.device("cpu"))
    model = task.build("cnn").eval()
    whole = predict(model, task, "test", torch.device("cpu"), "fp32")
    seen = []

    class Small(torch.nn.Module):
        def forward(self, rows):
            seen.append(len(rows))
            if len(rows) > 100:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return model(rows)

    found = predict(Small(), task, "test", torch.device("cpu"), "fp32")
    assert seen[:3] == [256, 128, 64]
    assert abs(found - whole).max() < 1e-4


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine's own words about its memory, as files."""
    for name in ("MEMINFO", "CGROUP", "CGROUPS"):
        monkeypatch.setattr(memory, name, tmp_path / name.lower())
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   1000 kB\nBuffers: 1 kB\n")
    (tmp_path / "cgroup").write_text("0::/user/job\n")
    (tmp_path / "cgroups" / "user" / "job").mkdir(parents=True)
    return tmp_path


def limit(folder, most, used, cache=0):
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cache}\n")


def test_free_is_what_the_kernel_calls_available(system):
    assert memory.free_bytes(torch.device("cpu")) == 1000 * 1024


def test_the_limit_of_a_container_counts_wherever_it_is_set(system):
    limit(system / "cgroups" / "user" / "job", "max", 10)
    assert memory.free_bytes(torch.device("cpu")) == 1000 * 1024
    limit(system / "cgroups" / "user", 5000, 3000, 1500)
    assert memory.free_bytes(torch.device("cpu")) == 3500
    limit(system / "cgroups", 900, 1000)
    assert memory.free_bytes(torch.device("cpu")) == 0


def test_the_first_version_of_control_groups_is_read_too(system):
    (system / "cgroup").write_text("5:cpu,cpuacct:/\n4:memory:/docker/abc\n")
    folder = system / "cgroups" / "memory"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text("8000")
    (folder / "memory.usage_in_bytes").write_text("6000")
    (folder / "memory.stat").write_text("total_inactive_file 500")
    assert memory.free_bytes(torch.device("cpu")) == 2500


def test_nothing_known_is_no_limit(system):
    (system / "meminfo").unlink()
    (system / "cgroup").unlink()
    assert memory.free_bytes(torch.device("cpu")) == 2**62


def test_what_is_chosen_is_told(home, no_export, monkeypatch):
    monkeypatch.setattr("cloudtui_trainer.store.free_bytes", lambda _device: 200_000)
    assert home.run(epochs=1) == 0
    started = home.events()["started"]
    assert (started["data"], started["free_bytes"]) == ("streamed", 200_000)
    assert started["data_bytes"] == 1797 * (64 + 8)
    assert json.dumps(started)
