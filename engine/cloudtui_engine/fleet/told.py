"""Who knows of a machine's deadline as the row has it: the engine, its cloud, the switch on the machine.

What the row says is told as soon as it can be (`instance.deadline`); until then what was told before counts.
Read from the operations that told it: of what a switch answered, never of what was asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet.deadlines import KIND
from cloudtui_engine.records.instance import Instance, Told
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_providers import registry
from cloudtui_providers.base import Capabilities
from cloudtui_providers.errors import ProviderError

_NEAR_S = 90.0
"""A switch counts seconds; what it says is that much near to what it was told."""
_NOT_NOW = {"not running", "over", "gone", "copy"}
"""Why a host was not asked, which is no answer of its."""


def told(catalog: Catalog, instance: Instance) -> tuple[Told, ...]:
    """Who knows, each with a sentence; empty where there is no end to know of."""
    if instance.is_gone or (instance.deadline_at is None and not instance.is_rented):
        return ()
    operations = catalog.operations.about(KIND, instance.id)
    can = _can(instance)
    found = []
    if instance.is_rented and instance.deadline_at is not None:
        found.append(Told("engine", True, "ends it, while one lives"))
    if can is not None and can.cloud_deadline:
        found.append(_cloud(instance, operations))
    return (*found, _machine(instance, operations, comes_with_it=can is not None and can.user_data))


def _can(instance: Instance) -> Capabilities | None:
    if not instance.is_rented:
        return None
    try:
        return registry.provider(instance.provider).capabilities
    except ProviderError:
        return None


def _cloud(instance: Instance, operations: Sequence[Operation]) -> Told:
    """It knows that of the launch, and is told of each other one that somebody asks for."""
    asked = next((one for one in operations if one.args.get("asked")), None)
    if asked is None:
        knows = bool(instance.launch_id)
        return Told("cloud", knows, "has it from the launch" if knows else "was never told")
    passed = asked.progress if not asked.state.is_finished else asked.result.get("cloud")
    return Told("cloud", bool(passed), "was told" if passed else _why_not(asked))


def _machine(instance: Instance, operations: Sequence[Operation], *, comes_with_it: bool) -> Told:
    """What its switch answered last; before that it is as the launch has made it."""
    answers = [one for one in operations if _answer(one)]
    said = next((one for one in answers if isinstance(_answer(one), Mapping)), None)
    if answers and answers[0] is not said:
        return Told("machine", False, f"does not end itself: {_answer(answers[0])}")
    if said is not None and _is_so(instance, _end_of(said)):
        return Told("machine", True, "its own switch knows")
    if said is None and comes_with_it and not any(one.args.get("asked") for one in operations):
        return Told("machine", True, "its own switch has it from the launch")
    waiting = _why_not(operations[0]) if operations and operations[0] is not said else "as soon as it answers"
    before = f"; its switch still {_still(_end_of(said))}" if said is not None else ""
    return Told("machine", False, f"not told yet: {waiting}{before}")


def _answer(operation: Operation) -> object:
    said = operation.result.get("host") if operation.state is OperationState.DONE else None
    return None if isinstance(said, str) and said in _NOT_NOW else said


def _end_of(operation: Operation) -> float | None:
    said = operation.result.get("host")
    left = said.get("left_s") if isinstance(said, Mapping) and said.get("armed") else None
    return None if not isinstance(left, int | float) else (operation.ended_at or 0.0) + left


def _is_so(instance: Instance, end: float | None) -> bool:
    if end is None or instance.deadline_at is None:
        return end is instance.deadline_at
    return abs(end - instance.deadline_at) <= _NEAR_S


def _still(end: float | None) -> str:
    return "never ends it" if end is None else f"ends it at {time.strftime('%H:%M', time.localtime(end))}"


def _why_not(operation: Operation) -> str:
    error = f"{operation.error.get('message', '')} {operation.error.get('hint', '')}".strip()
    return error or str(operation.progress.get("text") or "") or "as soon as an engine gets to it"
