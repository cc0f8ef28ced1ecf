"""Two models that answered the same rows, their answers beside their reports, as the trainer leaves them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.support import seed

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import RunState


def report(
    labels: Sequence[str], truth: Sequence[str], answers: Sequence[int], **about: Any
) -> dict[str, Any]:
    """An evaluation that fits these answers."""
    confusion = [[0] * len(labels) for _ in labels]
    for true, said in zip(truth, answers, strict=True):
        confusion[labels.index(true)][said] += 1
    classes = []
    for place, label in enumerate(labels):
        hit, there, said = (
            confusion[place][place],
            sum(confusion[place]),
            sum(row[place] for row in confusion),
        )
        precision, recall = hit / max(1, said), hit / max(1, there)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        classes.append({"label": label, "precision": precision, "recall": recall, "f1": f1, "support": there})
    n = len(truth)
    accuracy = sum(confusion[i][i] for i in range(len(labels))) / max(1, n)
    return {
        "n": n, "split": "test", "task": "image", "classes": classes, "confusion": confusion, **about,
        "metrics": {"accuracy": accuracy, "macro_f1": sum(one["f1"] for one in classes) / len(classes),
                    "loss": 0.3 - accuracy / 10},
        "confidence": {"accuracy": [accuracy - 0.02, min(1.0, accuracy + 0.02)]}, "errors": [],
    }  # fmt: skip


def rival(catalog: Catalog, name: str, data: Dataset, wrong: int, *, chance: int, age_s: float) -> Model:
    """A trained model that has so many rows of the test split wrong."""
    from cloudtui_engine.data import read_targets

    truth = [str(one) for one in read_targets(catalog.paths, data, "test", range(data.splits["test"]))]
    labels, noise = list(data.classes), random.Random(chance)
    answers = [labels.index(one) for one in truth]
    for row in noise.sample(range(len(truth)), wrong):
        answers[row] = (answers[row] + noise.choice((1, 1, 2))) % len(labels)
    run = seed.add_run(
        catalog, name, RunState.SUCCEEDED, on=catalog.instances.ensure_local().id, age_s=age_s, data=data,
        exit_code=0, identity=f"criv{name.replace('-', ''):0<12.12}",
    )  # fmt: skip
    told = report(labels, truth, answers, model=name, dataset=data.sha256)
    catalog.runs.add_report(run.id, 1, "evaluation/test", seed.NOW - age_s + 60, told)
    content = json.dumps({"evaluation": {"test": told}, "predictions": {"test": answers}}).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    catalog.runs.add_artifacts(run.id, 1, [("report.json", "report", len(content), sha256)])
    file = catalog.paths.file(sha256)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    catalog.runs.mark_pulled(run.id, 1, "report.json")
    made = catalog.models.register(run.id, 1)
    with catalog.write("model") as db:
        db.execute("UPDATE model SET created_at = ? WHERE id = ?", (seed.NOW - age_s, made.id))
    return catalog.models.get(made.id)


def rivals(catalog: Catalog) -> tuple[Model, Model]:
    """Two models of the digits, one with 30 of 360 rows wrong, one with 12."""
    data = catalog.datasets.find("digits")
    return (
        rival(catalog, "digits-small", data, 30, chance=1, age_s=380),
        rival(catalog, "digits-large", data, 12, chance=2, age_s=320),
    )
