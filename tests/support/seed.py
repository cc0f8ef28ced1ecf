"""Catalogs full of history, built through the repositories: for tests, benches and pictures.

Everything is a function of the arguments: the same seed is the same catalog, and times count back from `now`.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.gpu import GpuSample
from cloudtui_engine.records.instance import Address, Instance, LinkState
from cloudtui_engine.records.run import Run, RunState

NOW = 1_790_000_000.5
"""Half a second past: nothing flips over while a test looks."""
_WORDS = (
    "vit-small",
    "resnet-kd",
    "news-bag",
    "resnet-base",
    "adult-mlp",
    "resnet-lr3",
    "mnist-cnn",
    "vit-tiny",
    "tabular",
)
_PATHS: Mapping[RunState, Sequence[RunState]] = {
    RunState.QUEUED: (),
    RunState.RUNNING: (RunState.STAGING, RunState.STARTING, RunState.RUNNING),
    RunState.SUCCEEDED: (RunState.STAGING, RunState.STARTING, RunState.RUNNING, RunState.SUCCEEDED),
    RunState.FAILED: (RunState.STAGING, RunState.STARTING, RunState.RUNNING, RunState.FAILED),
    RunState.STOPPED: (
        RunState.STAGING,
        RunState.STARTING,
        RunState.RUNNING,
        RunState.STOPPING,
        RunState.STOPPED,
    ),
    RunState.LOST: (RunState.STAGING, RunState.STARTING, RunState.RUNNING, RunState.LOST),
}


@dataclass(frozen=True)
class Seeded:
    """What is in a seeded catalog."""

    catalog: Catalog
    runs: tuple[Run, ...]
    instances: tuple[Instance, ...]
    dataset: Dataset


def instances(catalog: Catalog, now: float = NOW) -> tuple[Instance, ...]:
    """This machine, two that are linked, and one whose key changed."""
    local = catalog.instances.ensure_local()
    catalog.instances.update(local.id, created_at=now - 90_000)
    gpu = {
        "index": 0,
        "name": "A100 80GB",
        "memory_bytes": 80_000_000_000,
        "memory_used_bytes": 41_000_000_000,
        "utilization": 93,
        "temperature_c": 61,
        "processes": [
            {
                "pid": 4711,
                "user": "ubuntu",
                "memory_bytes": 40_200_000_000,
                "command": "python -m cloudtui_trainer",
            },
            {
                "pid": 912,
                "user": "eve",
                "memory_bytes": 800_000_000,
                "command": "/opt/conda/bin/python train.py",
            },
        ],
    }
    small = gpu | {
        "name": "RTX 4090",
        "memory_bytes": 24_000_000_000,
        "memory_used_bytes": 0,
        "utilization": 0,
        "temperature_c": 38,
        "processes": [],
    }
    facts = {
        "os": "Ubuntu 24.04",
        "kernel": "6.8.0",
        "arch": "x86_64",
        "cpu": {"model": "EPYC 7543", "cores": 32},
        "memory_bytes": 256_000_000_000,
        "memory_free_bytes": 201_000_000_000,
        "disk_bytes": 2_000_000_000_000,
        "disk_free_bytes": 1_200_000_000_000,
        "driver": "570.124",
        "slurm": False,
        "pythons": [{"path": "/usr/bin/python3", "version": "3.12.3", "torch": "2.8.0", "cuda": "12.8"}],
    }
    made = [
        Instance(
            "c0000000000box01",
            "box-1",
            "ssh",
            Address("10.0.0.11", "ubuntu"),
            price_usd_per_hour=1.10,
            facts=facts,
            gpus=(gpu,),
            link_state=LinkState.UP,
            link_since=now - 7200,
            seen_at=now - 2,
            looked_at=now - 2,
            created_at=now - 80_000,
        ),
        Instance(
            "c0000000000box02",
            "box-2",
            "ssh",
            Address("lab-gpu3"),
            facts=facts,
            gpus=(small, small | {"index": 1}),
            link_state=LinkState.UP,
            link_since=now - 9000,
            seen_at=now - 1,
            idle_since=now - 2470,
            looked_at=now - 1,
            created_at=now - 70_000,
        ),
        Instance(
            "c0000000000box03",
            "box-3",
            "ssh",
            Address("203.0.113.7", "ubuntu", 2222),
            facts=facts | {"gpus": [small]},
            price_usd_per_hour=0.75,
            link_state=LinkState.KEY_CHANGED,
            link_since=now - 1200,
            link_detail="box-3 shows another key than the one you trusted. Nothing is done there.",
            seen_at=now - 1300,
            created_at=now - 60_000,
        ),
    ]
    added = [catalog.instances.add(one) for one in made]
    noise = random.Random(4)
    for minute in range(52):
        t = now - 60 * minute
        use = (
            2.0 if 20 <= minute < 26 else min(100.0, 88 + noise.uniform(-8, 10) - (50 if minute > 40 else 0))
        )
        catalog.gpu_use.add(added[0].id, [GpuSample(t, 0, use, 4e9 if minute > 40 else 41e9, 80e9)], now=now)
        catalog.gpu_use.add(added[1].id, [GpuSample(t, gpu, 0.0, 0.0, 24e9) for gpu in (0, 1)], now=now)
    return (catalog.instances.get(local.id), *added)


def dataset(catalog: Catalog, now: float = NOW) -> Dataset:
    """A dataset with a copy on box-1."""
    made = catalog.datasets.add(
        Dataset(
            "c000000000data01",
            "fashion-mnist",
            2,
            "image",
            "ab" * 32,
            54_950_048,
            {"train": 54_000, "validation": 6_000, "test": 10_000},
            ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"),
            {
                "splits": {
                    split: {"rows": rows, "x": f"{split}-x.npy", "y": f"{split}-y.npy"}
                    for split, rows in (("train", 54_000), ("validation", 6_000), ("test", 10_000))
                }
            },
            "fashion-mnist",
            now - 50_000,
        )
    )
    catalog.datasets.add_copy(made.id, "c0000000000box01", now - 40_000)
    return made


def curves(points: int, seed: int, now: float = NOW) -> dict[str, Points]:
    """Loss and accuracy of a training: `points` of the loss, a tenth as many validations."""
    noise = random.Random(seed)
    floor, speed = 0.15 + noise.random() * 0.2, 3.0 + noise.random() * 3
    count = max(1, points)
    steps = array("q", range(10, 10 * count + 1, 10))
    times = array("d", [now - (count - i) * 0.41 for i in range(count)])
    fall = [math.exp(-speed * i / count) for i in range(count)]
    loss = array("d", [floor + 2.1 * f + noise.uniform(-0.05, 0.05) * (0.3 + f) for f in fall])
    score = array("d", [0.945 - floor / 8 - 0.83 * f + noise.uniform(-0.006, 0.006) for f in fall])
    tenth = slice(9, None, 10) if count >= 10 else slice(None)
    validation_loss = array("d", [value * 1.08 + 0.03 for value in loss[tenth]])
    validation = array("d", [value - 0.011 for value in score[tenth]])
    return {
        "train/loss": Points(steps, times, loss),
        "train/accuracy": Points(steps, times, score),
        "validation/loss": Points(steps[tenth], times[tenth], validation_loss),
        "validation/accuracy": Points(steps[tenth], times[tenth], validation),
    }


def add_run(
    catalog: Catalog,
    name: str,
    state: RunState,
    *,
    on: str,
    age_s: float,
    took_s: float | None = None,
    columns: Mapping[str, Points] | None = None,
    progress: Mapping[str, Any] | None = None,
    reason: str = "",
    exit_code: int | None = None,
    data: Dataset | None = None,
    params: Mapping[str, Any] | None = None,
    cost: float | None = None,
    now: float = NOW,
    log: str | None = None,
    identity: str | None = None,
    kind: str = "train",
    model_id: str | None = None,
) -> Run:
    """One run that came to `state` on the instance with the id `on`."""
    created = now - age_s
    run = Run(
        id=identity or new_id(created),
        name=name,
        kind=kind,
        status=RunState.QUEUED,
        attempt=1,
        instances=(),
        dataset_id=data.id if data else None,
        dataset=data.name if data else None,
        task="image",
        model="cnn",
        params=dict(params if params is not None else {"epochs": 20, "batch_size": 128, "lr": 0.003}),
        spec={},
        created_at=created,
        cost_usd=cost,
        model_id=model_id,
    )
    with catalog.write("run"):
        catalog.runs.create(run, [on])
        at = RunState.QUEUED
        for to in _PATHS[state]:
            fields: dict[str, Any] = {}
            if to is RunState.RUNNING:
                fields["started_at"] = created + 3
            if to.is_finished:
                fields |= {
                    "ended_at": created + 3 + (took_s or 60.0),
                    "exit_code": exit_code,
                    "reason": reason,
                }
            assert catalog.runs.move(run.id, 1, to, expected=at, **fields)
            at = to
        if cost is not None:  # what accrues it is the engine's
            with catalog.write("run") as db:
                db.execute("UPDATE run SET cost_usd = ? WHERE id = ?", (cost, run.id))
        if columns:
            catalog.metrics.append(run.id, 1, columns)
        if progress:
            catalog.runs.set_progress(run.id, progress)
    if log is not None:
        path = catalog.paths.console(run.id, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(log)
        curve = (columns or {}).get("train/loss")
        times = curve.times if curve else array("d", [created + 3, created + 60])
        catalog.metrics.mark_console(run.id, 1, console_marks(log, times[0], times[-1]))
    return catalog.runs.get(run.id)


def console_marks(log: str, begun: float, ended: float) -> Points:
    """When how much of a log had been printed: a mark for every tenth line, at even distances."""
    found, size = Points.empty(), 0
    lines = log.splitlines(keepends=True)
    for at, text in enumerate(lines, 1):
        size += len(text.encode())
        if at % 10 == 0 or at == len(lines):
            found.steps.append(at)
            found.times.append(begun + (ended - begun) * at / len(lines))
            found.values.append(size)
    return found


def log_text(lines: int = 400) -> str:
    """What a trainer prints."""
    head = "Using cuda:0 (A100 80GB), bf16\n308,000 parameters, 54,000 rows, 30 epochs of 422 steps\n"
    return head + "".join(
        f"epoch {i // 20 + 1:>2}  step {i * 20:>5}  loss {2.1 * math.exp(-i / 90) + 0.24:.4f}  41 ms a step\n"
        for i in range(lines)
    )


def story(home: Path, now: float = NOW) -> Seeded:
    """The catalog of the pictures: four machines and a handful of runs in every state."""
    catalog = Catalog.open(Paths(home))
    machines = instances(catalog, now)
    data = dataset(catalog, now)
    local, one, two = (machine.id for machine in machines[:3])

    def add(name: str, state: RunState, on: str, age: float, **more: Any) -> Run:
        identity = f"crun{name.replace('-', ''):0<12.12}"
        return add_run(catalog, name, state, on=on, age_s=age, data=data, now=now, identity=identity, **more)

    runs = [
        add(
            "resnet-lr3",
            RunState.STOPPED,
            two,
            9000,
            took_s=1300,
            columns=curves(900, 6, now),
            cost=0.68,
            progress={"epoch": 11, "epochs": 20, "step": 9000},
            reason="stopped by you",
        ),
        add(
            "adult-mlp-7",
            RunState.FAILED,
            local,
            6000,
            took_s=9,
            columns=curves(12, 5, now),
            exit_code=1,
            cost=0.0,
            progress={"epoch": 2, "epochs": 40, "step": 120},
            log="Traceback (most recent call last):\nMemoryError\n",
            reason="The process ended with status 1: MemoryError",
        ),
        add(
            "resnet-base",
            RunState.SUCCEEDED,
            two,
            5200,
            took_s=2291,
            columns=curves(1000, 4, now),
            exit_code=0,
            progress={"epoch": 20, "epochs": 20, "step": 10_000},
            cost=1.19,
        ),
        add("news-bag-sweep", RunState.QUEUED, one, 900, reason="waits for a free GPU"),
        add(
            "resnet-kd-50",
            RunState.RUNNING,
            one,
            283,
            columns=curves(300, 3, now),
            cost=0.15,
            progress={"epoch": 3, "epochs": 12, "step": 3000, "steps": 12_000},
        ),
        add(
            "vit-small-aug-3",
            RunState.RUNNING,
            one,
            726,
            columns=curves(546, 2, now),
            cost=0.38,
            log=log_text(),
            progress={"epoch": 7, "epochs": 30, "step": 5460, "steps": 23_400},
        ),
    ]
    live = runs[-1]
    samples = array("q", range(140))
    times = array("d", [now - 5.0 * (140 - i) for i in range(140)])
    noise = random.Random(9)
    catalog.metrics.append(
        live.id,
        1,
        {
            "gpu0/utilization": Points(
                samples, times, array("d", [90 + noise.uniform(-6, 6) for _ in range(140)])
            ),
            "gpu0/memory_gb": Points(samples, times, array("d", [min(41.0, 4 + i) for i in range(140)])),
        },
        scope="system",
    )
    catalog.events.add(live.id, "info", "started", "308,000 parameters, 54,000 rows, 30 epochs", t=now - 720)
    done = runs[2]
    catalog.runs.add_artifacts(
        done.id,
        1,
        [
            ("model.safetensors", "model", 1_240_000, "cd" * 32),
            ("model.onnx", "model", 1_260_000, "ef" * 32),
            ("report.json", "report", 4_211, "12" * 32),
        ],
    )
    catalog.runs.mark_pulled(done.id, 1, "model.safetensors")
    catalog.runs.add_report(
        done.id, 1, "evaluation/test", now, {"n": 10_000, "metrics": {"accuracy": 0.9357}}
    )
    catalog.models.register(done.id, 1)
    with catalog.write("model") as db:
        db.execute("UPDATE model SET created_at = ?", (now - 2900,))
    return Seeded(catalog, tuple(reversed(runs)), machines, data)


def many(home: Path, runs: int = 2000, points: int = 5_000_000, now: float = NOW, seed: int = 1) -> Seeded:
    """Thousands of runs and millions of points, in seconds: the curves of a few are shared by all."""
    catalog = Catalog.open(Paths(home))
    machines = instances(catalog, now)
    data = dataset(catalog, now)
    noise = random.Random(seed)
    each = max(10, round(points / runs / 2.2))
    shared = [curves(each, number, now) for number in range(8)]
    states = [RunState.SUCCEEDED] * 14 + [RunState.FAILED] * 3 + [RunState.STOPPED] * 2 + [RunState.LOST]
    made = []
    for start in range(0, runs, 250):
        with catalog.write("run"):
            for index in range(start, min(runs, start + 250)):
                left = runs - index
                state = (
                    RunState.RUNNING if left <= 3 else RunState.QUEUED if left == 4 else noise.choice(states)
                )
                run = add_run(
                    catalog,
                    f"{noise.choice(_WORDS)}-{index}",
                    state,
                    on=machines[1 + index % 2].id,
                    age_s=60.0 * left,
                    took_s=noise.uniform(5, 4000),
                    data=data,
                    now=now,
                    columns=None if state is RunState.QUEUED else shared[index % 8],
                    progress={"epoch": 1 + index % 20, "epochs": 20, "step": each * 10, "steps": each * 12},
                    cost=noise.uniform(0, 3),
                    params={"epochs": 20, "lr": noise.choice([0.1, 0.01, 0.003])},
                )
                made.append(run)
    catalog.runs.set_stale([made[-2].id], now - 260)
    return Seeded(catalog, tuple(reversed(made)), machines, data)
