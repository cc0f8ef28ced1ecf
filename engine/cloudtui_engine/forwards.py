"""What faces ask for of forwarded ports and of Jupyter: rows and operations; the engine does the rest.

The token of a Jupyter is made by the engine and lies in a file of this home that only its user can read; it
is in no row, no log and no command line.
"""

from __future__ import annotations

import contextlib
import html
import secrets
from pathlib import Path

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.durable import replace_file
from cloudtui_engine.errors import FailedError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.forward import END_JUPYTER, JUPYTER, LASTING, Forwarded
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation, OperationState


def ask_for(catalog: Catalog, kind: str, instance: Instance, remote: int = 0, local: int = 0) -> Operation:
    """Have a port forwarded, or Jupyter started; the one that there is already is the answer, too.

    Args:
        catalog: where it is asked for.
        kind: one of `LASTING`.
        instance: the machine.
        remote: the port there; 0 of a Jupyter.
        local: the port here; 0: any.
    """
    with catalog.write("operation"):
        for one in catalog.operations.open_for(instance.id):
            same = one.kind == kind and one.args["remote"] == remote
            if same and local in {0, one.args["local"], one.progress.get("local")}:
                return one
        return catalog.operations.submit(kind, instance.id, {"remote": remote, "local": local})


def live(catalog: Catalog, engine: int | None) -> list[Forwarded]:
    """All that somebody wants now, in the order in which it was asked for.

    Args:
        catalog: where it was asked for.
        engine: the process of the engine that lives, if one does.
    """
    return [told(catalog, one, engine) for one in catalog.operations.open_of(LASTING)]


def told(catalog: Catalog, operation: Operation, engine: int | None) -> Forwarded:
    """What an operation of a lasting kind says; the word of an engine that is gone counts no more."""
    progress = operation.progress if operation.progress.get("engine") == engine else {}
    state, why = str(progress.get("state") or "starting"), str(progress.get("why") or "")
    if operation.state is OperationState.NEEDS_YOU:
        state, why = "needs_you", str(operation.question.get("text") or "")
    elif engine is None:
        state, why = "waiting", "No engine runs."
    return Forwarded(
        operation.id,
        operation.target,
        catalog.instances.get(operation.target).name,
        "jupyter" if operation.kind == JUPYTER else "port",
        int(operation.progress.get("remote") or operation.args["remote"]),
        int(operation.progress.get("local") or 0),
        state,
        why,
        operation.created_at,
    )


def stop(catalog: Catalog, forwarded: Forwarded) -> None:
    """It is wanted no more; a Jupyter is ended on its host, by whichever engine reaches it."""
    with catalog.write("operation"):
        catalog.operations.finish(forwarded.id, {"stopped": True})
        if forwarded.kind == "jupyter":
            end_jupyter(catalog, forwarded.instance, forwarded.id)


def end_jupyter(catalog: Catalog, instance_id: str, operation_id: str) -> None:
    """Have the server of this operation ended on its host; asked for once."""
    args = {"of": operation_id}
    catalog.operations.submit(END_JUPYTER, instance_id, args, f"{END_JUPYTER}:{operation_id}")


def job_of(operation_id: str) -> str:
    """The job on the host that is the Jupyter of this operation; its name says that it is no work."""
    return f"jupyter-{operation_id.lower()}"


def address(paths: Paths, forwarded: Forwarded) -> str:
    """Where a browser finds it, the token of a Jupyter included."""
    plain = f"http://127.0.0.1:{forwarded.local}/"
    return f"{plain}?token={token(paths, forwarded.id)}" if forwarded.kind == "jupyter" else plain


def page(paths: Paths, forwarded: Forwarded) -> Path:
    """A file that leads a browser there: a token in a command line is for all to see."""
    return _written(_page_of(paths, forwarded.id), _leading(address(paths, forwarded)))


def _leading(where: str) -> str:
    quoted = html.escape(where, quote=True)
    return (
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0;url={quoted}"><a href="{quoted}">Open it</a>\n'
    )


# -- the token


def token(paths: Paths, operation_id: str) -> str:
    """The token of a Jupyter that was started.

    Raises:
        FailedError: it is not there any more.
    """
    try:
        return _file_of(paths, operation_id).read_text().strip()
    except OSError:
        raise FailedError(
            "The token of this Jupyter is not here any more.", "Stop it, and start it again.", code="no_token"
        ) from None


def make_token(paths: Paths, operation_id: str) -> str:
    """The token of a Jupyter that is started: the same one each time."""
    file = _file_of(paths, operation_id)
    if not file.exists():
        _written(file, secrets.token_urlsafe(32))
    return token(paths, operation_id)


def forget_token(paths: Paths, operation_id: str) -> None:
    """Nothing of it stays here."""
    for file in (_file_of(paths, operation_id), _page_of(paths, operation_id)):
        with contextlib.suppress(OSError):
            file.unlink()


def _file_of(paths: Paths, operation_id: str) -> Path:
    return paths.home / "jupyter" / operation_id


def _page_of(paths: Paths, operation_id: str) -> Path:
    return paths.home / "jupyter" / f"{operation_id}.html"


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return replace_file(file, text)
