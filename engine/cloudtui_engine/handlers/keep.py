"""`run.keep`: checkpoints of a run on a machine whose disk goes with it, brought here as they are made."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine.errors import (
    AuthError,
    CloudtuiError,
    FailedError,
    HostKeyError,
    UnreachableError,
)
from cloudtui_engine.handlers.bring import OF_A_FILE
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.hosts import replies, transfer
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.kept import MOST_FILES, Kept, KeptFile, KeptSet, chosen
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Attempt, RunState

EVERY_S = 15.0
"""How often the host is asked which there are."""
SHARE = 9.0
"""After they came it rests so many times as long: a tenth of the way there is theirs at the most."""
HASHING_S = 300.0
POLL_S = 0.5
REFUSED_RETRY_S = 60.0
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NOT_YET = frozenset({RunState.QUEUED, RunState.STAGING, RunState.STARTING})


def keep(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Until the attempt has ended and its last checkpoint is here, or its machine is gone.

    Returns:
        `{"attempt", "step", "files"}` of the newest set that is here; null where there is none.

    Raises:
        FailedError: there is no room for them.
    """
    return _Keeping(context, operation).run()


class _Keeping:
    """One attempt, watched over."""

    def __init__(self, context: Context, operation: Operation) -> None:
        self._context = context
        self._runs = context.catalog.runs
        self._run = self._runs.get(operation.target)
        self._number = int(operation.args["attempt"])
        self._report = context.reporter(operation)
        self._kept = Kept(context.paths, self._run.id)
        self._rest_s = EVERY_S

    def run(self) -> Mapping[str, Any]:
        while not self._context.closing.is_set():
            attempt = self._attempt()
            machine = self._context.catalog.instances.get(attempt.instance_id)
            if attempt.state is RunState.SUCCEEDED:
                self._kept.drop()
                return {"attempt": None, "step": None, "files": 0}
            if machine.is_gone or machine.forgotten_at is not None:
                return self._result()
            if attempt.state in _NOT_YET:
                self._context.closing.wait(POLL_S)
                continue
            done = self._look(attempt)
            if done and attempt.state.is_finished:
                return self._result()
            self._wait(attempt, machine, POLL_S if not done else self._rest_s)
        raise Withdrawn

    def _look(self, attempt: Attempt) -> bool:
        """See what is there and bring it; False where that could not be done now."""
        try:
            with self._context.links.to(attempt.instance_id).session(20.0) as session:
                self._bring(session, attempt)
        except transfer.Cancelled:
            raise Withdrawn from None
        except PassphraseError as error:
            raise passphrase_question(error, attempt.instance_id) from None
        except (HostKeyError, AuthError) as error:
            self._report(f"Its checkpoints cannot be had. {error.message}", None, None)
            self._context.closing.wait(REFUSED_RETRY_S)
            return False
        except UnreachableError as error:
            self._report(f"Waiting for the host: {error.message}", None, None)
            return False
        except CloudtuiError as error:
            # The job goes on meanwhile: what it has replaced by a newer one is not there any more.
            if error.code in OF_A_FILE:
                return False
            text = f"Its checkpoints are not brought here any more. {error.message} {error.hint}"
            self._context.catalog.events.add(self._run.id, "warning", "not_kept", text)
            raise
        return True

    def _bring(self, session: Session, attempt: Attempt) -> None:
        at = time.time()
        args = {"job": self._run.id, "attempt": self._number}
        listed = checked(session.request("checkpoints", args, timeout=HASHING_S))
        wanted = chosen(self._run.kind, listed)
        newest = self._kept.newest()
        if not wanted or (newest is not None and newest.files == tuple(wanted)):
            self._rest_s = EVERY_S
            return
        begun = time.monotonic()
        self._fetch(attempt, self._kept.missing(wanted))
        found = KeptSet(self._number, at, tuple(wanted))
        self._kept.save(found)
        self._rest_s = max(EVERY_S, SHARE * (time.monotonic() - begun))
        self._report(f"The checkpoint{_of(found)} is here", None, None)

    def _fetch(self, attempt: Attempt, missing: Sequence[KeptFile]) -> None:
        self._kept.folder.mkdir(parents=True, exist_ok=True)
        need, free = sum(one.size_bytes for one in missing), shutil.disk_usage(self._kept.folder).free
        if need > free:
            raise FailedError(
                f"This disk has {free / 2**20:.0f} MiB free; a checkpoint of {self._run.name} has"
                f" {need / 2**20:.0f} MiB.",
                "Make room: if its machine is taken away the run goes on from an older one, or anew.",
                code="disk_full",
            )
        link = self._context.links.to(attempt.instance_id)
        transfer.get(
            link.transport,
            root=link.root,
            base=f"jobs/{self._run.id}/a{self._number:04d}/checkpoints",
            files=[transfer.RemoteFile(one.name, one.size_bytes, one.sha256) for one in missing],
            into=self._kept.coming,
            on_progress=lambda done, total: self._report("Bringing a checkpoint", done, total),
            cancelled=self._context.closing.is_set,
        )
        for one in missing:
            (self._kept.coming / one.name).replace(self._kept.blob(one.sha256))

    def _wait(self, attempt: Attempt, machine: Instance, seconds: float) -> None:
        """Until it is time, or there is no time to lose: it has ended, or its machine is taken back."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._context.closing.wait(POLL_S):
            now = self._context.catalog.instances.get(machine.id)
            changed = self._attempt().state is not attempt.state
            if changed or (now.cloud_state, now.cloud_reason) != (machine.cloud_state, machine.cloud_reason):
                return

    def _attempt(self) -> Attempt:
        return self._runs.attempt(self._run.id, self._number)

    def _result(self) -> Mapping[str, Any]:
        found = self._kept.newest()
        if found is None:
            return {"attempt": None, "step": None, "files": 0}
        return {"attempt": found.attempt, "step": found.step, "files": len(found.files)}


def checked(reply: Mapping[str, Any]) -> list[KeptFile]:
    """What a host lists, as far as it can be files; where they land looks at their names once more."""
    found: list[KeptFile] = []
    for one in replies.objects(reply, "files")[:MOST_FILES]:
        name, size, sha = one.get("name"), one.get("size_bytes"), one.get("sha256")
        if isinstance(name, str) and type(size) is int and isinstance(sha, str) and _SHA256.fullmatch(sha):
            found.append(KeptFile(name, size, sha))
    return found


def _of(found: KeptSet) -> str:
    return "" if found.step is None else f" of step {found.step}"
