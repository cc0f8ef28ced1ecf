"""What a job needs on its host before it can start: our packages, its data, the user's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.hosts import shipping, transfer
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.kept import Kept, KeptSet
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.run import Artifact
from cloudtui_engine.runs import model_jobs

Report = Callable[[str, int | None, int | None], None]

TRAINER_PACKAGES = ("cloudtui_trainer", "cloudtui_features")
PREPARER_FOLDER = "cloudtui_engine/data/"
PREPARER_MODULES = frozenset(
    f"cloudtui_engine/{name}.py"
    for name in ("__init__", "errors", "ids", "paths", "records/__init__", "records/dataset", "sanitize")
)
_STAYS_HERE = frozenset({
    "cloudtui_engine/data/answers.py",
    *(f"cloudtui_features/{name}.py" for name in ("paired", "paired_errors", "resampling")),
})  # fmt: skip
"""Beside what makes datasets, and not of it: how two models' answers compare."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Brings things to one host. Each method returns the folder there, relative to the root.

    What is there already, by content, is not sent again. `transfer.Cancelled` ends any of them.
    """

    paths: Paths
    link: HostLink
    report: Report
    cancelled: Callable[[], bool]

    def trainer(self) -> str:
        """The bundled trainer and the features it applies."""
        files = _trainer_files()
        return self._put(f"trainer/{_content_of(files)}", files, "Sending the trainer")

    def preparer(self) -> str:
        """What makes dataset versions, for a host that holds the source."""
        files = _preparer_files()
        return self._put(f"trainer/{_content_of(files)}", files, "Sending what reads data")

    def dataset(self, dataset: Dataset, machine: str) -> str:
        """A dataset version.

        Args:
            dataset: which.
            machine: the name of this host.

        Raises:
            RefusedError: it lies only on another host.
            NotFoundError: its files are neither here nor there.
        """
        folder = self.paths.data / dataset.sha256
        if not (folder / "manifest.json").is_file():
            dest = f"data/{dataset.sha256}"
            model_jobs.check_place(dataset, machine)
            if machine in dataset.instances and self._holds(dest):
                return dest
            places = (
                f"neither on this machine nor on {machine}" if dataset.is_in_place else "not on this machine"
            )
            raise NotFoundError(
                f"The files of {dataset.name} v{dataset.version} are {places}.",
                f"Add it again: cloudtui dataset add {dataset.name} {dataset.source}".strip(),
            )
        files = [_local_file(folder / "manifest.json", "manifest.json")]
        for name, entry in sorted(dataset.manifest["files"].items()):
            files.append(transfer.LocalFile(folder / name, name, entry["size"], entry["sha256"]))
        return self._put(f"data/{dataset.sha256}", files, f"Sending {dataset.name}")

    def model(self, label: str, files: Sequence[Artifact]) -> str:
        """Files of a model version that are on this machine, by their content.

        Raises:
            NotFoundError: one of them is not here any more.
        """
        lying = []
        for file in files:
            path = Path(file.local or "")
            if not file.local or not path.is_file():
                raise NotFoundError(
                    f"{file.name} of {label} is not on this machine.",
                    "Fetch it again with cloudtui run pull, restore a backup, or train it again.",
                )
            lying.append(transfer.LocalFile(path, file.name, file.size_bytes, file.sha256))
        return self._put(f"model/{_content_of(lying)}", lying, f"Sending {label}")

    def checkpoints(self, kept: Kept, newest: KeptSet) -> str:
        """What a run goes on from, that was brought here while its machine lived."""
        files = [
            transfer.LocalFile(kept.blob(one.sha256), one.name, one.size_bytes, one.sha256)
            for one in newest.files
        ]
        return self._put(f"model/{_content_of(files)}", files, "Sending the checkpoint")

    def folder(self, packed: Mapping[str, Any]) -> str:
        """A script's folder as `script_folder.pack` kept it."""
        source = self.paths.scripts / str(packed["sha256"])
        files = [
            transfer.LocalFile(
                source / file["path"], file["path"], file["size"], file["sha256"], file["mode"]
            )
            for file in packed["files"]
        ]
        return self._put(f"script/{packed['sha256']}", files, "Sending the script's folder")

    def _holds(self, dest: str) -> bool:
        return transfer.is_there(
            self.link.transport, root=self.link.root, dest=dest, cancelled=self.cancelled
        )

    def _put(self, dest: str, files: Sequence[transfer.LocalFile], text: str) -> str:
        with self.link.put_lock:
            transfer.put(
                self.link.transport,
                root=self.link.root,
                dest=dest,
                files=files,
                on_progress=lambda done, total: self.report(text, done, total),
                cancelled=self.cancelled,
            )
        return dest


def own_folders() -> frozenset[str]:
    """Where the trainer and the reader of data of this program lie on a host, relative to the root."""
    return frozenset(f"trainer/{_content_of(files)}" for files in (_trainer_files(), _preparer_files()))


def _preparer_files() -> list[transfer.LocalFile]:
    """Exactly what `data/in_place.py` imports, all of it without a library but numpy, Pillow and Polars."""
    engine = [
        (name, path)
        for name, path in shipping.files_of("cloudtui_engine")
        if name.startswith(PREPARER_FOLDER) or name in PREPARER_MODULES
    ]
    features = shipping.files_of("cloudtui_features")
    return [_local_file(path, name) for name, path in (*engine, *features) if name not in _STAYS_HERE]


def _trainer_files() -> list[transfer.LocalFile]:
    return [
        _local_file(path, name) for package in TRAINER_PACKAGES for name, path in shipping.files_of(package)
    ]


def _content_of(files: Sequence[transfer.LocalFile]) -> str:
    listed = "".join(f"{file.path}\0{file.sha256}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def _local_file(path: Path, name: str) -> transfer.LocalFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return transfer.LocalFile(path, name, path.stat().st_size, digest)
