"""The verbs that may take a while: each runs in a process of its own, JSON in, JSON out.

So the control lane never waits for a disk or a driver, and its death takes none of them with it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Dict, List

from cloudtui_host import (
    adopt,
    artifacts,
    detach,
    files,
    gpus,
    host_key,
    launch,
    layout,
    probe,
    smoke,
    status,
    stopping,
    switch,
    upkeep,
)
from cloudtui_host.errors import HostError, from_os

PAGE_BYTES = 1 << 20
"""A reply of `jobs` grows to about this; `next` says where to go on."""


def _start(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    return launch.start(root, args.get("job"), args.get("attempt"), args.get("spec"))


def _stop(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    return stopping.stop(root, args.get("job"), args.get("attempt"), args.get("grace_s"))


def _adopt(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    adopt.send(root, layout.attempt_folder(root, args.get("job"), args.get("attempt")))
    return {}


def _artifacts(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    folder = layout.attempt_folder(root, args.get("job"), args.get("attempt"))
    found, passed = artifacts.listing(folder)
    return {"files": found, "passed_over": passed[:100]}


def _checkpoints(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    folder = layout.attempt_folder(root, args.get("job"), args.get("attempt"))
    return {"files": artifacts.listing(folder, "checkpoints")[0]}


def _jobs(root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    after = args.get("after") or ""
    listed: List[Dict[str, Any]] = []
    size = 0
    following = None
    for job in layout.jobs(root):
        if isinstance(after, str) and job <= after:
            continue
        if size > PAGE_BYTES:
            following = listed[-1]["job"]
            break
        entry = {
            "job": job,
            "attempts": [_attempt(root, job, number) for number in layout.attempts(root, job)],
        }
        size += len(json.dumps(entry))
        listed.append(entry)
    return {"jobs": listed, "next": following}


def _smoke(_root: str, args: Dict[str, Any]) -> Dict[str, Any]:
    python, wanted = args.get("python"), args.get("wanted") or ""
    if not isinstance(python, str) or not os.path.isabs(python) or wanted not in ("", "cpu", "cuda"):
        raise HostError("bad_request", "python must be a path, wanted one of cpu, cuda and nothing.")
    return smoke.step(python, wanted)


def _attempt(root: str, job: str, number: int) -> Dict[str, Any]:
    folder = layout.attempt_folder(root, job, number)
    return {
        "attempt": number,
        "config": files.read_json(os.path.join(folder, "config.json")) or {},
        "spec": files.read_json(os.path.join(folder, "spec.json")) or {},
        "status": status.read(root, job, number),
    }


VERBS: Dict[str, Callable[[str, Dict[str, Any]], Dict[str, Any]]] = {
    "start": _start,
    "stop": _stop,
    "artifacts": _artifacts,
    "checkpoints": _checkpoints,
    "jobs": _jobs,
    "probe": lambda root, _args: probe.facts(root),
    "gpus": lambda _root, _args: {"gpus": gpus.read()},
    "smoke": _smoke,
    "deadline": switch.deadline,
    "host_key": lambda _root, args: host_key.host_key(args),
    "inventory": lambda root, args: upkeep.inventory(root, args.get("after")),
    "remove": lambda root, args: upkeep.remove(root, args.get("name")),
}
"""What can be asked for, by name."""

OURS = {"adopt": _adopt}
"""What no one asks for: the control lane has it done by itself."""

DEADLINE_S = {"probe": 90.0, "gpus": 40.0, "start": 600.0, "smoke": 300.0, "artifacts": 3600.0,
              "checkpoints": 600.0,
              "inventory": 900.0, "remove": 900.0}  # fmt: skip
"""How long each may take; the others a minute."""


def main(verb: str, root: str) -> None:
    """Carry out one verb: arguments on stdin, `{"result": ...}` or `{"error": ...}` on stdout."""
    os.umask(0o077)
    args = json.load(sys.stdin.buffer)
    if verb == "start" or (verb == "deadline" and args.get("arm")):
        detach.move_out_of_session(verb, root, args)
    try:
        answer: Dict[str, Any] = {"result": {**VERBS, **OURS}[verb](root, args)}
    except HostError as error:
        answer = {"error": error.as_dict()}
    except OSError as error:
        answer = {"error": from_os(error, "do that on the host").as_dict()}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
