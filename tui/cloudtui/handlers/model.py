"""What a person does with models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudtui.handlers import values
from cloudtui.handlers.session import Session
from cloudtui.handlers.writing import whole_file
from cloudtui_engine.errors import FailedError, RefusedError, UsageError
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.evaluation import Evaluation
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


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """A model version with all that hangs on it."""

    model: Model
    evaluations: tuple[Evaluation, ...]
    compressions: tuple[Compression, ...]
    children: tuple[Model, ...]
    """Variants of it, and what was trained from its weights."""
    lineage: tuple[str, ...]
    """`name@version` of what it was made from, the nearest first."""


def list_all(session: Session) -> list[Model]:
    """All versions, newest first; variants stand below what they were made from."""
    return grouped(session.catalog.models.list())


def grouped(models: Sequence[Model]) -> list[Model]:
    """The same models, each variant right behind its parent where that is among them."""
    there = {one.id for one in models}
    below: dict[str, list[Model]] = {}
    heads = []
    for one in models:
        if one.variant and one.parent_id in there:
            below.setdefault(str(one.parent_id), []).append(one)
        else:
            heads.append(one)
    return [one for head in heads for one in (head, *below.get(head.id, ()))]


def show(session: Session, model: str) -> ModelDetail:
    """One version, its evaluations, and what was made from it."""
    models = session.catalog.models
    found = models.find(model)
    return ModelDetail(
        found,
        tuple(models.evaluations(found.id)),
        tuple(models.compressions(found.id)),
        tuple(models.children(found.id)),
        tuple(_lineage(session, found)),
    )


def _lineage(session: Session, model: Model) -> Iterator[str]:
    seen = {model.id}
    while model.parent_id and model.parent_id not in seen:
        seen.add(model.parent_id)
        model = session.catalog.models.get(model.parent_id)
        yield model.label


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
            f"{artifact.name} of {found.name} is not on this machine yet.",
            f"Fetch it: cloudtui run pull {found.run_id}",
            code="not_here",
        )  # fmt: skip
    if not Path(artifact.local).is_file():
        raise FailedError(
            f"{artifact.name} of {found.name} is gone from this machine: {artifact.local}.",
            f"Fetch it again: cloudtui run pull {found.run_id}",
            code="gone",
        )
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
    with whole_file(target) as write, source.open("rb") as read:
        while part := read.read(_BLOCK):
            digest.update(part)
            write.write(part)
        if artifact.sha256 and digest.hexdigest() != artifact.sha256:
            raise FailedError(
                f"{source} is not what the run left: its hash differs.", "Restore a backup, or train again."
            )


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
