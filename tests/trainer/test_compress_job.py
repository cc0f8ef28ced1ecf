"""The whole job on a small network: what it tells and leaves, what it refuses, and how it goes on."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
from tests.trainer.compress_models import CLASSES, CNN, leave, sha256, task_of, trained, write_pictures
from tests.trainer.tables import write_table

from cloudtui_host.journal import decode_line
from cloudtui_trainer import weights
from cloudtui_trainer.__main__ import main
from cloudtui_trainer.compress import candidates, files, int8, measure, pruning
from cloudtui_trainer.compress import job as compress_job
from cloudtui_trainer.compress.job import run
from cloudtui_trainer.errors import ParamError, TrainerError
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.job import Job
from cloudtui_trainer.models import build
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.stop import Stop

QUICK = {"epochs": 2, "ratios": "0.6", "rounds": 5, "probe": 64, "max_drop": 10, "device": "cpu"}


class Root:
    """A host's root with one dataset, one model version, and jobs."""

    def __init__(self, path, dataset, given):
        self.path, self.dataset, self.given = path, dataset, given

    def folder(self, attempt=1, name="job"):
        return self.path / "jobs" / name / f"a{attempt:04d}"

    def config(self, attempt=1, name="job", **params):
        folder = self.folder(attempt, name)
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "job": "compress", "run": name, "attempt": attempt, "name": name, "dataset": str(self.dataset),
            "given": str(self.given), "of": "sides@1", "params": {**QUICK, **params},
        }  # fmt: skip
        (folder / "config.json").write_text(json.dumps(config))
        return folder / "config.json"

    def compress(self, attempt=1, name="job", **params):
        """In this process; returns the exit status."""
        return main([str(self.config(attempt, name, **params))], env={})

    def records(self, kind, attempt=1, name="job"):
        content = (self.folder(attempt, name) / "journal" / "trainer.jsonl").read_bytes()
        return [r for r in map(decode_line, content.split(b"\n")[:-1]) if r["kind"] == kind]

    def reports(self, attempt=1, name="job"):
        return [r["data"] for r in self.records("report", attempt, name) if r["name"] == "compression"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp("compress")
    data = write_pictures(path / "data" / "sides")
    task = task_of(data)
    return Root(path, data, leave(path / "given", task, trained(task)))


@pytest.fixture(scope="module")
def done(root):
    """A whole compression: its root, and its console."""
    assert root.compress(name="whole", methods="int8,prune,sparse") == 0
    return root


def test_the_report_is_what_was_agreed(done):
    report = done.reports(name="whole")[-1]
    assert report["model"] == "sides@1"
    assert report["rows"] == {"calibration": 400, "validation": 120, "test": 160}
    assert [row["id"] for row in report["variants"]] == ["int8", "prune60", "prune60-int8", "sparse80"]
    assert {"accuracy", "validation_accuracy", "size_bytes", "latency_ms", "throughput"} == set(
        report["baseline"]
    )
    for row in report["variants"]:
        path = done.folder(name="whole") / "artifacts" / row["file"]
        assert row["sha256"] == sha256(path)
        assert row["size_bytes"] == path.stat().st_size
        assert row["size_ratio"] == pytest.approx(report["baseline"]["size_bytes"] / row["size_bytes"])
        assert row["delta_ci"][0] <= row["delta"] <= row["delta_ci"][1]
        assert row["verdict"] in {"passes", "fails", "undecided", "dominated", "no speed-up"}
        assert row["why"].endswith(".")
        assert (row["qlinear_coverage"] == 1.0) == row["id"].endswith("int8")
    timing = report["timing"]
    assert timing["aa_band_batch1"][0] <= 1 <= timing["aa_band_batch1"][1]
    assert {row["of"] for row in report["sensitivity"]} == {"int8", "half of its channels"}


def test_it_is_told_after_each_candidate(done):
    told = [
        (report["measured"], report["planned"], report["chosen"]) for report in done.reports(name="whole")
    ]
    assert told[:4] == [(1, 4, None), (2, 4, None), (3, 4, None), (4, 4, None)]
    assert told[4][:2] == (4, 4)
    events = [
        record["data"] for record in done.records("event", name="whole") if record["name"] == "candidate"
    ]
    assert [event["candidate"] for event in events] == ["int8", "prune60", "prune60-int8", "sparse80"]
    begun = [
        r["text"].split(":")[0] for r in done.records("progress", name="whole") if ":" in r.get("text", "")
    ]
    assert list(dict.fromkeys(begun)) == ["int8", "prune60", "prune60-int8", "sparse80"]


def test_the_choice_is_made_before_the_test_rows_are_touched(monkeypatch):
    calls = []

    def answers(content, _judge, split):
        calls.append((content, split))
        return SimpleNamespace(accuracy=0.5, right=np.ones(4, bool), predicted=np.zeros(4, int))

    monkeypatch.setattr(compress_job.measure, "answers", answers)
    chosen = SimpleNamespace(id="int8")
    board = SimpleNamespace(
        choice=lambda: calls.append("choice") or chosen,
        baseline={},
        notes=[],
        report=dict,
        verdicts=lambda: {"int8": SimpleNamespace(word="keeps", why="")},
    )
    judge = SimpleNamespace(open_test=lambda one: calls.append(("open", one)), rows=lambda _: 4)
    recorder = SimpleNamespace(report=lambda *_: None, event=lambda *_, **__: None, say=lambda _: None)
    maker = SimpleNamespace(content=lambda one: f"file of {one}")
    compress_job._decide(board, SimpleNamespace(judge=judge, baseline="whole"), maker, recorder)
    assert calls == ["choice", ("open", "int8"), ("whole", "test"), ("file of int8", "test")]
    assert board.chosen is chosen


def test_the_test_rows_judge_the_chosen_one_alone(done):
    report = done.reports(name="whole")[-1]
    splits = {row["id"]: (row["split"], row["n"]) for row in report["variants"]}
    assert splits.pop(report["chosen"]) == ("test", 160)
    assert set(splits.values()) == {("validation", 120)}
    assert all(row["validation"]["n"] == 120 for row in report["variants"])


def test_each_file_alone_gives_the_predictions_to_the_row(done):
    folder = done.folder(name="whole") / "artifacts"
    summary = json.loads((folder / "report.json").read_text())
    for name, splits in summary["predictions"].items():
        for split, predictions in splits.items():
            session = onnxruntime.InferenceSession(folder / name / "model.onnx")
            (logits,) = session.run(["logits"], {"pixels": np.load(done.dataset / f"{split}-x.npy")})
            assert logits.argmax(1).tolist() == predictions
            truth = np.load(done.dataset / f"{split}-y.npy")
            row = next(row for row in summary["compression"]["variants"] if row["id"] == name)
            if split == row["split"]:
                assert (logits.argmax(1) == truth).mean() == pytest.approx(row["accuracy"])


def test_the_files_say_whose_they_are_and_nothing_of_this_machine(done):
    folder = done.folder(name="whole") / "artifacts"
    for path in folder.glob("*/model.onnx"):
        content = path.read_bytes()
        stated = files.stated(content)
        assert stated["compressed_from"] == sha256(done.given / "model.onnx")
        assert (stated["compressed_of"], stated["method"]) == ("sides@1", path.parent.name)
        assert stated["trainer_sha256"] == trainer_sha256()
        assert json.loads(stated["labels"]) == CLASSES
        onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
        for secret in (b".py", b"site-packages", str(done.path).encode(), b"stack_trace", b"onnx.infer"):
            assert secret not in content


def test_pruned_weights_rebuild_without_the_dataset(done):
    path = done.folder(name="whole") / "artifacts" / "prune60" / "model.safetensors"
    small, whole = weights.rebuild(path), weights.rebuild(done.given / "model.safetensors")
    assert sum(w.numel() for w in small.parameters()) < 0.6 * sum(w.numel() for w in whole.parameters())
    pixels = torch.from_numpy(np.load(done.dataset / "test-x.npy"))
    session = onnxruntime.InferenceSession(path.with_name("model.onnx"))
    (logits,) = session.run(["logits"], {"pixels": pixels.numpy()})
    with torch.no_grad():
        assert np.allclose(small(pixels).numpy(), logits, atol=1e-3)


def test_eighty_percent_of_zeros_are_no_speed_up(done):
    row = next(row for row in done.reports(name="whole")[-1]["variants"] if row["id"] == "sparse80")
    assert row["size_ratio"] == pytest.approx(1.0, abs=0.03)
    small = weights.rebuild(done.folder(name="whole") / "artifacts" / "sparse80" / "model.safetensors")
    zeros = [float((w == 0).float().mean()) for w in small.parameters() if w.dim() > 1]
    assert min(zeros) > 0.75


def test_a_file_is_timed_beside_itself_as_often_as_beside_another(root):
    content = (root.given / "model.onnx").read_bytes()
    pixels = np.load(root.dataset / "validation-x.npy")
    found = measure.timed(content, content, {1: pixels[:1], 64: pixels[:64]}, rounds=15)
    for timing in found.values():
        assert len(timing.baseline) == len(timing.candidate) == len(timing.again) == 15
        low, high = measure.band([timing.control])
        assert low <= 1.0 <= high
        # The same file twice: what is called its speed-up is noise, as its control's is.
        assert 0.1 < timing.ratio / np.median(timing.control) < 10
    assert np.median(found[64].baseline) > np.median(found[1].baseline)


def test_noise_of_the_control_widens_the_band():
    assert measure.band([[1.0] * 9]) == [1.0, 1.0]
    low, high = measure.band([[0.8, 1.3, 0.9, 1.2, 1.1]])
    assert low < 0.95 < 1.05 < high
    assert measure.band([[1.0] * 9, [1.2] * 9])[1] == pytest.approx(1.2)


class StopAfter(Stop):
    """A wish to stop that comes when so many candidates are begun."""

    def __init__(self, recorder, count):
        super().__init__()
        self._told, self._count = recorder, count

    @property
    def requested(self):
        return self._told.candidates >= self._count

    @requested.setter
    def requested(self, _value):
        """It is the recorder that knows."""


class Counting(Recorder):
    candidates = 0

    def event(self, name, **data):
        self.candidates += name == "candidate"
        super().event(name, **data)


def stopped(root, attempt, count, **params):
    job = Job.load(root.config(attempt, "stopped", **params), {})
    with Counting(job.journal) as recorder:
        return run(job, recorder, StopAfter(recorder, count))


def test_a_stopped_job_goes_on_with_the_next_candidate(root, monkeypatch):
    methods = {"methods": "int8,fp16,dynamic"}
    assert stopped(root, 1, 2, **methods) == "stopped"
    made = []
    make = candidates.Maker.make
    monkeypatch.setattr(candidates.Maker, "make", lambda self, plan: made.append(plan.id) or make(self, plan))
    spoilt = root.folder(1, "stopped") / "checkpoints" / "fp16" / "model.onnx"
    spoilt.write_bytes(spoilt.read_bytes()[:-1])
    assert root.compress(2, "stopped", **methods) == 0
    assert made == ["fp16", "dynamic-int8"]
    (first,) = root.reports(1, "stopped")[:1]
    last = root.reports(2, "stopped")[-1]
    kept, again = first["variants"][0], last["variants"][0]
    assert (kept["sha256"], kept["latency_ratio"]) == (again["sha256"], again["latency_ratio"])
    assert (root.folder(2, "stopped") / "artifacts" / "int8" / "model.onnx").is_file()
    made.clear()
    assert root.compress(3, "stopped", seed=5, **methods) == 0
    assert made == ["int8", "fp16", "dynamic-int8"]


class StopAt(Recorder):
    """It is wished to stop as soon as this is told."""

    def __init__(self, path, word, stop):
        super().__init__(path)
        self._word, self._stop = word, stop

    def progress(self, **fields):
        super().progress(**fields)
        self._stop.requested |= self._word in fields.get("text", "")


@pytest.mark.parametrize(
    ("method", "word"),
    [("int8", "loses in int8"), ("prune", "with fewer channels"), ("prune", "distilling"), ("fp16", "fp16")],
)
def test_a_stop_amid_a_candidate_gives_it_up_at_once(root, monkeypatch, method, word):
    stop, late = Stop(), []

    def counted(name, right):
        return lambda *given, **more: (late.append(name) if stop.requested else None, right(*given, **more))[
            1
        ]

    for place, name in ((int8, "divergence"), (pruning, "divergence"), (measure, "_call")):
        monkeypatch.setattr(place, name, counted(name, getattr(place, name)))
    folder = f"amid-{method}-{word[:5].strip()}"
    job = Job.load(root.config(1, folder, methods=method), {})
    with StopAt(job.journal, word, stop) as recorder:
        assert run(job, recorder, stop) == "stopped"
    assert not late
    assert not list(root.folder(1, folder).glob("artifacts/*/model.onnx"))


def test_what_cannot_be_made_is_passed_over_and_what_is_made_of_it(root, monkeypatch):
    def fail(*_args, **_more):
        raise TrainerError("The loss of distillation is not finite.", "Set lr lower.")

    monkeypatch.setattr(candidates, "distill", fail)
    assert root.compress(name="partly", methods="int8,prune") == 0
    report = root.reports(name="partly")[-1]
    assert [row["id"] for row in report["variants"]] == ["int8"]
    assert (report["measured"], report["planned"]) == (1, 1)
    assert {
        "prune60 could not be made: The loss of distillation is not finite. Set lr lower.",
        "prune60-int8 could not be made: It is made of prune60, which is not there.",
    } <= set(report["notes"])
    assert root.compress(name="nothing", methods="prune") == 1
    done = root.records("done", name="nothing")[-1]
    assert done["message"].startswith("No candidate could be made. prune60 could not")


def test_a_network_that_its_cut_does_not_follow_is_passed_over(root, monkeypatch):
    def differs(*_args):
        raise TrainerError("The cut network differs from the whole one without these channels.")

    right = pruning.curves

    def curves(*given, **more):
        found = right(*given, **more)  # proves each cut that it may make before it measures any
        monkeypatch.setattr(candidates.coupling, "prove", differs)
        return found

    monkeypatch.setattr(pruning, "curves", curves)
    assert root.compress(name="unproven", methods="prune", probe=16) == 1
    assert (
        "prune60 could not be made: The cut network" in root.records("done", name="unproven")[-1]["message"]
    )


def test_a_candidate_whose_file_differs_from_it_is_passed_over(root, monkeypatch):
    right = candidates.export.to_onnx

    def other(model, example, stated):
        torch.manual_seed(99)
        return right(build(model.spec).eval(), example, stated)

    monkeypatch.setattr(candidates.export, "to_onnx", other)
    monkeypatch.setattr(candidates, "distill", lambda student, *_args, **_more: student)
    assert root.compress(name="foreign", methods="sparse") == 1
    message = root.records("done", name="foreign")[-1]["message"]
    assert "sparse80 could not be made: It cannot be exported: it differs from the model" in message


@pytest.mark.parametrize("vnni", [True, False])
def test_a_cpu_that_sums_bytes_with_saturation_gets_smaller_weights_and_is_told_of(
    root, monkeypatch, tmp_path, vnni
):
    """Without VNNI two products of whole bytes do not fit in the sixteen bits that they are added in."""
    (tmp_path / "cpuinfo").write_text("flags : fpu avx512f" + " avx512_vnni" * vnni)
    monkeypatch.setattr(int8, "CPUINFO", tmp_path / "cpuinfo")
    asked = []
    right = int8.quantize_static
    monkeypatch.setattr(
        int8, "quantize_static", lambda *a, **how: asked.append(how["reduce_range"]) or right(*a, **how)
    )
    assert root.compress(name=f"vnni-{vnni}", methods="int8", probe=16) == 0
    assert set(asked) == {not vnni}
    notes = " ".join(root.reports(name=f"vnni-{vnni}")[-1]["notes"])
    assert ("This CPU has no VNNI" in notes) is not vnni


def test_what_onnx_runtime_cannot_do_is_passed_over(root, monkeypatch):
    def fail(*_args, **_more):
        raise Fail("Could not find an implementation for ConvInteger")

    monkeypatch.setattr("cloudtui_trainer.compress.others.dynamic_int8", fail)
    assert root.compress(name="unable", methods="dynamic,fp16") == 0
    report = root.reports(name="unable")[-1]
    assert [row["id"] for row in report["variants"]] == ["fp16"]
    assert any("Could not find an implementation" in note for note in report["notes"])


def test_a_file_that_cannot_be_computed_is_passed_over(root, monkeypatch):
    right = files.written

    def spoilt(proto, states):
        proto.graph.node[-1].op_type = "NoSuchOperator"
        proto.graph.node[-1].domain = "custom"
        proto.opset_import.append(onnx.helper.make_opsetid("custom", 1))
        return right(proto, states)

    def half(content, states):
        return spoilt(files.read(content), states)

    monkeypatch.setattr("cloudtui_trainer.compress.others.half_weights", half)
    assert root.compress(name="custom", methods="int8,fp16") == 0
    report = root.reports(name="custom")[-1]
    assert [row["id"] for row in report["variants"]] == ["int8"]
    assert any("fp16 could not be made: Its file cannot be computed" in note for note in report["notes"])


def test_a_full_disk_costs_what_a_resumed_job_would_take_up_and_not_the_job(root, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cloudtui_trainer.compress.board.Kept.keep", full)
    assert root.compress(name="full", methods="fp16") == 0
    events = {record["name"]: record["data"] for record in root.records("event", name="full")}
    assert "fp16 cannot be kept for a resumed job: No space left" in events["checkpoint_failed"]["text"]
    monkeypatch.setattr("cloudtui_trainer.compress.board.write_durably", full)
    assert root.compress(name="fuller", methods="fp16") == 1
    assert "Free some space" in root.records("done", name="fuller")[-1]["message"]


def test_ratios_of_one_name_are_one_candidate():
    planned = candidates.plans(candidates.Settings(methods="prune", ratios="0.401,0.4,0.6"), has_network=True)
    assert [plan.id for plan in planned] == ["prune40", "prune60"]


def refused(root, capsys, name="refused", **params):
    assert root.compress(name=name, **params) == 1
    return capsys.readouterr().err


def variant(tmp_path, root, change):
    """The same model version with something else about it."""
    folder = tmp_path / "given"
    folder.mkdir()
    for path in root.given.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    change(folder)
    return Root(tmp_path, root.dataset, folder)


def test_without_weights_the_file_is_still_quantized(root, tmp_path):
    bare = variant(tmp_path, root, lambda folder: (folder / "model.safetensors").unlink())
    assert bare.compress(methods="int8,prune") == 0
    report = bare.reports()[-1]
    assert [row["id"] for row in report["variants"]] == ["int8"]
    assert "There is no model.safetensors, so channels could not be pruned." in report["notes"]


def test_boosted_trees_are_refused(root, tmp_path, capsys):
    said = json.dumps({"task": "image", "model": "boosting"})
    trees = variant(tmp_path, root, lambda folder: (folder / "report.json").write_text(said))
    assert "Train with fewer or smaller trees instead." in refused(trees, capsys)


def test_a_model_of_a_number_is_refused(tmp_path, capsys):
    sha = write_table(
        tmp_path / "data", {"a": list(range(40)), "b": [1.0, 2.0] * 20}, [float(n) for n in range(40)]
    )
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "report.json").write_text(json.dumps({"task": "tabular", "model": "mlp"}))
    number = Root(tmp_path, tmp_path / "data" / sha, tmp_path / "given")
    assert "This model predicts a number" in refused(number, capsys)


def test_a_model_that_says_one_thing_is_refused(root, tmp_path, capsys):
    task = task_of(root.dataset)
    model = trained(task, steps=0)
    with torch.no_grad():
        model.net.dense[-1].weight.zero_()
    same = Root(tmp_path, root.dataset, leave(tmp_path / "given", task, model))
    assert "gives the same class for every validation row" in refused(same, capsys)


def test_weights_and_file_of_two_models_are_refused(root, tmp_path, capsys):
    task = task_of(root.dataset)

    def change(folder):
        other = build({**CNN, "shape": [1, 8, 8], "classes": 4, "features": task.features})
        weights.write_safetensors(folder / "model.safetensors", other, {"net": other.spec})

    assert "not of one model" in refused(variant(tmp_path, root, change), capsys)


def external(folder):
    """Move the numbers of a layer into another file, which the model names."""
    proto = onnx.load(folder / "model.onnx")
    value = max(proto.graph.initializer, key=lambda value: len(value.raw_data))
    (folder / "near.bin").write_bytes(value.raw_data)
    onnx.external_data_helper.set_external_data(value, "near.bin", 0, len(value.raw_data))
    value.ClearField("raw_data")
    (folder / "model.onnx").write_bytes(proto.SerializeToString())


def stating(**texts):
    def change(folder):
        proto = onnx.load(folder / "model.onnx")
        for entry in proto.metadata_props:
            entry.value = texts.get(entry.key, entry.value)
        onnx.save(proto, folder / "model.onnx")

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"not a model"), "model.onnx cannot be read"),
        (lambda folder: (folder / "model.onnx").write_bytes(b""), "model.onnx cannot be read"),
        (external, "has its numbers in other files"),
        (stating(labels="[1, "), "does not say which classes it tells"),
        (lambda folder: (folder / "report.json").write_text("{"), "report of the given model cannot be read"),
    ],
)
def test_a_file_of_someone_else_is_refused_with_the_reason(root, tmp_path, monkeypatch, capsys, change, why):
    strange = variant(tmp_path, root, change)
    monkeypatch.chdir(strange.given)  # where ONNX Runtime looks for what a file in memory names
    assert why in refused(strange, capsys)
    assert strange.records("done", name="refused")[-1]["reason"] == "failed"


