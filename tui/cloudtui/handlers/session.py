"""What a handler works with: one home, its catalog, and the person at the other end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudtui_engine.errors import CloudtuiError, RefusedError, from_dict
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.operation import Operation, OperationState

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

ENGINE_CHECK_S = 2.0
"""How often someone who waits sees that an engine still runs."""

OnProgress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said to a question; secrets go to the engine's memory and nowhere else."""

    reply: Mapping[str, object]
    secrets: Mapping[str, str] = field(default_factory=dict)


class LeftRunning(CloudtuiError):  # noqa: N818 - no error: the person has seen enough
    """Ctrl-C: this command ends; what was started goes on."""

    exit_status = 130
    code = "interrupted"


def _quiet(_text: str, _share: float | None) -> None:
    """Nobody looks."""


class Session:
    """One home, its catalog, and the person at the other end.

    Args:
        paths: the home.
        catalog: its catalog; without one it is opened on first use.
        interactive: a person can be asked.
        on_progress: told a line and, where it is known, the share that is done.
        ask: puts the question of an operation to the person; None is no answer.
        ask_secret: asks the person for the value of a secret by its name.
        wait: False lets handlers return the operation that they would wait for: the desktop does not wait.
    """

    def __init__(
        self,
        paths: Paths,
        catalog: Catalog | None = None,
        *,
        interactive: bool = False,
        on_progress: OnProgress = _quiet,
        ask: Callable[[Operation], Answer | None] | None = None,
        ask_secret: Callable[[str], str | None] | None = None,
        wait: bool = True,
    ) -> None:
        self.paths = paths
        self.interactive = interactive
        self.on_progress = on_progress
        self.wait = wait
        self._ask = ask
        self.ask_secret = ask_secret if interactive else None
        self._catalog = catalog
        self._owned = catalog is None

    @property
    def catalog(self) -> Catalog:
        """The catalog, opened when it is first needed."""
        if self._catalog is None:
            from cloudtui_engine.catalog import Catalog

            self._catalog = Catalog.open(self.paths)
        return self._catalog

    def close(self) -> None:
        """Close the catalog, if this session opened it."""
        if self._catalog is not None and self._owned:
            self._catalog.close()
            self._catalog = None

    def ensure_engine(self) -> None:
        """See that an engine runs."""
        from cloudtui_engine import operations

        operations.ensure_engine(self.paths)

    def finish(
        self, operation: Operation, reached: Callable[[Operation], bool] = lambda _operation: False
    ) -> Operation:
        """The operation when it is done, or as far as it was waited for; its questions go to the person.

        Args:
            operation: to be waited for.
            reached: whether it is far enough.

        Raises:
            CloudtuiError: it failed, was cancelled, or asked what nobody here can answer.
            LeftRunning: ctrl-c; the engine goes on with it.
        """
        try:
            return self._finish(operation, reached)
        except KeyboardInterrupt:
            raise LeftRunning(
                "Stopped waiting; the engine goes on with it.", "See what it does: cloudtui engine status"
            ) from None

    def _finish(self, operation: Operation, reached: Callable[[Operation], bool]) -> Operation:
        from cloudtui_engine import operations

        while not operation.state.is_finished and not reached(operation):
            self.ensure_engine()
            operation = operations.wait(
                self.catalog,
                operation.id,
                timeout=ENGINE_CHECK_S,
                on_change=self._show_progress,
                reached=reached,
            )
            if operation.state is OperationState.NEEDS_YOU:
                self.answer(operation)
        if operation.state is OperationState.FAILED:
            raise from_dict(operation.error)
        if operation.state is OperationState.CANCELLED:
            raise RefusedError("It was cancelled.", "Start it again if you want it.", code="cancelled")
        return operation

    def answer(self, operation: Operation) -> None:
        """Put the question of an operation to the person; without an answer it is cancelled.

        Raises:
            CloudtuiError: nobody answered; says what would have helped.
        """
        from cloudtui.handlers import questions
        from cloudtui_engine import operations

        if operation.question.get("kind") == questions.INSTALLATION:
            raise questions.refusal(operation)  # it waits on: who has the other home has to think first
        answer = self._answered(operation)
        if answer is None:
            operations.cancel(self.catalog, operation.id)
            raise questions.refusal(operation)
        if answer.secrets:
            subject = str(operation.question.get("subject") or operation.id)
            operations.send_secrets(self.paths, subject, answer.secrets)
        operations.answer(self.catalog, operation.id, answer.reply)

    def _answered(self, operation: Operation) -> Answer | None:
        from cloudtui.handlers import questions

        if self._ask is None or not self.interactive or questions.contradicts(operation):
            return None
        if operation.question.get("kind") != questions.LOGIN:
            return self._ask(operation)
        from cloudtui.handlers import login

        return Answer({"given": True}) if login.answered(self, operation.question) else None

    def _show_progress(self, operation: Operation) -> None:
        text = str(operation.progress.get("text", ""))
        done, total = operation.progress.get("done"), operation.progress.get("total")
        if text:
            self.on_progress(text, float(done) / float(total) if done is not None and total else None)
