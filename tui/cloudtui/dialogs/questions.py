"""Questions of operations, asked one after the other; each only once, until somebody asks for it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.screen import ModalScreen

from cloudtui.actions import get
from cloudtui.bridge import Bridge
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.copied import CopiedDialog
from cloudtui.dialogs.host_key import HostKeyDialog, SecretDialog
from cloudtui.handlers.questions import INSTALLATION, LOGIN
from cloudtui.menus import shown_key
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.sanitize import clean_line


async def ask_all(app: App[Any], bridge: Bridge, asked: set[str]) -> None:
    """Put every open question that was not put yet."""
    waiting = await bridge.in_thread(
        lambda: bridge.catalog.operations.list(50, states=(OperationState.NEEDS_YOU,))
    )
    for operation in waiting:
        key = f"{operation.id}:{sorted(operation.question.items())}"
        if key in asked:
            continue
        asked.add(key)
        try:
            await _ask(app, bridge, operation)
        except CloudtuiError as error:
            app.notify(
                clean_line(error.hint) or " ", title=clean_line(error.message), severity="error", markup=False
            )


async def _ask(app: App[Any], bridge: Bridge, operation: Operation) -> None:
    from cloudtui_engine import operations

    answer: Any = await app.push_screen_wait(_dialog(operation.question))
    if answer is None:
        return
    if operation.question.get("kind") == LOGIN:
        if answer:
            _log_in(app, bridge, operation.question)
            await bridge.in_thread(operations.answer, bridge.catalog, operation.id, {"given": True})
            await bridge.in_thread(operations.ensure_engine, bridge.paths)
        else:
            await bridge.in_thread(operations.cancel, bridge.catalog, operation.id)
        return
    if operation.question.get("kind") == "host_key":
        if answer:
            await bridge.in_thread(operations.answer, bridge.catalog, operation.id, {"accept": True})
            await bridge.in_thread(operations.ensure_engine, bridge.paths)
        else:
            await bridge.in_thread(operations.cancel, bridge.catalog, operation.id)
        return
    if operation.question.get("kind") == INSTALLATION:
        await bridge.in_thread(_claim, bridge, answer == "moved")
        return
    name = str(operation.question.get("kind", "secret"))
    await bridge.in_thread(operations.send_secrets, bridge.paths, operation.id, {name: str(answer)})
    await bridge.in_thread(operations.answer, bridge.catalog, operation.id, {"given": True})


def _log_in(app: App[Any], bridge: Bridge, question: Mapping[str, Any]) -> None:
    """Not in a thread: there is no desktop meanwhile."""
    from cloudtui.handlers.login import log_in
    from cloudtui.lending import lend

    name = clean_line(str(question.get("name", "")), 80)

    def work() -> None:
        try:
            log_in(bridge.paths, name, question.get("address") or {})
        except CloudtuiError as error:
            # Not the command that does the same: the machine may only just be added.
            error.hint = f"It waits for you: {shown_key(get('home.questions'))} on the desktop asks again."
            raise

    lend(app, name, work, "connect")


def _claim(bridge: Bridge, moved: bool) -> None:
    """Which of two homes this is; all that waited for that goes on."""
    from cloudtui_engine import operations
    from cloudtui_engine.fleet import commands

    commands.claim_installation(bridge.catalog, bridge.paths, moved=moved)
    operations.ensure_engine(bridge.paths)


def _dialog(question: Mapping[str, Any]) -> ModalScreen[Any]:
    host = str(question.get("host", "the machine"))
    if question.get("kind") == "host_key":
        return HostKeyDialog(host, str(question.get("fingerprint", "")))
    if question.get("kind") == INSTALLATION:
        return CopiedDialog(str(question.get("text", "")))
    if question.get("kind") == LOGIN:
        name = clean_line(str(question.get("name", host)), 80)
        said = f"{clean_line(str(question.get('text', '')), 300)} Your own ssh asks in this terminal."
        return ConfirmDialog(f"Log in to {name}?", said, "Log in")
    kind = clean_line(str(question.get("kind", "answer")), 40)
    return SecretDialog(f"{host} asks for: {kind}", str(question.get("text", "")))
