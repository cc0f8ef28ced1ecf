"""What starts, ends and catches up with runs: each commits an operation and sees that an engine runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudtui.handlers import instance as instances
from cloudtui.handlers import values
from cloudtui.handlers.follow import deliver, follow_run, not_refused
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run


def train(
    session: Session,
    dataset: str,
    *,
    on: Sequence[str] = ("local",),
    task: str | None = None,
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
    gpus: str = "auto",
    weights: str | None = None,
    pull: str = "best",
    pull_max: str | int = "2GB",
    then: Sequence[str] = (),
    then_max_drop: float = 0.5,
    name: str | None = None,
    follow: bool = False,
) -> Run:
    """Train with the bundled trainer."""
    from cloudtui_engine.runs import commands, follow_up

    found = session.catalog.datasets.find(dataset)
    run = commands.start_training(
        session.catalog,
        dataset=found,
        instances=_one_machine(session, on),
        task=task,
        model=model,
        params=values.params(params),
        name=values.free_run_name(session, name),
        gpus=gpus,
        weights=session.catalog.models.find(weights) if weights else None,
        pull=pull,
        pull_max=values.size(pull_max),
        then=follow_up.plan(then or (), then_max_drop),
    )
    return accepted(session, run, follow)


def script(
    session: Session,
    command: Sequence[str],
    *,
    on: Sequence[str] = ("local",),
    dir: str | None = None,  # noqa: A002 - the name of its option
    python: str | None = None,
    setup: str | None = None,
    env: Mapping[str, str] | None = None,
    secret: Sequence[str] | Mapping[str, str] = (),
    gpus: str | None = None,
    name: str | None = None,
    follow: bool = False,
) -> Run:
    """Run the user's own command. The values of secrets go to the engine's memory and nowhere else."""
    from cloudtui_engine.runs import commands

    if not command:
        raise UsageError("There is no command to run.", "Write it after --, for instance: -- python train.py")
    folder = Path(dir).expanduser() if dir else None
    if folder is not None and not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", "Give the folder to ship with --dir.")
    machines = _one_machine(session, on)
    secrets = secret_values(secret, session.ask_secret)
    run = commands.start_script(
        session.catalog,
        instances=machines,
        folder=folder,
        command=list(command),
        python=python or "",
        setup=setup or "",
        env={key: str(value) for key, value in (env or {}).items()},
        secrets=list(secrets),
        name=values.free_run_name(session, name),
        gpus=gpus,
    )
    return accepted(session, run, follow, secrets)


def secret_values(
    names: Sequence[str] | Mapping[str, str], ask: Callable[[str], str | None] | None = None
) -> dict[str, str]:
    """Each secret's value: as given, from the environment, or from the person.

    Raises:
        UsageError: one has no value, or its name cannot be an environment variable's.
    """
    given = dict(names) if isinstance(names, Mapping) else {}
    found = {}
    for name in names or ():
        if not name.isidentifier() or not name.isascii():
            alone, equals, _ = name.partition("=")  # what may be its value is never told
            raise UsageError(
                f"'{alone}{equals}' cannot be the name of an environment variable.",
                "Give NAME, not its value: that is taken from your environment, or asked for.",
            )
        value = given.get(name) or os.environ.get(name) or (ask(name) if ask else None)
        if not value:
            raise UsageError(
                f"The secret {name} has no value.", f"Set it in your environment: export {name}=..."
            )
        found[name] = value
    return found


def resume(session: Session, run: str, onto: str | None = None, follow: bool = False) -> Run:
    """Go on from the newest checkpoint: where the run was, or on another machine.

    Raises:
        RefusedError: it is live or has succeeded; or its machine, or the other one, is gone or cannot run it.
    """
    from cloudtui_engine.runs import commands

    found = session.catalog.runs.find(run)
    before = session.catalog.runs.attempt(found.id, found.attempt).instance_id
    instead = {before: instances.find(session, onto).id} if onto else None
    secrets = _secrets_of(session, found)
    return accepted(session, commands.resume(session.catalog, found, instead), follow, secrets)


def again(
    session: Session,
    run: str,
    params: Mapping[str, Any] | None = None,
    name: str | None = None,
    follow: bool = False,
) -> Run:
    """A new run with the same settings, or some changed."""
    from cloudtui_engine.runs import commands

    found = session.catalog.runs.find(run)
    secrets = _secrets_of(session, found)
    fresh = commands.again(session.catalog, found, values.params(params), values.free_run_name(session, name))
    return accepted(session, fresh, follow, secrets)


def stop(session: Session, run: str) -> Run:
    """Ask a run to stop."""
    from cloudtui_engine.runs import commands

    found = session.catalog.runs.find(run)
    commands.stop(session.catalog, found)
    session.ensure_engine()
    return session.catalog.runs.get(found.id)


def pull(session: Session, run: str, names: Sequence[str] = ()) -> Run | Operation:
    """Bring here what was left on the host; waits for it."""
    from cloudtui_engine.runs import upkeep

    found = session.catalog.runs.find(run)
    operations = upkeep.pull(session.catalog, found, list(names or ()))
    if not session.wait:
        session.ensure_engine()
        return operations[-1] if operations else found
    for operation in operations:
        session.finish(operation)
    return session.catalog.runs.get(found.id)


def abandon(session: Session, run: str, yes: bool = False) -> Run:
    """Take the machine of a run for gone."""
    from cloudtui_engine.runs import upkeep

    found = session.catalog.runs.find(run)
    values.need_yes(
        session,
        yes,
        f"{found.name} is lost then, with all that is not here yet: its machine is taken for gone.",
    )
    upkeep.abandon(session.catalog, found)
    return session.catalog.runs.get(found.id)


def sync(session: Session) -> Operation:
    """Have the engine catch up with every host once."""
    from cloudtui_engine import operations

    operation = operations.submit(session.catalog, "run.sync", "", {})
    return _waited(session, operation)


def import_jobs(session: Session, source: str = "local") -> list[Run] | Operation:
    """Take up jobs that lie on a machine and are not in this catalog."""
    from cloudtui_engine import operations

    machine = instances.find(session, source)
    operation = _waited(session, operations.submit(session.catalog, "run.import", machine.id, {}))
    if not operation.state.is_finished:
        return operation
    return [session.catalog.runs.get(str(run_id)) for run_id in operation.result.get("runs", ())]


def accepted(session: Session, run: Run, follow: bool, secrets: Mapping[str, str] | None = None) -> Run:
    """The run once an engine has it in hand; with `follow`, once it is over.

    Raises:
        CloudtuiError: the host has no GPU free for it, or cannot do what was asked.
    """
    session.ensure_engine()
    if secrets:
        deliver(session, run, secrets)
    if not session.wait:
        return session.catalog.runs.get(run.id)
    return follow_run(session, run) if follow else not_refused(session, run)


def _secrets_of(session: Session, run: Run) -> dict[str, str]:
    return secret_values(list(run.spec.get("secrets") or ()), session.ask_secret)


def _waited(session: Session, operation: Operation) -> Operation:
    if session.wait:
        return session.finish(operation)
    session.ensure_engine()
    return operation


def _one_machine(session: Session, texts: Sequence[str]) -> list[Instance]:
    machines = instances.find_all(session, [texts] if isinstance(texts, str) else texts)
    if len(machines) != 1:
        raise UsageError(
            f"A run takes exactly one machine for now, and {len(machines)} were named.",
            "Several machines in one run come later; start one run on each.",
        )
    return machines
