"""Operations carried out: each on a thread of its own, in order for what they act on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from cloudtui_engine.accounts import Bookkeeper
from cloudtui_engine.deciders import decide
from cloudtui_engine.errors import CatalogError, CloudtuiError, FailedError
from cloudtui_engine.handlers import deadline, enrol, forwarding, go_on, market, notebook, rent, tell
from cloudtui_engine.handlers.clean import clean
from cloudtui_engine.handlers.context import Asked, Context, Withdrawn
from cloudtui_engine.handlers.fetch import fetch
from cloudtui_engine.handlers.keep import keep
from cloudtui_engine.handlers.prepare import prepare
from cloudtui_engine.handlers.pull import pull
from cloudtui_engine.handlers.push import push
from cloudtui_engine.handlers.rebuild import rebuild
from cloudtui_engine.handlers.rekey import rekey
from cloudtui_engine.handlers.start import give_up, start
from cloudtui_engine.handlers.stop import stop
from cloudtui_engine.handlers.sync import sync
from cloudtui_engine.records.operation import Operation, OperationState

log = logging.getLogger(__name__)

Handler = Callable[[Context, Operation], Mapping[str, Any]]

HANDLERS: dict[str, Handler] = {
    "instance.add": enrol.add,
    "instance.probe": enrol.probe,
    "instance.prepare": prepare,
    "instance.clean": clean,
    "instance.launch": rent.launch,
    "instance.start": rent.start,
    "instance.stop": rent.stop,
    "instance.terminate": rent.terminate,
    "instance.replace": go_on.replace,
    "instance.deadline": deadline.tell,
    "instance.open": rent.let_in,
    "instance.rekey": rekey,
    "instance.forward": forwarding.forward,
    "instance.jupyter": notebook.jupyter,
    "instance.jupyter_end": notebook.end,
    "fleet.reconcile": rent.reconcile,
    "fleet.survey": rent.survey,
    "provider.offers": market.offers,
    "provider.check": market.check,
    "dataset.fetch": fetch,
    "dataset.push": push,
    "notify.command": tell.command,
    "notify.webhook": tell.webhook,
    "run.start": start,
    "run.stop": stop,
    "run.keep": keep,
    "run.resume": go_on.resume,
    "run.pull": pull,
    "run.sync": sync,
    "run.import": rebuild,
}
OVERTAKES = frozenset(
    {
        "run.stop",
        "run.keep",
        "instance.stop",
        "instance.terminate",
        "instance.open",
        "instance.deadline",
        "fleet.survey",
        "provider.offers",
        "provider.check",
        "instance.forward",
        "instance.jupyter",
        "instance.jupyter_end",
    }
)
"""Kinds that do not wait for earlier operations on the same thing, and keep no later one waiting: a stop that
waits for a start is none, an end that waits costs money, and a deadline that waits for its host may be told
to nobody. A check that has a machine waits for looks at that cloud, so these must not wait for it. A run's
checkpoints are kept for as long as it runs."""
MOST_PICKUPS = 20
CATALOG_RETRY_S = 5.0
DECIDE_PAUSES = 20
"""After the deciders have looked they rest for so many times as long: with 200 machines a look takes 20 ms,
and the catalog changes all the time."""


class Dispatcher:
    """Takes up what is pending. `step` belongs to one thread, the engine's."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._busy: dict[str, threading.Thread] = {}
        self._targets: dict[str, str] = {}
        self._books = Bookkeeper(context.catalog, lambda: context.clock.now())
        self._decide_at = 0.0

    @property
    def busy(self) -> int:
        """How many operations are being carried out."""
        return sum(thread.is_alive() for thread in self._busy.values())

    def step(self) -> None:
        """Begin every pending operation whose turn it is, keep the books, then let the deciders look."""
        self._reap()
        taken: set[str] = set(self._targets.values())
        for operation in self._context.catalog.operations.pending():
            if operation.id in self._busy:
                continue
            if operation.kind in OVERTAKES or not operation.target or operation.target not in taken:
                self._begin(operation)
            if operation.kind not in OVERTAKES and operation.target:
                taken.add(operation.target)
        self._books.step()
        self._decide()

    def _decide(self) -> None:
        """Let the deciders look, unless that would take more than their share of a core: then later."""
        began = time.monotonic()
        if began >= self._decide_at:
            decide(self._context.catalog, self._context.clock)
            ended = time.monotonic()
            self._decide_at = ended + DECIDE_PAUSES * (ended - began)

    def _reap(self) -> None:
        for identifier, thread in list(self._busy.items()):
            if not thread.is_alive():
                # A thread that could not even write its failure (a full disk) leaves the operation undone.
                self._context.catalog.operations.requeue(identifier)
                del self._busy[identifier]
                self._targets.pop(identifier, None)

    def _begin(self, operation: Operation) -> None:
        operations = self._context.catalog.operations
        if operation.pickups >= MOST_PICKUPS:
            self._give_up(operation)
            return
        if not operations.take(operation.id):
            return
        thread = threading.Thread(
            target=self._carry_out, args=(operation.id,), name=operation.kind, daemon=True
        )
        self._busy[operation.id] = thread
        if operation.kind not in OVERTAKES and operation.target:
            self._targets[operation.id] = operation.target
        thread.start()

    def _give_up(self, operation: Operation) -> None:
        """Try it no more; a run that it was to bring to its host ends with it, and does not look alive."""
        died = FailedError(
            f"The engine died {operation.pickups} times over this.",
            "Look at the engine's log, then ask for it again.",
            code="engine_died",
        )
        with self._context.catalog.write("run", "operation"):
            self._context.catalog.operations.fail(operation.id, died.as_dict())
            if operation.kind == "run.start":
                give_up(self._context, operation, died)

    def _carry_out(self, operation_id: str) -> None:
        operations = self._context.catalog.operations
        operation = operations.get(operation_id)
        try:
            handler = HANDLERS[operation.kind]
            result = handler(self._context, operation)
        except Asked as asked:
            operations.ask(operation_id, asked.question)
        except Withdrawn:
            if not self._context.closing.is_set():
                operations.finish(operation_id, {"withdrawn": True})
        except CatalogError as error:
            log.error("%s: %s %s", operation.kind, error.message, error.hint)  # noqa: TRY400 - a sentence
            self._context.closing.wait(CATALOG_RETRY_S)
        except CloudtuiError as error:
            self._fail(operation_id, error.as_dict())
        except Exception as error:  # the end of a thread: a defect must end the operation, not hide in it
            log.exception("%s %s", operation.kind, operation_id)
            self._fail(
                operation_id,
                {
                    "code": "internal",
                    "message": f"A defect in cloudtui: {type(error).__name__}: {error}",
                    "hint": f"The engine's log says more: {self._context.paths.engine_log}",
                },
            )
        else:
            if operations.get(operation_id).state is OperationState.RUNNING:
                operations.finish(operation_id, dict(result))

    def _fail(self, operation_id: str, error: Mapping[str, str]) -> None:
        # An engine that is ending leaves what it could not do to the next one.
        if not self._context.closing.is_set():
            self._context.catalog.operations.fail(operation_id, dict(error))
