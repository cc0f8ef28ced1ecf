"""The same points through other trackers, where they are installed: `pip install -e '.[bench]'`."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench._report import cpu, figure, skipped

POINTS = 20_000
BATCH = 1_000


def trackers() -> None:
    """CPU microseconds a point of each tracker's own bulk way, and bytes a point on the disk."""
    for name, modules, work in (
        ("TensorBoard (tensorboardX)", ("tensorboardX",), _tensorboardx),
        ("MLflow", ("mlflow", "sqlalchemy", "alembic"), _mlflow),
        ("Trackio", ("trackio",), _trackio),
    ):
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            skipped(f"catalog beside {name}", f"{', '.join(missing)} not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            write = work(Path(folder))
            seconds = cpu(write)
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        detail = f"{POINTS} points in bulk: us of CPU a point; {size / POINTS:.0f} bytes a point"
        figure(f"catalog beside {name}, us", seconds / POINTS * 1e6, None, detail)


def _tensorboardx(folder: Path) -> Callable[[], None]:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder))

    def write() -> None:
        for step in range(POINTS):
            writer.add_scalar("train/loss", step / 7, step)
        writer.close()

    return write


def _mlflow(folder: Path) -> Callable[[], None]:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run = client.create_run(client.create_experiment("bench")).info.run_id

    def write() -> None:
        for at in range(0, POINTS, BATCH):
            metrics = [
                Metric("train/loss", step / 7, 1_700_000_000_000 + step, step)
                for step in range(at, at + BATCH)
            ]
            client.log_batch(run, metrics=metrics)

    return write


def _trackio(folder: Path) -> Callable[[], None]:
    os.environ["TRACKIO_DIR"] = str(folder)
    from trackio.sqlite_storage import SQLiteStorage

    def write() -> None:
        for at in range(0, POINTS, BATCH):
            steps = list(range(at, at + BATCH))
            SQLiteStorage.bulk_log(
                project="bench",
                run="run",
                metrics_list=[{"train/loss": step / 7} for step in steps],
                steps=steps,
            )

    return write
