"""What a run that has ended leaves as model versions: its own, or variants of the model that it acted on."""

from __future__ import annotations

import re

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.run import RUNS, Attempt, RunState

MODEL_KINDS = frozenset({"weights", "onnx"})
MOST_VARIANTS = 100
_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


def register(catalog: Catalog, attempt: Attempt, state: RunState) -> None:
    """Keep the models of an attempt that ended in `state`; doing it again changes nothing.

    A training counts once it has succeeded. A compression that was stopped has measured what it left.
    """
    run = catalog.runs.get(attempt.run_id)
    if run.kind == "compress":
        if state in {RunState.SUCCEEDED, RunState.STOPPED}:
            for variant in _variants(catalog, attempt):
                catalog.models.register(run.id, attempt.number, variant=variant, parent_id=run.model_id)
    elif (
        run.kind in RUNS
        and state is RunState.SUCCEEDED
        and any(artifact.kind in MODEL_KINDS for artifact in run.artifacts)
    ):
        catalog.models.register(run.id, attempt.number, parent_id=run.model_id)


def _variants(catalog: Catalog, attempt: Attempt) -> list[str]:
    """The folders that hold a model; what a host names otherwise is no variant."""
    found = set()
    for artifact in catalog.runs.artifacts(attempt.run_id, attempt.number):
        folder, _, name = artifact.name.rpartition("/")
        if artifact.kind in MODEL_KINDS and name.startswith("model.") and _VARIANT.fullmatch(folder):
            found.add(folder)
    return sorted(found)[:MOST_VARIANTS]
