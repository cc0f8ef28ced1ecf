"""The trainer's speed: its loop over a bare one (and Lightning's), its input side, bf16 on the CPU.

`python -m bench trainer` prints JSON lines. All is CPU time of one thread, in alternated pairs; how good the
trainer is stands in `bench quality`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.utils.data import DataLoader, Dataset

from bench._attempt import attempt, tell
from cloudtui_engine.data import build_dataset
from cloudtui_host.journal import decode_line
from cloudtui_trainer.augmentation import shifted
from cloudtui_trainer.devices import autocast_in, cpu_multiplies_bf16
from cloudtui_trainer.models import build, cnn, resnet
from cloudtui_trainer.store import Store
from cloudtui_trainer.tasks.image import ImageParams, ImageTask

PAIRS = 15
BATCH = 16
FIRST, LAST = 10, 70
"""Steps of one epoch between which the loops are timed."""
CPU = torch.device("cpu")
MEAN, STD = 72.9, 90.0


def with_journal(root: Path, name: str, dataset: str) -> float:
    """CPU seconds of our loop between two steps, with its journal, as it reads them at each step's batch."""
    at: dict[int, float] = {}
    counted: list[None] = []
    right = ImageTask.batch

    def timed(self: ImageTask, split: str, rows: torch.Tensor, *, augment: bool = False) -> Any:
        if split == "train":
            counted.append(None)
            if len(counted) - 1 in {FIRST, LAST}:  # asking for the time takes longer than one thinks
                at[len(counted) - 1] = time.process_time()
        return right(self, split, rows, augment=augment)

    ImageTask.batch = timed  # type: ignore[method-assign]
    try:
        _, folder = attempt(
            root, name, dataset, epochs=1, batch_size=BATCH, threads=1, precision="fp32", checkpoint_every_s=0
        )
    finally:
        ImageTask.batch = right  # type: ignore[method-assign]
    lines = (folder / "journal" / "trainer.jsonl").read_bytes().splitlines()
    if sum(decode_line(line)["kind"] == "metric" for line in lines) < LAST // 10:
        raise RuntimeError("the journal was not written")
    return at[LAST] - at[FIRST]


def raw(root: Path, dataset: str) -> float:
    """CPU seconds of a bare loop over the same data and model between the same steps, and nothing else."""
    torch.set_num_threads(1)
    task = ImageTask(root / "data" / dataset, ImageParams(), CPU)
    model = task.build("cnn").train()
    optimizer = torch.optim.AdamW(model.parameters(), 0.003, fused=True)
    order = torch.randperm(task.rows("train")).split(BATCH)
    begun = 0.0
    for step, rows in enumerate(order[: LAST + 1]):
        if step == FIRST:
            begun = time.process_time()
        if step == LAST:
            break
        inputs, targets = task.batch("train", rows, augment=True)
        loss = task.loss(model(inputs), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return time.process_time() - begun


def lightning(root: Path, dataset: str) -> float:
    """CPU seconds of Lightning between the same steps, logging its loss each ten."""
    import lightning as lit  # type: ignore[import-not-found, unused-ignore]

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    torch.set_num_threads(1)
    task = ImageTask(root / "data" / dataset, ImageParams(), CPU)
    at: dict[int, float] = {}

    class Module(lit.LightningModule):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.net = task.build("cnn")

        def training_step(self, rows: torch.Tensor, number: int) -> torch.Tensor:
            if number in {FIRST, LAST}:
                at[number] = time.process_time()
            inputs, targets = task.batch("train", rows, augment=True)
            loss = task.loss(self.net(inputs), targets)
            self.log("train/loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), 0.003, fused=True)

    order = list(torch.randperm(task.rows("train")).split(BATCH))
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        trainer = lit.Trainer(
            max_epochs=1, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=False, log_every_n_steps=10, default_root_dir=root / "lightning",
        )  # fmt: skip
        trainer.fit(Module(), DataLoader(order, batch_size=None))  # type: ignore[arg-type, unused-ignore]
    return at[LAST] - at[FIRST]


class PerSample(Dataset[Any]):
    """A picture at a time by Pillow: the steps of torchvision's MNIST, RandomCrop, ToTensor and Normalize."""

    def __init__(self, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], augment: bool) -> None:
        self.x, self.y, self.augment = torch.from_numpy(x[:, 0]), torch.from_numpy(y), augment

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.x[index].numpy())
        if self.augment:
            padded = ImageOps.expand(picture, 2)
            top, left = int(torch.randint(0, 5, (1,))), int(torch.randint(0, 5, (1,)))
            picture = padded.crop((left, top, left + 28, top + 28))
            if torch.rand(1) < 0.5:
                picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        tensor = torch.from_numpy(np.array(picture, np.uint8)).view(28, 28, 1).permute(2, 0, 1).contiguous()
        mean, std = torch.as_tensor((MEAN / 255,)), torch.as_tensor((STD / 255,))
        return tensor.float().div(255).sub_(mean[:, None, None]).div_(std[:, None, None]), int(self.y[index])


