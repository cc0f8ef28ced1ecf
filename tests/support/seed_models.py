"""Models with what was found out about them: evaluations and compressions as the trainer reports them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import seed

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState

CLASSES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot")


@dataclass(frozen=True)
class Workshop:
    """A catalog, and the model that was judged."""

    catalog: Catalog
    model: Model
    dataset: Dataset


def classification(
    model: str = "resnet-base@1", dataset: str = "fashion-mnist", split: str = "test", *, rows: int = 10_000,
    classes: tuple[str, ...] = CLASSES, chance: int = 7,
) -> dict[str, Any]:  # fmt: skip
    """An evaluation of a classifier: a confusion in which neighbours are mistaken, and all that follows."""
    noise = random.Random(chance)
    each = rows // len(classes)
    confusion = []
    for truth in range(len(classes)):
        row = [0] * len(classes)
        for other in range(len(classes)):
            if other != truth:
                near = 1.0 / (1 + abs(truth - other) ** 2)
                row[other] = round(each * 0.06 * near * noise.random())
        row[truth] = each - sum(row)
        confusion.append(row)
    right = sum(confusion[i][i] for i in range(len(classes)))
    per_class = []
    for i, label in enumerate(classes):
        hit, said = confusion[i][i], sum(row[i] for row in confusion)
        precision, recall = hit / max(1, said), hit / max(1, each)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        per_class.append(
            {"label": label, "precision": precision, "recall": recall, "f1": f1, "support": each}
        )
    errors = [
        {"index": 17 * k % rows, "truth": classes[i], "predicted": classes[j],
         "confidence": round(0.995 - 0.004 * k, 4)}
        for k, (i, j) in enumerate(
            sorted(
                ((i, j) for i in range(len(classes)) for j in range(len(classes))
                 for _ in range(min(8, confusion[i][j])) if i != j),
                key=lambda _: noise.random(),
            )[:100]
        )
    ]  # fmt: skip
    accuracy = right / (each * len(classes))
    half = 1.96 * (accuracy * (1 - accuracy) / rows) ** 0.5
    bins = []
    for k in range(15):
        low, high = k / 15, (k + 1) / 15
        sure = (low + high) / 2
        n = 0 if high < 0.3 else round(rows * 0.7) if k == 14 else round(rows * 0.02 * (1 + k / 4))
        bins.append({"low": low, "high": high, "n": n, "confidence": sure if n else None,
                     "accuracy": max(0.0, sure - 0.06 * (1 - sure) - 0.01 * (k % 3)) if n else None,
                     })  # fmt: skip

    def mean(key: str) -> float:
        return float(sum(float(one[key]) for one in per_class) / len(per_class))  # type: ignore[arg-type]

    return {
        "model": model, "dataset": dataset, "split": split, "task": "image", "n": rows,
        "metrics": {
            "accuracy": accuracy, "macro_precision": mean("precision"), "macro_recall": mean("recall"),
            "macro_f1": mean("f1"), "loss": 0.1931, "ece": 0.0132,
        },
        "confidence": {"accuracy": [accuracy - half, accuracy + half]},
        "classes": per_class, "confusion": confusion, "errors": errors, "calibration": bins,
        "baselines": [{"name": "most frequent class", "metrics": {"accuracy": 0.1, "macro_f1": 0.0182}}],
    }  # fmt: skip


def regression(model: str = "diabetes-mlp@1", dataset: str = "diabetes") -> dict[str, Any]:
    """An evaluation of a model that predicts a number."""
    return {
        "model": model, "dataset": dataset, "split": "test", "task": "tabular", "n": 89,
        "metrics": {"mae": 42.13, "rmse": 53.87, "r2": 0.4521, "loss": 0.5421},
        "confidence": {"mae": [35.2, 49.4], "rmse": [46.5, 61.0], "r2": [0.271, 0.578]},
        "errors": [
            {"index": 3 * k % 89, "truth": 310.0 - 9 * k, "predicted": 158.5 + 2 * k} for k in range(12)
        ],
        "residuals": [
            {"low": -150.0 + 30 * k, "high": -120.0 + 30 * k, "n": n}
            for k, n in enumerate((1, 4, 9, 15, 21, 18, 11, 6, 3, 1))
        ],
        "baselines": [
            {"name": "gradient boosting", "metrics": {"mae": 44.9, "rmse": 57.2, "r2": 0.382}},
            {"name": "linear regression", "metrics": {"mae": 42.8, "rmse": 53.9, "r2": 0.4518}},
        ],
    }  # fmt: skip


_VARIANTS = (
    # id, method, size, bs1, bs64, delta, low, high, verdict, why
    ("int8", "int8", 3.8, 2.21, 2.62, -0.0004, -0.0015, 0.0007, "passes",
     "Loses at most 0.15 point, with 95% confidence."),
    ("prune50-kd-int8", "prune+kd+int8", 13.0, 4.31, 6.84, 0.0013, -0.0017, 0.0043, "passes",
     "Loses at most 0.17 point, with 95% confidence."),
    ("prune70-kd-int8", "prune+kd+int8", 34.4, 4.35, 7.91, -0.0062, -0.0099, -0.0025, "fails",
     "Loses 0.62 point, more than 0.5."),
    ("prune50-kd", "prune+kd", 3.9, 2.05, 2.31, -0.0011, -0.0061, 0.0039, "undecided",
     "6,000 rows cannot tell a drop of 0.5 point; 9,100 could."),
    ("int8-dynamic", "int8 dynamic", 3.9, 0.61, 0.52, -0.0006, -0.0018, 0.0006, "dominated",
     "int8 is as good, and smaller or faster."),
    ("sparse80", "sparse", 1.0, 1.0, 1.01, -0.0026, -0.0054, 0.0002, "no speed-up",
     "Zeros are computed, too: nothing is faster."),
)  # fmt: skip


def compression(
    model: str = "resnet-base@1", *, measured: int = len(_VARIANTS), planned: int = len(_VARIANTS),
    chosen: str | None = "prune50-kd-int8",
) -> dict[str, Any]:  # fmt: skip
    """A compression as it is reported after so many candidates."""
    variants = []
    for identity, method, size, one, many, delta, low, high, verdict, why in _VARIANTS[:measured]:
        picked = identity == chosen
        variants.append(
            {
                "id": identity, "method": method, "settings": {"amount": 0.5},
                "n": 10_000 if picked else 6_000,
                "split": "test" if picked else "validation",
                "accuracy": 0.9357 + delta, "delta": delta, "delta_ci": [low, high], "mcnemar_p": 0.41,
                "validation": {"accuracy": 0.9361 + delta, "delta": delta, "delta_ci": [low, high],
                               "n": 6_000},
                "size_bytes": round(1_260_000 / size), "size_ratio": size, "latency_ms": 0.82 / one,
                "latency_ratio": one, "throughput": 4_100 * many, "throughput_ratio": many,
                "qlinear_coverage": 0.97 if "int8" in identity else None, "verdict": verdict, "why": why,
                "file": f"{identity}/model.onnx", "sha256": "ab" * 32, "eligible": verdict == "passes",
            }
        )  # fmt: skip
    return {
        "model": model, "dataset": "fashion-mnist@2", "task": "image", "max_drop": 0.5,
        "rows": {"calibration": 512, "validation": 6_000, "test": 10_000},
        "baseline": {"accuracy": 0.9357, "validation_accuracy": 0.9361, "size_bytes": 1_260_000,
                     "latency_ms": 0.82, "throughput": 4_100.0},
        "variants": variants, "chosen": chosen if measured == planned else None,
        "measured": measured, "planned": planned,
        "timing": {"threads": 1, "rounds": 31, "batch": 64, "aa_band_batch1": [0.978, 1.024],
                   "aa_band_batch64": [0.985, 1.017]},
        "sensitivity": [{"layer": "stage3.1.conv2", "kl": 0.0142}], "notes": [],
    }  # fmt: skip


def undecided(model: str = "digits-cnn@1") -> dict[str, Any]:
    """A compression over a test set that is too small for what was asked."""
    found = compression(model, measured=2, planned=2, chosen=None)
    why = "360 rows cannot tell a drop of 0.5 point; 765 could."
    for one in found["variants"]:
        one |= {"verdict": "undecided", "why": why, "n": 360, "delta_ci": [-0.011, 0.012], "eligible": False}
    return found | {
        "rows": {"calibration": 256, "validation": 144, "test": 360}, "dataset": "digits@1",
        "notes": ["360 rows cannot decide about half a point: at 3 points it may."],
    }  # fmt: skip


def job(
    catalog: Catalog, kind: str, model: Model, name: str, state: RunState, report: dict[str, Any] | None, *,
    age_s: float, data: Dataset, progress: dict[str, Any] | None = None, reason: str = "",
) -> Run:  # fmt: skip
    """An evaluation or a compression in some state."""
    machine = next(one for one in catalog.instances.list() if one.name == "box-2")
    run = seed.add_run(
        catalog, name, state, on=machine.id, age_s=age_s, took_s=140, data=data, progress=progress,
        reason=reason, identity=f"cjob{name.replace('-', '').replace('@', ''):0<12.12}",
        kind=kind, model_id=model.id, exit_code=0 if state is RunState.SUCCEEDED else None,
    )  # fmt: skip
    if report is not None:
        stored = "compression" if kind == "compress" else f"evaluation/{report['split']}"
        catalog.runs.add_report(run.id, 1, stored, seed.NOW - age_s + 60, report)
    return run


def workshop(home: Path) -> Workshop:
    """The story, and what was found out about its model: compressions in every state, too."""
    made = seed.story(home)
    catalog, data = made.catalog, made.dataset
    model = catalog.models.find("resnet-base")
    catalog.runs.add_report(
        model.run_id, 1, "evaluation/test", seed.NOW - 2900, classification(model.label, data.name)
    )
    catalog.models.set_alias(model.id, "best")
    job(catalog, "evaluate", model, "evaluate-b", RunState.SUCCEEDED,
        classification(model.label, data.name, "validation", rows=6_000, chance=3),
        age_s=2000, data=data)  # fmt: skip
    done = job(catalog, "compress", model, "compress-a", RunState.SUCCEEDED, compression(model.label),
               age_s=1500, data=data)  # fmt: skip
    variants(catalog, model, done)
    job(catalog, "compress", model, "compress-b", RunState.RUNNING,
        compression(model.label, measured=3, chosen=None), age_s=400, data=data,
        progress={"text": "Measuring prune50-kd", "step": 3, "steps": 6, "eta_s": 61.0})  # fmt: skip
    job(catalog, "compress", model, "compress-c", RunState.FAILED, None, age_s=1100, data=data,
        reason="The process ended with status 1: onnxruntime is not installed there.")  # fmt: skip
    job(
        catalog,
        "compress",
        model,
        "compress-d",
        RunState.SUCCEEDED,
        undecided(model.label),
        age_s=900,
        data=data,
    )
    with catalog.write("model") as db:
        db.execute("UPDATE model SET created_at = ? WHERE variant = ''", (seed.NOW - 2900,))
        db.execute("UPDATE model SET created_at = ? WHERE variant != ''", (seed.NOW - 1360,))
    return Workshop(catalog, catalog.models.get(model.id), data)


def variants(catalog: Catalog, parent: Model, run: Run) -> None:
    """The files of two variants, one of them here, and their model versions."""
    names = ("int8", "prune50-kd-int8")
    files = [(f"{name}/model.onnx", "model", 331_000 - 234_000 * place, f"{place}f" * 32)
             for place, name in enumerate(names)]  # fmt: skip
    catalog.runs.add_artifacts(run.id, 1, files)
    catalog.runs.mark_pulled(run.id, 1, "int8/model.onnx")
    for name in names:
        catalog.models.register(run.id, 1, variant=name, parent_id=parent.id)


def shelf(home: Path) -> Catalog:
    """A workshop with data whose arrays are here: pictures, a table of classes and one of numbers."""
    from cloudtui_engine.data import add_dataset

    catalog = workshop(home).catalog
    source = home.parent / "sources"
    source.mkdir(exist_ok=True)
    noise = random.Random(5)
    cities = ("Ulm", "Graz", "Bern", "Linz")
    lines = ["id,age,income,city,kind,always,left"]
    for row in range(240):
        age = 20 + noise.randrange(50)
        income = "" if row % 9 == 0 else f"{900 + 31 * age + noise.randrange(400)}"
        left = "yes" if age + noise.randrange(30) > 62 else "no"
        lines.append(f"{row},{age},{income},{cities[row % 4]},{'ab'[row % 2]},1,{left}")
    (source / "people.csv").write_text("\n".join(lines) + "\n")
    made = [
        add_dataset(catalog, "digits", "digits"),
        add_dataset(catalog, "people", str(source / "people.csv"), task="tabular", wishes=_wishes("left")),
    ]
    with catalog.write("dataset") as db:
        for place, one in enumerate(made):
            db.execute(
                "UPDATE dataset SET created_at = ?, source = ? WHERE id = ?",
                (seed.NOW - 30_000 + 1000 * place, ("digits", "people.csv")[place], one.id),
            )
    model = catalog.models.find("best")
    small = classification("digits-cnn@1", "digits", rows=360, classes=tuple("0123456789"), chance=2)
    job(catalog, "evaluate", model, "evaluate-d", RunState.SUCCEEDED, small, age_s=600, data=made[0])
    job(catalog, "evaluate", model, "evaluate-n", RunState.SUCCEEDED, regression(), age_s=500, data=made[1])
    many = classification("words@1", "people", rows=9_000, classes=tuple(f"word {k:02}" for k in range(30)))
    job(catalog, "evaluate", model, "evaluate-m", RunState.SUCCEEDED, many, age_s=450, data=made[1])
    job(catalog, "evaluate", model, "evaluate-r", RunState.RUNNING, None, age_s=90, data=made[0],
        progress={"text": "Predicting rows 2,000 to 3,000", "step": 2, "steps": 10})  # fmt: skip
    job(catalog, "evaluate", model, "evaluate-f", RunState.FAILED, None, age_s=80, data=made[0],
        reason="The model expects 10 classes, and these data have 4.")  # fmt: skip
    return catalog


def _wishes(target: str) -> Any:
    from cloudtui_engine.data import Wishes

    return Wishes(target=target)
