"""What will happen, told before it is done: pure builders, by the name that `Action.confirm` holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run


def _names(records: Sequence[Any]) -> str:
    return records[0].name if len(records) == 1 else f"{len(records)} of them"


def stop_runs(runs: Sequence[Run]) -> str:
    """For `run.stop`."""
    machines = ", ".join(sorted({name for run in runs for name in run.instances})) or "its machine"
    return (
        f"Stops {_names(runs)} on {machines}. It writes a checkpoint where it can; resume goes on from there."
    )


def delete_runs(runs: Sequence[Run]) -> str:
    """For `run.delete`."""
    return f"Moves {_names(runs)} to the trash. Nothing is lost until it is emptied; restore undoes it."


def abandon_runs(runs: Sequence[Run]) -> str:
    """For `run.abandon`."""
    machines = ", ".join(sorted({name for run in runs for name in run.instances})) or "its machine"
    return (
        f"Takes {machines} for gone: {_names(runs)} is lost then, with all that is not here yet."
        " Where the machine comes back after all, so does what it knows."
    )


def forget_instances(instances: Sequence[Instance]) -> str:
    """For `instance.forget`."""
    return (
        f"Takes {_names(instances)} off the list. Its runs stay here; nothing is done on the machine."
        " What lies only there (results that were left, data read in place) is out of reach then."
    )


def clear_budgets(_records: Sequence[object]) -> str:
    """For `budget.clear`."""
    return "Takes all budgets away. Whatever is asked for is rented then, whatever it costs."


def stop_engine(_records: Sequence[object]) -> str:
    """For `engine.stop`."""
    return "Ends the engine. Work on hosts goes on; nothing new arrives here until an engine runs again."


def delete_view(asked: Sequence[Mapping[str, Any]]) -> str:
    """For `view.delete`: of what was asked for, since nothing is selected."""
    name = asked[0]["name"]
    return f"Forgets “{name}”. No run changes, and its filter stays among those that were used before."


CONSEQUENCES: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "run.stop": stop_runs,
    "run.delete": delete_runs,
    "run.abandon": abandon_runs,
    "instance.forget": forget_instances,
    "budget.clear": clear_budgets,
    "engine.stop": stop_engine,
    "view.delete": delete_view,
}


def consequence(name: str, records: Sequence[object]) -> str:
    """The sentence to confirm, or empty where nothing needs to be confirmed."""
    return CONSEQUENCES[name](records) if name else ""
