"""`instance.jupyter`: a host's own Jupyter, started there and forwarded; `instance.jupyter_end` ends it.

The server is a job under the launch protocol: a broken link or a dead engine costs nobody their kernels, the
next engine forwards it again, and only its end is asked for by an operation of its own. The token goes over
the channel into the job's environment, as secrets of jobs do.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import shlex
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from cloudtui_engine import forwards
from cloudtui_engine.errors import (
    CloudtuiError,
    FailedError,
    LinkTimeoutError,
    RefusedError,
    UnreachableError,
)
from cloudtui_engine.handlers.context import Asked, Context, Withdrawn, passphrase_question
from cloudtui_engine.handlers.forwarding import LOOK_S, hold, is_over
from cloudtui_engine.handlers.reaching import insisting
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.forward import Forward
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.host_status import HostStatus
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.sanitize import clean_line

NOT_THERE, TAKEN = 3, 4
"""Exit statuses of `cloudtui_host.jupyter`."""
PORTS = range(20_000, 32_000)
"""Below those that systems give to whoever asks for any."""
USUAL = 8888
"""Where people look for a Jupyter."""
TRIES = 4
BEGIN_S = 180.0
"""A first start from a slow network disk takes minutes."""
LINK_S = 30.0
WATCH_S = 5.0
GRACE_S = 10
_ANSWER_S = 5.0
_TAIL = 4000


def jupyter(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Start it, or find it, and hold its port open here until somebody stops it."""
    server = _Server(context, operation)
    try:
        with closing(server.opened()) as made:
            hold(context, operation, made, server.has_ended)
    except (Asked, Withdrawn):
        raise
    except CloudtuiError:
        forwards.end_jupyter(context.catalog, operation.target, operation.id)
        raise
    forwards.end_jupyter(context.catalog, operation.target, operation.id)
    return {}


def end(context: Context, operation: Operation) -> Mapping[str, Any]:
    """End a Jupyter on its host, and forget its token."""
    of = str(operation.args["of"])
    forwards.forget_token(context.paths, of)
    instance = context.catalog.instances.get(operation.target)
    if instance.is_gone:
        return {"state": "gone"}

    def work(session: Session, _say: object) -> HostStatus:
        job = forwards.job_of(of)
        said = session.request("status", {"job": job})
        status = replies.attempt_status(said)
        if status.has_ended:
            return status
        asked = {"job": job, "attempt": replies.whole(said, "attempt"), "grace_s": GRACE_S}
        return replies.attempt_status(session.request("stop", asked))

    return {"state": insisting(context, instance, context.reporter(operation), work).state}


