"""`instance.clean`: what of ours lies on a host, what of it may go, and its removal."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine import kept
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import AuthError, CloudtuiError, HostKeyError, NotFoundError, UnreachableError
from cloudtui_engine.handlers import stage
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.hosts import replies, shipping
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import LOCAL
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.records.run import ON_HOST, Attempt
from cloudtui_engine.runs import cleaning

SIZING_S = 960.0
LINK_S = 30.0
MOST = 100_000
"""A host that lists more is not listened to any longer."""
_NAME = re.compile(
    r"(?:host|trainer|script|model|data|env|wheels)/[0-9a-f]{8,64}|jobs/[a-z0-9][a-z0-9-]{0,63}/a[0-9]{4}",
    re.ASCII,
)
_OPEN = tuple(state for state in OperationState if not state.is_finished)
_DOUBTS = frozenset({"artifacts_passed_over", "journal_rewritten"})


def clean(context: Context, operation: Operation) -> Mapping[str, Any]:
    """List, and remove those of `args["remove"]` that may still go when it comes to it.

    Returns:
        `{"entries": [{"name", "size_bytes", "goes", "why"}], "untouched": [...], "removed": None where
        nothing was to be removed, else how many went, "bytes": what may go, or went}`.
    """
    link = context.links.to(operation.target)
    report = context.reporter(operation)
    wanted = operation.args.get("remove")
    try:
        with link.session(LINK_S) as session:
            report("Looking at what lies there", None, None)
            lying, untouched = _inventory(session)
            lying += _kept_here(context, operation.target)
            entries = cleaning.plan(lying, _known(context.catalog, operation.target, lying))
            removed = None
            if isinstance(wanted, list):
                with link.put_lock:
                    # What began to be needed before the lock was ours has found it there, and counts on it.
                    entries = cleaning.plan(lying, _known(context.catalog, operation.target, lying))
                    entries, removed = _remove(context, operation, session, entries, frozenset(wanted))
    except PassphraseError as error:
        raise passphrase_question(error, operation.target) from None
    return {
        "entries": [dataclasses.asdict(entry) for entry in entries],
        "untouched": untouched,
        "removed": removed,
        "bytes": sum(entry.size_bytes for entry in entries if entry.goes),
    }


def _inventory(session: Session) -> tuple[list[cleaning.Lying], list[str]]:
    """All pages; what has no name of ours is passed over."""
    lying: list[cleaning.Lying] = []
    after = ""
    while True:
        page = session.request("inventory", {"after": after}, timeout=SIZING_S)
        for one in replies.objects(page, "entries"):
            name = one.get("name")
            if isinstance(name, str) and _NAME.fullmatch(name) and len(lying) < MOST:
                state = replies.text(one, "state") if one.get("state") else ""
                lying.append(cleaning.Lying(name, replies.whole(one, "size_bytes"), state))
        following = page.get("next")
        if not isinstance(following, str) or following <= after or len(lying) >= MOST:
            return lying, replies.texts(page, "unknown")
        after = following


def _kept_here(context: Context, instance_id: str) -> list[cleaning.Lying]:
    """The checkpoints that were brought to this machine, where it is the one that is cleaned."""
    if context.catalog.instances.get(instance_id).name != LOCAL:
        return []
    return [
        cleaning.Lying(f"{cleaning.KEPT}/{run_id}", kept.Kept(context.paths, run_id).size_bytes)
        for run_id in sorted(kept.runs_with(context.paths))
    ]


def _known(catalog: Catalog, instance_id: str, lying: Sequence[cleaning.Lying]) -> cleaning.Known:
    machine = catalog.instances.get(instance_id).machine_id
    same = {
        one.id
        for one in catalog.instances.list(include_forgotten=True)
        if machine and one.machine_id == machine
    }
    waiting = catalog.runs.open_attempts()
    return cleaning.Known(
        attempts={key: over for one in lying if (key := one.attempt) and (over := _over(catalog, key))},
        current=stage.own_folders() | {f"host/{shipping.pack('cloudtui_host').sha}"},
        needed=_needed(catalog, instance_id, waiting),
        here=frozenset(_here(catalog)),
        runs={key: over for key in kept.runs_with(catalog.paths) if (over := _over_now(catalog, key))},
        busy=any(one.state in ON_HOST and one.instance_id in same | {instance_id} for one in waiting),
    )


def _over_now(catalog: Catalog, run_id: str) -> cleaning.Over | None:
    """As its newest attempt is; None: there is no such run."""
    try:
        return _over(catalog, (run_id, catalog.runs.newest_attempt(run_id)))
    except NotFoundError:
        return None


def _over(catalog: Catalog, key: cleaning.Key) -> cleaning.Over | None:
    try:
        run, attempt = catalog.runs.get(key[0]), catalog.runs.attempt(*key)
    except NotFoundError:
        return None
    files = catalog.runs.artifacts(*key)
    return cleaning.Over(
        state=attempt.state,
        run_status=run.status,
        is_script=run.kind == "script",
        is_deleted=run.deleted_at is not None,
        left_there=sum(1 for file in files if not _is_here(catalog, file.local, file.sha256)),
        has_doubts=any(event.name in _DOUBTS for event in catalog.events.list(run.id, limit=20_000)),
        is_worked_on=bool(catalog.operations.open_for(run.id)),
    )


def _is_here(catalog: Catalog, local: str | None, sha256: str) -> bool:
    """A row may say so and the file be gone: then the host has the only one."""
    return local is not None and catalog.paths.file(sha256).is_file()


def _needed(catalog: Catalog, instance_id: str, waiting: Sequence[Attempt]) -> dict[str, str]:
    """What waits or runs, on this host or another: content has one name everywhere."""
    needed = {
        f"data/{one.sha256}": f"The only copy of {one.name} v{one.version}: nothing could bring it back."
        for one in catalog.datasets.list()
        if not one.is_here
    }
    for attempt in waiting:
        run = catalog.runs.get(attempt.run_id)
        why = f"{run.name} needs it."
        if run.dataset_id:
            needed[f"data/{catalog.datasets.get(run.dataset_id).sha256}"] = why
        if run.model_id or attempt.number > 1:
            needed["model/"] = why
        folder = run.spec.get("folder")
        if isinstance(folder, Mapping):
            needed[f"script/{folder.get('sha256')}"] = why
    for operation in catalog.operations.list(10_000, states=_OPEN):
        if operation.kind == "dataset.push":
            needed[f"data/{catalog.datasets.get(operation.target).sha256}"] = "It is being sent."
        if operation.target == instance_id and operation.kind != "instance.clean":
            needed["wheels/"] = needed["env/"] = "The machine is being worked on."
    return needed


def _here(catalog: Catalog) -> list[str]:
    found = [
        f"data/{one.sha256}"
        for one in catalog.datasets.list()
        if (catalog.paths.data / one.sha256 / "manifest.json").is_file()
    ]
    scripts = catalog.paths.scripts
    return found + ([f"script/{one.name}" for one in scripts.iterdir()] if scripts.is_dir() else [])


def _remove(
    context: Context,
    operation: Operation,
    session: Session,
    entries: Sequence[cleaning.Entry],
    wanted: frozenset[str],
) -> tuple[list[cleaning.Entry], int]:
    """Remove what may go and was asked for; what the host will not let go of stays, with its reason."""
    report = context.reporter(operation)
    going = [entry for entry in entries if entry.goes and entry.name in wanted]
    said: dict[str, str] = {}
    for done, entry in enumerate(going):
        if context.closing.is_set():
            raise Withdrawn
        report("Removing", done, len(going))
        kind, _, run_id = entry.name.partition("/")
        if kind == cleaning.KEPT:
            kept.Kept(context.paths, run_id).drop()
            continue
        try:
            session.request("remove", {"name": entry.name}, timeout=SIZING_S)
        except (UnreachableError, HostKeyError, AuthError):
            raise
        except CloudtuiError as error:
            said[entry.name] = error.message
            continue
        _forget_copy(context.catalog, operation.target, entry.name)
    gone = {entry.name for entry in going} - said.keys()
    left = [
        entry
        if entry.name in gone
        else dataclasses.replace(entry, goes=False, why=said.get(entry.name, entry.why))
        for entry in entries
    ]
    return left, len(gone)


def _forget_copy(catalog: Catalog, instance_id: str, name: str) -> None:
    kind, _, sha256 = name.partition("/")
    dataset = catalog.datasets.by_sha(sha256) if kind == "data" else None
    if dataset is not None:
        catalog.datasets.drop_copy(dataset.id, instance_id)
