"""`instance.launch`, `start`, `stop`, `terminate`, `fleet.reconcile`, `fleet.survey`: operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cloudtui_engine.fleet import commands, ending, installation, launching, letting_in, looking
from cloudtui_engine.fleet import survey as everyone
from cloudtui_engine.fleet.means import Interrupted, Means, Question
from cloudtui_engine.handlers.context import Asked, Context, Withdrawn
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.survey import SURVEY

KEPT_S, EVERYWHERE_KEPT_S = 900.0, 86_400.0
"""How long a look at a cloud stays among the operations: at where something lives, and at everything."""


def launch(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Make the machine of a launch, once, and wait until it can be reached."""
    with _story(context, operation) as means:
        return launching.launch(means, str(operation.args["launch"]))


def start(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Start a stopped machine."""
    with _story(context, operation) as means:
        return ending.start(means, operation.target)


def stop(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Stop a machine; its disk stays."""
    with _story(context, operation) as means:
        return ending.stop(means, operation.target)


def terminate(context: Context, operation: Operation) -> Mapping[str, Any]:
    """End a machine, and see that it has ended."""
    with _story(context, operation) as means:
        return ending.terminate(means, operation.target)


def let_in(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Open its firewall to this machine, from where it is now."""
    with _story(context, operation) as means:
        return letting_in.let_in(means, operation.target)


def reconcile(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Hold what a cloud lists against what is known."""
    _forget_old_looks(context)
    with _story(context, operation) as means:
        return looking.look(means, operation.target, everywhere=bool(operation.args.get("everywhere")))


def survey(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Ask a cloud for the machines of every home; the newest answer stays among the operations."""
    context.catalog.operations.prune_answers(SURVEY, context.clock.now() - KEPT_S)
    with _story(context, operation) as means:
        return everyone.ask(means, operation.target, context.reporter(operation))


@contextmanager
def _story(context: Context, operation: Operation) -> Iterator[Means]:
    """The means of a story; what it cannot go on without becomes the operation's state."""
    _hear(context, operation)
    try:
        yield Means(
            context.catalog, context.paths, context.closing, context.clock, _sayer(context, operation)
        )
    except Question as question:
        raise Asked(question.question) from None
    except Interrupted:
        raise Withdrawn from None


def _forget_old_looks(context: Context) -> None:
    operations, now = context.catalog.operations, context.clock.now()
    operations.prune("fleet.reconcile", now - KEPT_S)
    operations.prune("fleet.reconcile", now - EVERYWHERE_KEPT_S, {"everywhere": True})


def _hear(context: Context, operation: Operation) -> None:
    """What a person answered to the question whether this home is a copy."""
    moved = operation.answer.get("moved")
    if isinstance(moved, bool) and installation.is_copy(context.catalog, context.paths):
        commands.claim_installation(context.catalog, context.paths, moved=moved)
        if not moved:
            raise Withdrawn  # the machine is another home's


def _sayer(context: Context, operation: Operation) -> Callable[[str], None]:
    """Progress, written where it is another one: a story that waits says the same thing many times."""
    report = context.reporter(operation)
    said = ""

    def say(text: str) -> None:
        nonlocal said
        if text != said:
            said = text
            report(text, None, None)

    return say
