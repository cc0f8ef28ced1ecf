"""What will happen, told before it is done: pure builders, by the name that `Action.confirm` holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run


@dataclass(frozen=True, slots=True)
class Stakes:
    """What goes with a machine that is stopped or terminated: more than its own row knows."""

    instance: Instance
    live: tuple[str, ...] = ()
    """Runs that work on it."""
    unpulled: tuple[str, ...] = ()
    """Results that lie there alone, as `resnet-base (3 files)`."""
    runs: tuple[str, ...] = ()
    """The ids of all of these runs."""

    @property
    def name(self) -> str:
        """The machine's."""
        return self.instance.name


_SHOWN = 8


def _names(records: Sequence[Any]) -> str:
    """Told by name: what is marked may have scrolled out of sight."""
    return _some([record.name for record in records])


def stop_runs(runs: Sequence[Run]) -> str:
    """For `run.stop`."""
    machines = ", ".join(sorted({name for run in runs for name in run.instances})) or "its machine"
    silent = any(run.stale_since is not None for run in runs)
    return (
        f"Stops {_names(runs)} on {machines}. It writes a checkpoint where it can; resume goes on from there."
        + (" What does not answer now is told as soon as it does." if silent else "")
    )


def delete_runs(runs: Sequence[Run]) -> str:
    """For `run.delete`."""
    its = "its" if len(runs) == 1 else "their"
    return (
        f"Moves {_names(runs)} to the trash, and {its} models out of sight."
        " Nothing is lost until it is emptied; restore undoes it."
    )


def abandon_runs(runs: Sequence[Run]) -> str:
    """For `run.abandon`."""
    machines = ", ".join(sorted({name for run in runs for name in run.instances})) or "its machine"
    are = "is" if len(runs) == 1 else "are"
    return (
        f"Takes {machines} for gone: {_names(runs)} {are} lost then, with all that is not here yet."
        " Where the machine comes back after all, so does what it knows."
    )


def forget_instances(instances: Sequence[Instance]) -> str:
    """For `instance.forget`."""
    return (
        f"Takes {_names(instances)} off the list. Its runs stay here; nothing is done on the machine."
        " What lies only there (results that were left, data read in place) is out of reach then."
    )


def start_instances(instances: Sequence[Instance]) -> str:
    """For `instance.start`."""
    price = _per_hour(instances)
    return f"Starts {_names(instances)}. {f'It costs {price}' if price else 'It costs money'} from then on."


def stop_instances(stakes: Sequence[Stakes]) -> str:
    """For `instance.stop`."""
    price = _per_hour([one.instance for one in stakes])
    saved = f" It costs {price} less then." if price else ""
    return (
        f"Stops {_names(stakes)}. The disk stays, and is paid for.{saved}"
        f"{_cut_off(stakes)}{' They go on from their checkpoints with resume.' if _live(stakes) else ''}"
    )


def terminate_instances(stakes: Sequence[Stakes]) -> str:
    """For `instance.terminate`."""
    lost = [one for each in stakes for one in each.unpulled]
    gone = f" Lost for ever, since nothing else has it: {_some(lost)}." if lost else ""
    safe = "" if lost or _live(stakes) else " All its results are here."
    price = _per_hour([one.instance for one in stakes])
    saved = f" It costs {price} less then." if price else ""
    return f"Ends {_names(stakes)} and gives back the disk.{_cut_off(stakes)}{gone}{safe}{saved}"


def _live(stakes: Sequence[Stakes]) -> list[str]:
    return [name for one in stakes for name in one.live]


def _cut_off(stakes: Sequence[Stakes]) -> str:
    live = _live(stakes)
    return f" Cuts off what runs there: {_some(live)}." if live else ""


def _some(names: Sequence[str]) -> str:
    left = len(names) - _SHOWN
    if left > 0:
        return ", ".join(names[:_SHOWN]) + f" and {left} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _per_hour(instances: Sequence[Instance]) -> str:
    prices = [one.price_usd_per_hour for one in instances if one.price_usd_per_hour]
    return f"${sum(prices):,.2f} an hour" if prices else ""


def clear_budgets(_records: Sequence[object]) -> str:
    """For `budget.clear`."""
    return "Takes all budgets away. Whatever is asked for is rented then, whatever it costs."


def stop_engine(_records: Sequence[object]) -> str:
    """For `engine.stop`."""
    return (
        "Ends the engine. Work on hosts goes on; nothing new arrives here until an engine runs again."
        " Forwarded ports are closed."
    )


def delete_view(asked: Sequence[Mapping[str, Any]]) -> str:
    """For `view.delete`: of what was asked for, since nothing is selected."""
    name = asked[0]["name"]
    return f"Forgets “{name}”. No run changes, and its filter stays among those that were used before."


CONSEQUENCES: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "run.stop": stop_runs,
    "run.delete": delete_runs,
    "run.abandon": abandon_runs,
    "instance.forget": forget_instances,
    "instance.start": start_instances,
    "instance.stop": stop_instances,
    "instance.terminate": terminate_instances,
    "budget.clear": clear_budgets,
    "engine.stop": stop_engine,
    "view.delete": delete_view,
}


def consequence(name: str, records: Sequence[object]) -> str:
    """The sentence to confirm, or empty where nothing needs to be confirmed."""
    return CONSEQUENCES[name](records) if name else ""
