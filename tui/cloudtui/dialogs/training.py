"""What the training form knows: data, machines, models and runs, and what follows from a choice. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloudtui import format as fmt
from cloudtui.dialogs.form_field import FormField, Option
from cloudtui.dialogs.train_params import MODELS
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import LOCAL, Instance
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run
from cloudtui_engine.runs.estimate import VALIDATED, Estimate, Wanted, estimate
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_RUNS = 500
_BUILT_IN = "built-in:"
_TASKS = {"digits": "image", "mnist": "image", "fashion-mnist": "image", "cifar10": "image"}
"""Of built-in data that are not in the catalog yet; the others are tables."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is."""

    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    """By `name@version`."""
    built_in: Mapping[str, str] = field(default_factory=dict)
    """Those that are not in the catalog yet, and what they are."""
    machines: Mapping[str, Instance] = field(default_factory=dict)
    models: Sequence[Model] = ()
    runs: Sequence[Run] = ()


def read_known(catalog: Catalog) -> Known:
    """Read all of it. Runs in a thread."""
    from cloudtui_engine.catalog.runs import RunQuery
    from cloudtui_engine.data import BUILT_IN

    sets = sorted(catalog.datasets.list(), key=lambda one: -one.created_at)
    names = {one.name for one in sets}
    machines = sorted(catalog.instances.list(), key=lambda one: (one.name != LOCAL, one.name))
    return Known(
        {f"{one.name}@{one.version}": one for one in sets},
        {name: text for name, text in BUILT_IN.items() if name not in names},
        {one.name: one for one in machines},
        catalog.models.list(),
        catalog.runs.list(RunQuery(limit=_RUNS, kinds=("train",), metrics=(VALIDATED,))),
    )


def options(known: Known) -> dict[str, list[Option]]:
    """What there is to choose from, by the kind of object."""
    sets = [Option(label, _dataset(one), (one.task,)) for label, one in known.datasets.items()]
    sets += [
        Option(
            _BUILT_IN + name, clean_line(f"{name} · built in, is added first · {text}", 120), (_task(name),)
        )
        for name, text in known.built_in.items()
    ]
    models = [
        Option(one.label, clean_line(f"{one.label} · {one.architecture}"), (one.task,))
        for one in known.models
        if not one.variant
    ]
    return {
        "dataset": sets,
        "instance": [Option(one.name, machine_text(one)) for one in known.machines.values()],
        "model": models,
    }


def _task(name: str) -> str:
    return _TASKS.get(name, "tabular")


def _dataset(one: Dataset) -> str:
    rows = " / ".join(fmt.count(one.splits.get(split)) for split in ("train", "test"))
    return clean_line(f"{one.name} v{one.version} · {one.task} · {rows} rows", 120)


def machine_text(one: Instance) -> str:
    """`box-1 · A100 80GB · ready · $1.10/h`."""
    gpus = fmt.gpus(one.gpus or one.facts.get("gpus") or ())
    ready = "ready" if one.name == LOCAL else fmt.LINK_MARKS[one.link_state].word
    price = "" if one.price_usd_per_hour is None else f"${fmt.money(one.price_usd_per_hour)}/h"
    busy = any(gpu.get("processes") for gpu in one.gpus)
    parts = (
        one.name,
        gpus if gpus != fmt.MISSING else "no GPU known",
        ready,
        "in use" if busy else "",
        price,
    )
    return clean_line(" · ".join(part for part in parts if part), 120)


def built_in(value: str) -> str | None:
    """The name of built-in data that are to be added first; None for what is in the catalog."""
    return value.removeprefix(_BUILT_IN) if value.startswith(_BUILT_IN) else None


def task_of(known: Known, value: str) -> str:
    """The task of a chosen dataset."""
    name = built_in(value)
    if name is not None:
        return _task(name)
    return known.datasets[value].task if value in known.datasets else ""


def fitting(fields: Sequence[FormField], task: str) -> list[FormField]:
    """The lines that concern a task, each with the options that do."""
    return [
        replace(one, options=tuple(o for o in one.options if not o.tasks or task in o.tasks))
        if one.name != "dataset"
        else one
        for one in fields
        if not one.tasks or task in one.tasks
    ]


def estimated(known: Known, values: Mapping[str, str]) -> tuple[Estimate, Wanted]:
    """How long what is filled in will take."""
    dataset = known.datasets.get(values.get("dataset", ""))
    task = task_of(known, values.get("dataset", ""))
    epochs = values.get("params.epochs", "").strip()
    wanted = Wanted(
        dataset.id if dataset else None,
        dataset.splits.get("train", 0) if dataset else 0,
        values.get("model", "") or MODELS.get(task, ("",))[0],
        values.get("on", ""),
        int(epochs) if epochs.isascii() and epochs.isdigit() and 0 < len(epochs) < 7 else 20,
    )
    rows = {one.id: one.splits.get("train", 0) for one in known.datasets.values()}
    return estimate(wanted, known.runs, rows), wanted


def estimate_text(known: Known, values: Mapping[str, str]) -> str:
    """`About 9m 00s, about $0.17 (measured: 27 s an epoch on box-1)`, or that nothing is known."""
    found, wanted = estimated(known, values)
    if found.seconds is None or found.epoch_s is None:
        where = clean_line(wanted.instance) or "this machine"
        return f"No measurement yet of {wanted.model or 'this'} on {where}."
    machine = known.machines.get(wanted.instance)
    cost = found.usd(machine.price_usd_per_hour if machine else None)
    money = "" if cost is None else f", about ${fmt.money(cost)}"
    epoch = f"{fmt.number(found.epoch_s)} s an epoch"
    by = "measured" if found.ground == "measured" else "from other data, scaled by rows"
    return f"About {fmt.duration(found.seconds)}{money} ({by}: {epoch} on {clean_line(wanted.instance)})"