def test_a_report_that_says_nonsense_of_params_is_not_believed(root, tmp_path):
    said = json.dumps({"task": "image", "params": ["augment"]})
    odd = variant(tmp_path, root, lambda folder: (folder / "report.json").write_text(said))
    assert odd.compress(methods="fp16") == 0


def test_int8_of_int8_is_refused(done, tmp_path, capsys):
    folder = done.folder(name="whole") / "artifacts" / "int8"
    again = Root(tmp_path, done.dataset, folder)
    assert "in int8 already. Compress what it was made of: sides@1." in refused(again, capsys)


def test_a_dataset_of_other_pictures_is_refused(root, tmp_path, capsys):
    data = write_pictures(tmp_path / "data" / "other")
    manifest = json.loads((data / "manifest.json").read_text())
    (data / "manifest.json").write_text(json.dumps(manifest | {"classes": ["a", "b", "c", "d"]}))
    assert "tells other classes" in refused(Root(tmp_path, data, root.given), capsys)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_dataset_that_lacks_a_split_is_refused(root, tmp_path, capsys, split):
    sizes = {"train": 40, "validation": 20, "test": 20} | {split: 0}
    data = write_pictures(tmp_path / "data" / "lacking", sizes)
    assert f"no {split} rows" in refused(Root(tmp_path, data, root.given), capsys)