class _Server:
    """The Jupyter of one operation."""

    def __init__(self, context: Context, operation: Operation) -> None:
        self._context, self._operation = context, operation
        self._instance = context.catalog.instances.get(operation.target)
        self._link = context.links.to(operation.target)
        self._job = forwards.job_of(operation.id)
        self._attempt = int(operation.progress.get("attempt") or 0)
        self._looked = 0.0

    def opened(self) -> Forward:
        """A forward to it, once it answers.

        Raises:
            RefusedError: the host has no Jupyter (code `not_installed`).
            FailedError: it ended, or does not answer, or to anybody.
        """
        progress, local = self._operation.progress, int(self._operation.args["local"])
        if self._attempt and progress.get("state") != "starting":  # it answered to an engine before this one
            return self._forward(int(progress["remote"]), local)
        port = int(progress.get("remote") or 0)
        while True:
            if not port:
                self._attempt += 1
                port = random.choice(PORTS)  # noqa: S311 - spread, not secrecy
            with contextlib.ExitStack() as unless_it_answers:
                made = self._begun(port, local)
                unless_it_answers.callback(made.close)
                ended = self._wait_for_answer(made)
                if ended is None:
                    unless_it_answers.pop_all()
                    return made
            if ended.code != TAKEN or self._attempt == TRIES:
                raise self._why(ended)
            port = 0

    def has_ended(self) -> bool:
        """Whether it was ended on the host, by its own menu, say; asked of the host now and then.

        Raises:
            FailedError: it failed.
        """
        if time.monotonic() - self._looked < WATCH_S or not self._link.is_up:
            return False
        self._looked = time.monotonic()
        try:
            status = self._look()
        except UnreachableError:
            return False
        if status.has_ended and status.code and not status.stopped:
            raise self._why(status)
        return status.has_ended

    # -- its start

    def _begun(self, port: int, local: int) -> Forward:
        say = {"text": f"Starting Jupyter on {self._instance.name}", "attempt": self._attempt, "remote": port}
        self._context.catalog.operations.set_progress(self._operation.id, {**say, "state": "starting"})
        folders = [str(one["path"]).rpartition("/")[0] for one in self._instance.facts.get("pythons") or ()]
        spec = {
            "argv": ["{python}", "-u", "-m", "cloudtui_host.jupyter", str(port), *folders],
            "secrets": {"JUPYTER_TOKEN": forwards.make_token(self._context.paths, self._operation.id)},
            "sample_s": 3600,
        }
        try:
            with self._link.session(LINK_S) as session:
                asked = {"job": self._job, "attempt": self._attempt, "spec": spec}
                session.request("start", asked, timeout=30.0)
        except PassphraseError as error:
            self._context.catalog.operations.set_progress(self._operation.id, {})
            raise passphrase_question(error, self._instance.id) from None
        return self._forward(port, local)

    def _forward(self, port: int, local: int) -> Forward:
        rather = int(self._operation.progress.get("local") or USUAL)
        # Not the port there: that has to stay free where the host is this machine under another name.
        return Forward(self._link, self._instance.name, port, local, rather)

    def _wait_for_answer(self, made: Forward) -> HostStatus | None:
        """None once it answers, or nobody wants it; how it ended where it did.

        Raises:
            FailedError: it does not answer in time, or to those without the token.
        """
        deadline = time.monotonic() + BEGIN_S
        token = forwards.token(self._context.paths, self._operation.id)
        while not is_over(self._context, self._operation):
            if _answers(made.local, token):
                if _answers(made.local, ""):
                    raise FailedError(
                        f"The Jupyter of {self._instance.name} answers without its token: its configuration "
                        "takes the token away.",
                        "It was ended. Remove token = '' from the Jupyter configuration there.",
                        code="no_token",
                    )
                return None
            status = self._look()
            if status.has_ended:
                return status
            if time.monotonic() > deadline:
                raise LinkTimeoutError(
                    f"The Jupyter of {self._instance.name} did not answer within {BEGIN_S:.0f} s.",
                    f"It was ended. Its last words: {self._last_words() or 'none'}",
                )
            self._context.closing.wait(LOOK_S)
        return None

    # -- what the host says

    def _look(self) -> HostStatus:
        with self._link.session(LINK_S) as session:
            return _status(session, self._job)

    def _why(self, status: HostStatus) -> CloudtuiError:
        """Why it ended."""
        name = self._instance.name
        if status.code == NOT_THERE:
            return RefusedError(
                f"{name} has no Jupyter.",
                f"Install it there: cloudtui instance shell {name} -- pip install jupyterlab",
                code="not_installed",
            )
        how = status.reason or (f"exit {status.code}" if status.code is not None else status.state)
        return FailedError(f"The Jupyter of {name} ended ({how}).", self._last_words(), code="jupyter")

    def _last_words(self) -> str:
        """The end of what it printed; the token would not be in it, and is not."""
        try:
            with self._link.session(LINK_S) as session:
                folder = f"{session.hello['root']}/jobs/{self._job}/a{self._attempt:04d}"
                command = f"tail -c {_TAIL} {shlex.quote(folder + '/console.log')}"
                with closing(session.transport.open(command, _ANSWER_S)) as channel:
                    said = b"".join(iter(lambda: channel.recv(_TAIL, _ANSWER_S), b""))
        except UnreachableError:
            return ""
        lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
        secret = forwards.make_token(self._context.paths, self._operation.id)
        return clean_line(lines[-1].replace(secret, "***"), 300) if lines else ""


def _status(session: Session, job: str) -> HostStatus:
    return replies.attempt_status(session.request("status", {"job": job}))


def _answers(local: int, token: str) -> bool:
    """Whether something behind the port lets who has this token in."""
    asking = http.client.HTTPConnection("127.0.0.1", local, timeout=_ANSWER_S)
    with closing(asking):
        try:
            headers = {"Authorization": f"token {token}"} if token else {}
            asking.request("GET", "/api/status", headers=headers)
            return asking.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