def ours(store: Store, rows: int, augment: bool) -> Iterator[torch.Tensor]:
    """The same from a store: indexed, changed and normalised by the batch."""
    for batch in torch.randperm(rows).split(64):
        pictures, _ = store.batch("train", batch)
        if augment:
            pictures = shifted(pictures, flip=True)
        yield pictures.float().sub_(MEAN).div_(STD)


def spent(work: Callable[[], Any]) -> float:
    """CPU seconds of some work."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def input_side() -> bool:
    """Samples a second, ours over a DataLoader, plain and with shift and flip."""
    torch.set_num_threads(1)
    chance = np.random.default_rng(0)
    x = chance.integers(0, 255, (12_800, 1, 28, 28), dtype=np.uint8)
    y = chance.integers(0, 10, 12_800)
    store = Store({"train": (x, y)}, CPU, "memory")
    good = True
    for augment, goal in ((False, 30), (True, 8)):
        loader = DataLoader(PerSample(x, y, augment), 64, shuffle=True)
        rounds = [
            (spent(lambda: list(ours(store, len(y), augment))), spent(lambda: list(loader)))  # noqa: B023
            for _ in range(5)
        ]
        ratio = statistics.median(theirs / mine for mine, theirs in rounds)
        fastest = [len(y) / min(times) for times in zip(*rounds, strict=True)]
        good &= ratio >= goal
        tell(
            bench="trainer.input", augment=augment, ours_per_s=round(fastest[0]),
            dataloader_per_s=round(fastest[1]), ratio=round(ratio, 1), goal=goal,
        )  # fmt: skip
    return good


def halves() -> bool:
    """A training step in fp32 over one in bf16, on pictures of 28 x 28."""
    if not cpu_multiplies_bf16():
        tell(bench="trainer.bf16", note="this CPU does not multiply bf16")
        return True
    features = {"kind": "image", "shape": [1, 28, 28], "mean": [MEAN], "std": [STD]}
    found = {}
    for kind, batch in ((cnn, 64), (resnet, 128)):
        model = build(kind.spec((1, 28, 28), 10, features)).train()
        model = nn.Module.to(model, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        x = torch.randint(0, 255, (batch, 1, 28, 28), dtype=torch.uint8)
        y = torch.randint(0, 10, (batch,))

        def step(precision: str) -> None:
            with autocast_in(CPU, precision):
                outputs = model(x)  # noqa: B023
            optimizer.zero_grad(set_to_none=True)  # noqa: B023
            nn.functional.cross_entropy(outputs.float(), y).backward()  # noqa: B023
            optimizer.step()  # noqa: B023

        step("fp32")
        step("bf16")
        pairs = [(spent(lambda: step("fp32")), spent(lambda: step("bf16"))) for _ in range(PAIRS)]
        name = kind.__name__.rpartition(".")[2]
        found[name] = statistics.median(full / half for full, half in pairs)
        tell(
            bench="trainer.bf16", model=name, batch=batch, fp32_ms=round(min(pairs)[0] * 1000, 1),
            bf16_ms=round(min(half for _, half in pairs) * 1000, 1), ratio=round(found[name], 2),
        )  # fmt: skip
    tell(bench="trainer.bf16", cnn=round(found["cnn"], 2), goal=1.8)
    return found["cnn"] >= 1.8


def main() -> bool:
    """Print one JSON line a figure; False where a goal was missed."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        dataset = build_dataset("digits", root / "data", name="digits").sha256
        with_journal(root, "warm", dataset)
        pairs = [(with_journal(root, f"loop-{pair}", dataset), raw(root, dataset)) for pair in range(PAIRS)]
        control = [raw(root, dataset) / raw(root, dataset) for _ in range(PAIRS)]
        ours_s, raw_s = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = ours_s / raw_s
        tell(
            bench="trainer.loop", what="CPU seconds, ours with journal / raw", batch=BATCH, pairs=PAIRS,
            ms_a_step=round(ours_s / (LAST - FIRST) * 1000, 2), ratio=round(ratio, 3),
            raw_over_raw=round(statistics.median(control), 3), goal=1.15,
        )  # fmt: skip
        if importlib.util.find_spec("lightning"):
            lightning(root, dataset)
            theirs = [lightning(root, dataset) / raw(root, dataset) for _ in range(PAIRS)]
            tell(bench="trainer.loop", what="Lightning / raw", ratio=round(statistics.median(theirs), 3))
    good = ratio <= 1.15
    good &= input_side()
    return bool(halves() and good)


if __name__ == "__main__":
    main()