def test_ten_rows_are_compressed_and_decide_nothing(root, tmp_path):
    data = write_pictures(tmp_path / "data" / "ten", {"train": 6, "validation": 2, "test": 2})
    few = Root(tmp_path, data, root.given)
    assert few.compress(methods="int8,prune", max_drop=3) == 0
    report = few.reports()[-1]
    chosen = next((row for row in report["variants"] if row["id"] == report["chosen"]), None)
    assert all(row["verdict"] != "passes" for row in report["variants"])
    assert chosen is None or "2 rows cannot tell" in chosen["why"]
    assert any("Only 6 train rows" in note for note in report["notes"])


def test_answers_that_are_all_one_class_fail(root, monkeypatch):
    def constant(content, _states):
        proto = onnx.load_from_string(content)
        for value in proto.graph.initializer:
            if tuple(value.dims) == (4, 24):
                value.CopyFrom(onnx.numpy_helper.from_array(np.zeros((4, 24), np.float32), value.name))
        return files.written(proto, {})

    monkeypatch.setattr("cloudtui_trainer.compress.others.half_weights", constant)
    assert root.compress(name="constant", methods="fp16") == 0
    report = root.reports(name="constant")[-1]
    assert report["variants"][0]["verdict"] == "fails"
    assert "same class for every validation row" in report["variants"][0]["why"]
    assert report["chosen"] is None
    assert report["baseline"]["accuracy"] > 0.8


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"methods": "int8,magic"}, "no method 'magic'"),
        ({"methods": ""}, "No method is chosen"),
        ({"ratios": "0.5,2"}, "ratios '0.5,2' cannot be used"),
        ({"max_drop": 0}, "max_drop is 0"),
        ({"drop": 1}, "no parameter 'drop'"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_done(root, params, why):
    job = Job.load(root.config(1, "wrong", **params), {})
    with Recorder(job.journal) as recorder, pytest.raises(ParamError, match=why):
        run(job, recorder, Stop())


def test_nothing_to_compress_is_said(root, tmp_path, capsys):
    empty = Root(tmp_path, root.dataset, tmp_path / "given")
    (tmp_path / "given").mkdir()
    assert "Pull the model's files first" in refused(empty, capsys)
    with pytest.raises(TrainerError, match="Nothing can be tried"):
        candidates.plans(candidates.Settings(methods="prune"), has_network=False)
