"""Small pictures of a few classes, and small networks that know them: a compression of them takes seconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from cloudtui_trainer import export, weights
from cloudtui_trainer.models import build
from cloudtui_trainer.tasks.image import ImageParams, ImageTask

CLASSES = ["north", "east", "south", "west"]
CNN = {"model": "cnn", "widths": [12, 16], "dense": 24, "dropout": 0.0}
RESNET = {
    "model": "resnet", "stem": 8, "stem_stride": 1, "dropout": 0.0,
    "stages": [{"width": 8, "stride": 1, "inner": [8]}, {"width": 12, "stride": 2, "inner": [12]}],
}  # fmt: skip
SIZES = {"train": 400, "validation": 120, "test": 160}


def write_pictures(folder: Path, sizes=SIZES, *, noise=70.0, seed=0) -> Path:
    """A dataset version: 8 x 8 pictures with a bright side, in noise."""
    chance = np.random.default_rng(seed)
    splits, train = {}, None
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in sizes.items():
        y = np.arange(count) % len(CLASSES)
        x = chance.normal(90, noise, (count, 1, 8, 8))
        for number, side in enumerate(
            ((0, slice(0, 3)), (1, slice(5, 8)), (0, slice(5, 8)), (1, slice(0, 3)))
        ):
            place = (slice(None), slice(None), side[1]) if side[0] == 0 else (..., side[1])
            picked = x[y == number]
            picked[place] += 90
            x[y == number] = picked
        x = x.clip(0, 255).astype(np.uint8)
        train = x if split == "train" else train
        np.save(folder / f"{split}-x.npy", x)
        np.save(folder / f"{split}-y.npy", y.astype(np.int64))
        splits[split] = {"rows": count, "x": f"{split}-x.npy", "y": f"{split}-y.npy"}
    some = train if train is not None and len(train) else np.array([0.0, 255.0])
    features = {"kind": "image", "shape": [1, 8, 8], "mean": [float(some.mean())], "std": [float(some.std())]}
    manifest = {
        "format": 1, "name": "sides", "task": "image", "classes": CLASSES, "features": features,
        "input": {"shape": [1, 8, 8], "dtype": "uint8"}, "splits": splits, "files": {}, "source": {},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def task_of(folder: Path) -> ImageTask:
    """Its task."""
    return ImageTask(folder, ImageParams(augment="none"), torch.device("cpu"))


def trained(task: ImageTask, net=CNN, steps=60) -> torch.nn.Module:
    """A network that knows most of the rows."""
    torch.manual_seed(1)
    model = build({**net, "shape": [1, 8, 8], "classes": len(CLASSES), "features": task.features})
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    for _ in range(steps):
        inputs, targets = task.batch("train", torch.randint(0, task.rows("train"), (64,)))
        loss = task.loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def leave(folder: Path, task: ImageTask, model: torch.nn.Module, **report) -> Path:
    """The files of a model version, as a run leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = {**task.exported(), "dataset": task.dataset, "trainer": "1", "net": model.spec}
    weights.write_safetensors(folder / "model.safetensors", model, stated)
    example = task.batch("train", torch.arange(64))[0]
    (folder / "model.onnx").write_bytes(export.to_onnx(model, example, stated))
    said = {"task": "image", "model": model.spec["model"], "params": {"augment": "none"}, **report}
    (folder / "report.json").write_text(json.dumps(said))
    return folder


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
