"""What a person does with models."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cloudtui.handlers import values
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import FailedError, RefusedError, UsageError
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Artifact

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written."""

    model: Model
    file: Path
    kind: str
    size_bytes: int
    sha256: str


def list_all(session: Session) -> list[Model]:
    """All versions."""
    return list(session.catalog.models.list())


def show(session: Session, model: str) -> Model:
    """One version."""
    return session.catalog.models.find(model)


def alias(session: Session, model: str, alias: str) -> Model:
    """Let a name that can move point to this version."""
    found = session.catalog.models.find(model)
    session.catalog.models.set_alias(found.id, values.new_name(alias, "an alias"))
    return session.catalog.models.find(found.id)


def export(session: Session, model: str, file: str, yes: bool = False) -> Exported:
    """Copy one of a model's files, checked against its hash; whole or not at all."""
    found = session.catalog.models.find(model)
    target = Path(file).expanduser().absolute()
    artifact = _chosen(found, target)
    if artifact.local is None:
        raise RefusedError(
            f"{artifact.name} of {found.name} is not on this machine yet.", "Fetch it: cloudtui run sync",
            code="not_here",
        )  # fmt: skip
    if target.exists() and not yes and _hash_of(target) != artifact.sha256:
        raise RefusedError(
            f"{target} exists.", "Replace it with --yes, or choose another name.", code="exists"
        )
    _copy(Path(artifact.local), target, artifact)
    return Exported(found, target, artifact.kind, artifact.size_bytes, artifact.sha256)


def _chosen(model: Model, target: Path) -> Artifact:
    if target.is_dir():
        raise UsageError(f"{target} is a folder.", "Name the file to write.")
    fitting = [one for one in model.files if Path(one.name).suffix == target.suffix]
    if not fitting or not target.suffix:
        endings = ", ".join(sorted({Path(one.name).suffix for one in model.files})) or "no file"
        raise UsageError(
            f"{model.name} has nothing that ends in '{target.suffix}'.",
            f"It has: {endings}. The ending chooses.",
        )
    return fitting[0]


def _copy(source: Path, target: Path, artifact: Artifact) -> None:
    digest = hashlib.sha256()
    name = ""
    try:
        with (
            source.open("rb") as read,
            tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as write,
        ):
            name = write.name
            while part := read.read(_BLOCK):
                digest.update(part)
                write.write(part)
            write.flush()
            os.fsync(write.fileno())
        if artifact.sha256 and digest.hexdigest() != artifact.sha256:
            raise FailedError(
                f"{source} is not what the run left: its hash differs.", "Restore a backup, or train again."
            )
        Path(name).replace(target)
        name = ""
    except OSError as error:
        raise FailedError(f"{target} cannot be written: {error.strerror}.", "Choose another place.") from None
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_BLOCK):
            digest.update(part)
    return digest.hexdigest()
