"""What is to be trained and where it goes: config.json and the environment."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_trainer.errors import TrainerError

OPERATIONAL = frozenset(
    {"checkpoint_every_s", "checkpoint_every_steps", "data", "device", "log_every", "precision", "threads"}
)
"""Params that do not change what is learned: a checkpoint is good for another value of these."""


JOBS = {
    "train": "cloudtui_trainer.train:train",
    "evaluate": "cloudtui_trainer.evaluate:evaluate",
    "compress": "cloudtui_trainer.compress:compress",
}
"""What a config's `job` names: `f(job, recorder, stop) -> "completed" | "stopped"`, imported when wanted."""


@dataclass(frozen=True)
class Job:
    """One attempt at one job."""

    run: str
    attempt: int
    name: str
    dataset: Path
    task: str
    model: str
    params: Mapping[str, Any]
    kind: str
    """What is to be done: see `JOBS`."""
    weights: Path | None
    """Of another run, to begin with."""
    weights_sha256: str
    """Their content, which is the same wherever they lie; empty: the path stands for it."""
    given: Path | None
    """The folder of the model version that is evaluated or compressed, and what it is called."""
    of: str
    split: str
    folder: Path
    """The attempt's: checkpoints are below it."""
    journal: Path
    artifacts: Path

    @classmethod
    def load(cls, path: Path, env: Mapping[str, str] = os.environ) -> Job:
        """Read config.json; `CLOUDTUI_JOURNAL` and `CLOUDTUI_ARTIFACTS` go before the places beside it.

        Raises:
            TrainerError: it cannot be read, or something is missing in it.
        """
        try:
            config = json.loads(path.read_text())
            folder = path.absolute().parent
            return cls(
                run=str(config.get("run", env.get("CLOUDTUI_RUN", ""))),
                attempt=int(config.get("attempt", 1)),
                name=str(config.get("name", "")),
                dataset=_below_root(str(config["dataset"]), folder),
                task=str(config.get("task") or "image"),
                model=str(config.get("model") or ""),
                params=dict(config.get("params") or {}),
                kind=_kind(config.get("job") or "train"),
                weights=_path(config.get("weights"), folder),
                weights_sha256=str(config.get("weights_sha256") or ""),
                given=_path(config.get("given"), folder),
                of=str(config.get("of") or ""),
                split=str(config.get("split") or "test"),
                folder=folder,
                journal=Path(env.get("CLOUDTUI_JOURNAL") or folder / "journal" / "trainer.jsonl"),
                artifacts=Path(env.get("CLOUDTUI_ARTIFACTS") or folder / "artifacts"),
            )
        except OSError as error:
            raise TrainerError(f"Cannot read {path}: {error.strerror}.") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TrainerError(f"{path} is not the config of a run: {error!r}.") from None

    @property
    def checkpoints(self) -> Path:
        """Where this attempt keeps its checkpoints."""
        return self.folder / "checkpoints"

    @property
    def earlier_checkpoints(self) -> list[Path]:
        """This attempt's folder and those of the attempts before it, newest first."""
        earlier = [
            self.folder.parent / f"a{number:04d}" / "checkpoints" for number in range(self.attempt - 1, 0, -1)
        ]
        return [self.checkpoints, *earlier]

    @property
    def fingerprint(self) -> str:
        """What a checkpoint must agree with to be gone on from: data, task, model and what is learned how."""
        matters = {key: value for key, value in self.params.items() if key not in OPERATIONAL}
        begins_with = [self.weights_sha256 or str(self.weights)] if self.weights else []
        what = [self.dataset.name, self.task, self.model, matters, *begins_with]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _kind(name: Any) -> str:
    if name not in JOBS:
        raise TrainerError(f"This trainer does not know the job {name!r}.", f"Jobs: {', '.join(JOBS)}.")
    return str(name)


def _path(given: Any, folder: Path) -> Path | None:
    """A path of the config, or none where nothing is given."""
    return _below_root(str(given), folder) if given else None


def _below_root(dataset: str, folder: Path) -> Path:
    """A path on the host; `{root}/...` and relative paths are taken from the host's root."""
    root = folder.parent.parent.parent
    for mark in ("{root}/", "<root>/"):
        dataset = dataset.removeprefix(mark)
    return root / dataset
