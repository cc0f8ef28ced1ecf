"""The python that a job gets on a host: found, proven by one training step, or made.

What was proven and what was made is kept with the instance's facts, so that it is done once a host.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from cloudtui_engine.errors import CloudtuiError, FailedError, UnreachableError
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.stage import Report
from cloudtui_engine.hosts import environment, replies, transfer, wheels
from cloudtui_engine.hosts.environment import Choice, Need, Plan
from cloudtui_engine.hosts.facts import checked_facts, checked_python, renewed
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.session import Session

INDEX = "environment.index"
"""The setting that holds one more package index by accelerator: `{"cpu": URL, "cuda": URL}`."""
IMPORTS = {"pillow": "PIL"}
SMOKE_S = 300.0
PROBE_S = 90.0
LOOK_S = 0.3
LIVE = frozenset({"starting", "running", "orphan-running", "ending", "busy"})
UNTOLD = frozenset({"missing", "stillborn", "lost-reboot"})
"""States of a maker that has not failed: it never began, or the machine was started anew."""


class Environments:
    """The pythons of one host.

    Args:
        context: the engine.
        link: to the host.
        report: is told how far it is.
        cancelled: asked often; true ends any wait with `transfer.Cancelled`.
        warn: is told what a person should know and what does not end the job.
    """

    def __init__(
        self,
        context: Context,
        link: HostLink,
        *,
        report: Report,
        cancelled: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> None:
        self._context, self._link = context, link
        self._instances = context.catalog.instances
        self._report, self._cancelled, self._warn = report, cancelled, warn

    def python_for(self, session: Session, need: Need, *, best: bool = False) -> str:
        """The python for a job with this need, as its path there; empty stands for the one that serves us.

        Args:
            session: with the host.
            need: of the job.
            best: make an environment that sees the host's GPU where the host's own torch does not.

        Raises:
            Cancelled: it is not wanted any more.
            CloudtuiError: there is none and none could be made; the message says why.
        """
        if self._instances.get(self._link.instance_id).provider == "local":
            return ""
        looked = False
        avoid: set[str] = set()
        while True:
            facts = self._facts()
            avoid |= {key for key, result in (facts.get("tested") or {}).items() if not result.get("ok")}
            # Facts of an older cloudtui lack what is chosen by.
            if "libc" not in facts:
                facts, looked = self._probe(session), True
            choice = environment.choose(facts, need, avoid=avoid, best=best)
            if choice.plan is not None and not looked:
                # Somebody may have installed what is needed since.
                self._probe(session)
                looked = True
                continue
            python = self._use(session, choice, avoid)
            if python:
                if choice.warning:
                    self._warn(f"{choice.warning} {choice.hint}".strip())
                return python

    def _use(self, session: Session, choice: Choice, avoid: set[str]) -> str:
        """The choice's python once it is there and proven; empty where another must be chosen."""
        if choice.plan is not None:
            return self._make(session, choice.plan)
        if choice.kind == "ours":
            if self._look(session, choice.key).get("python"):
                return choice.python
            self._forget(choice.key)
            return ""
        if not choice.accelerator:
            return choice.python
        return choice.python if self._is_proven(session, choice, avoid) else ""

    # -- what the host has

    def _facts(self) -> Mapping[str, Any]:
        return self._instances.get(self._link.instance_id).facts

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Change the facts as they are now: another job may have learned something meanwhile."""
        with self._context.catalog.write("instance"):
            facts = change(dict(self._facts()))
            self._instances.update(self._link.instance_id, facts=facts)
        return facts

    def _probe(self, session: Session) -> dict[str, Any]:
        self._report("Looking for torch", None, None)
        fresh = checked_facts(session.request("probe", {}, timeout=PROBE_S))
        facts = self._change(lambda known: renewed(known, fresh, forgive=False))
        self._instances.update(self._link.instance_id, gpus=facts["gpus"])
        return facts

    def _is_proven(self, session: Session, choice: Choice, avoid: set[str]) -> bool:
        """Whether one training step works with the host's own torch; done once a torch."""
        if (self._facts().get("tested") or {}).get(choice.key, {}).get("ok"):
            return True
        self._report("Testing one training step", None, None)
        args = {"python": choice.python, "wanted": choice.accelerator}
        try:
            said = session.request("smoke", args, timeout=SMOKE_S)
        except UnreachableError:
            raise
        except CloudtuiError as error:
            if error.code == "gpu_busy":
                return True  # Which GPU the job gets is decided elsewhere; its torch is not to blame.
            self._remember(choice.key, {"ok": False, "message": error.message, "code": error.code})
            self._warn(f"{error.message} {error.hint}".strip())
            avoid.add(choice.key)
            return False
        result = {
            "ok": True,
            "device": replies.text(said, "device"),
            "seconds": replies.number(said, "seconds"),
        }
        self._remember(choice.key, result)
        return True

    def _remember(self, key: str, result: Mapping[str, Any]) -> None:
        tested = {key: {**result, "at": time.time()}}
        self._change(lambda facts: {**facts, "tested": {**(facts.get("tested") or {}), **tested}})

    def _forget(self, env: str) -> None:
        self._change(lambda facts: {**facts, "environments": _others(facts, env)})

    # -- one of ours

    def _job(self, env: str, session: Session) -> str:
        """The job that makes an environment: one a machine, since a home may be shared by many."""
        machine = hashlib.sha256(str(session.hello["machine_id"]).encode()).hexdigest()[:8]
        return f"{env.replace('/', '-')}-{machine}"

    def _look(self, session: Session, env: str) -> dict[str, Any]:
        return session.request("environment", {"env": env, "job": self._job(env, session)}, timeout=30.0)

    def _make(self, session: Session, plan: Plan) -> str:
        """Have it made by a job of its own, which goes on when the link is cut, and wait for that."""
        asked = False
        links = ""
        beats = 0
        while True:
            said = self._look(session, plan.env)
            if said.get("python"):
                return self._keep(plan, said)
            state = replies.text(said, "state")
            if state in LIVE:
                beats += 1
                self._tell(said, beats)
            elif asked and state not in UNTOLD:
                error = self._why(session, plan, said)
                if error.code != "no_index" or links:
                    raise error
                links, asked = self._bring_wheels(plan), False
            else:
                self._start(session, plan, replies.whole(said, "attempt") + 1, links)
                asked = True
            self._context.closing.wait(LOOK_S)
            self._raise_if_unwanted()

    def _start(self, session: Session, plan: Plan, attempt: int, links: str) -> None:
        config = {
            "env": plan.env,
            "python": plan.python,
            "version": plan.version,
            "requirements": list(plan.requirements),
            "constraints": list(plan.constraints),
            "on_top": plan.on_top,
            "accelerator": plan.accelerator,
            "find_links": links,
            "index": self._index(plan),
            "need_bytes": plan.disk_bytes,
            "imports": []
            if plan.has_torch
            else [IMPORTS.get(name, name) for name in environment.DATA_REQUIREMENTS],
        }
        argv = ["{python}", "-u", "-m", "cloudtui_host.environment", "{config}"]
        spec = {"argv": argv, "config": config, "sample_s": 3600}
        job = self._job(plan.env, session)
        session.request("start", {"job": job, "attempt": attempt, "spec": spec}, timeout=30.0)

    def _index(self, plan: Plan) -> str:
        found = self._context.catalog.settings.get(INDEX, {})
        return str(found.get(plan.accelerator) or "") if isinstance(found, dict) else ""

    def _tell(self, said: Mapping[str, Any], beats: int) -> None:
        progress = said.get("progress")
        progress = progress if isinstance(progress, dict) else {}
        text = replies.text(progress, "text") if progress.get("text") else "Making an environment"
        if progress.get("steps"):
            self._report(text, replies.whole(progress, "step"), replies.whole(progress, "steps"))
        else:
            # A count without a sum: it shows nothing, and says that the host is at work.
            self._report(text, -beats, None)

    def _why(self, session: Session, plan: Plan, said: Mapping[str, Any]) -> CloudtuiError:
        if said.get("error"):
            return replies.error(said["error"])
        job = self._job(plan.env, session)
        status = replies.attempt_status(session.request("status", {"job": job}, timeout=30.0))
        return FailedError(
            f"The job that makes the environment ended early: {status.reason or status.state}.",
            f"Start it again. On the host, {session.hello['root']}/jobs/{job} holds its console.",
            code="environment_failed",
        )

    def _bring_wheels(self, plan: Plan) -> str:
        """The packages, fetched here and pushed; where they lie on the host."""
        self._report("The host reaches no package index: fetching packages here", None, None)
        fetched = wheels.fetch(
            self._context.paths.wheels,
            plan,
            self._facts(),
            index=self._index(plan),
            report=self._report,
            raise_if_unwanted=self._raise_if_unwanted,
        )
        with self._link.put_lock:
            transfer.put(
                self._link.transport,
                root=self._link.root,
                dest=fetched.dest,
                files=fetched.files,
                on_progress=lambda done, total: self._report("Sending packages", done, total),
                cancelled=self._cancelled,
            )
        return fetched.dest

    def _keep(self, plan: Plan, said: Mapping[str, Any]) -> str:
        """Note the environment with the host's facts; its python's path."""
        record = said.get("record")
        record = record if isinstance(record, dict) else {}
        tested = record.get("tested")
        device = tested.get("device") if isinstance(tested, dict) else ""
        python = checked_python({**record, "path": said.get("python")})
        if not python.get("path"):
            raise FailedError("The host's answer has no usable 'python'.", code="protocol")
        entry = {**python, "env": plan.env, "sees_cuda": device == "cuda"}
        self._change(lambda facts: {**facts, "environments": [*_others(facts, plan.env), entry]})
        return str(python["path"])

    def _raise_if_unwanted(self) -> None:
        if self._cancelled():
            raise transfer.Cancelled


def _others(facts: Mapping[str, Any], env: str) -> list[Mapping[str, Any]]:
    return [one for one in facts.get("environments") or () if one.get("env") != env]
