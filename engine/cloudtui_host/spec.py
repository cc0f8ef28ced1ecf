"""What a job is started with: checked, and turned into a command and an environment of this host."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Dict, List, NamedTuple, Optional

from cloudtui_host import entry, layout
from cloudtui_host.errors import HostError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = ("CLOUDTUI_JOURNAL", "CLOUDTUI_ATTEMPT", "CLOUDTUI_ARTIFACTS", "CLOUDTUI_RUN")


class Spec(NamedTuple):
    """A checked job spec; the fields are those of the wire."""

    argv: List[str]
    cwd: str
    env: Dict[str, str]
    secrets: Dict[str, str]
    setup: str
    packages: List[str]
    copy: str
    checkpoints: str
    taken_by: str
    python: str
    grace_s: float
    sample_s: float
    gpus: Optional[List[int]]
    config: Dict[str, Any]
    raw: Dict[str, Any]

    def public(self) -> Dict[str, Any]:
        """What may be written to disk: of the secrets only the names."""
        return dict(self.raw, secrets=sorted(self.secrets))


def _bad(what: str) -> HostError:
    return HostError("bad_spec", "The job cannot be started: %s." % what)


def _string(raw: Dict[str, Any], key: str) -> str:
    value = raw.get(key) or ""
    if not isinstance(value, str) or "\0" in value:
        raise _bad("%s must be text" % key)
    return value


def _strings(raw: Dict[str, Any], key: str) -> List[str]:
    value = raw.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
        raise _bad("%s must be a list of texts" % key)
    return list(value)


def _variables(raw: Dict[str, Any], key: str) -> Dict[str, str]:
    value = raw.get(key) or {}
    if not isinstance(value, dict):
        raise _bad("%s must be an object" % key)
    for name, text in value.items():
        if not _VARIABLE.fullmatch(name) or not isinstance(text, str) or "\0" in text:
            raise _bad("%s holds something that is no environment variable: %r" % (key, name))
    return dict(value)


def _seconds(raw: Dict[str, Any], key: str, default: float, lowest: float, highest: float) -> float:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
        raise _bad("%s must be a number from %g to %g" % (key, lowest, highest))
    return float(value)


def grace(value: Any) -> float:
    """Checked seconds between asking a job to end and ending it."""
    return _seconds({"grace_s": 30 if value is None else value}, "grace_s", 30, 0, 86400)


def _gpus(raw: Dict[str, Any]) -> Optional[List[int]]:
    value = raw.get("gpus")
    if value is None:
        return None
    if not isinstance(value, list):
        raise _bad("gpus must be null or a list of indices")
    for one in value:
        if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one < 1024:
            raise _bad("gpus must be null or a list of indices")
    return list(value)


def check(raw: Any) -> Spec:
    """The spec in `raw`.

    Raises:
        HostError: code bad_spec or bad_path, something in it is not what it must be.
    """
    if not isinstance(raw, dict):
        raise _bad("its spec is no object")
    argv = _strings(raw, "argv")
    if not argv or not argv[0]:
        raise _bad("argv is empty")
    config = raw.get("config")
    if not isinstance(config, (dict, type(None))):
        raise _bad("config must be an object")
    cwd, copy = _string(raw, "cwd"), _string(raw, "copy")
    checkpoints = _string(raw, "checkpoints")
    return Spec(
        argv=argv,
        cwd=layout.relative(cwd, "working folder") if cwd else "",
        env=_variables(raw, "env"),
        secrets=_variables(raw, "secrets"),
        setup=_string(raw, "setup"),
        packages=[layout.relative(package, "package") for package in _strings(raw, "packages")],
        copy=layout.content(copy) if copy else "",
        checkpoints=layout.content(checkpoints) if checkpoints else "",
        taken_by=_string(raw, "taken_by"),
        python=_string(raw, "python") or sys.executable,
        grace_s=_seconds(raw, "grace_s", 30, 0, 86400),
        sample_s=_seconds(raw, "sample_s", 5, 0.05, 3600),
        gpus=_gpus(raw),
        config=config or {},
        raw=raw,
    )


def resolve_argv(spec: Spec, root: str, folder: str) -> List[str]:
    """The command with the words of the wire replaced by what they mean on this host."""
    words = {"{python}": spec.python, "{config}": os.path.join(folder, "config.json"), "{attempt}": folder}
    resolved = []
    for word in spec.argv:
        if word.startswith("{root}/"):
            resolved.append(os.path.join(root, word[len("{root}/") :]))
        else:
            resolved.append(words.get(word, word))
    return resolved


def working_folder(spec: Spec, root: str, folder: str) -> str:
    """Where the job begins: a folder of the root, the copy of its own files, or the attempt's folder."""
    if spec.cwd:
        return os.path.join(root, spec.cwd)
    return os.path.join(folder, "work") if spec.copy else folder


def python_path(spec: Spec, root: str, inherited: str) -> str:
    """PYTHONPATH of the job: its packages, ours, what a script imports, then what was there."""
    ours = entry.folder()
    parts = [os.path.join(root, package) for package in spec.packages]
    parts += [ours, os.path.join(ours, "cloudtui_host", "for_scripts")]
    return os.pathsep.join(parts + ([inherited] if inherited else []))


def environment(spec: Spec, root: str, folder: str, job: str) -> Dict[str, str]:
    """The job's whole environment; the only place on this host where its secrets are."""
    # What belongs to the session that started the job ends with that session.
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("SSH_", "CLOUDTUI_"))}
    env = dict(kept, **spec.env)
    env.update(spec.secrets)
    env["PYTHONPATH"] = python_path(spec, root, env.get("PYTHONPATH", ""))
    env["PYTHONUNBUFFERED"] = "1"
    env.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    values = (
        os.path.join(folder, layout.SOURCES["trainer"]),
        folder,
        os.path.join(folder, "artifacts"),
        job,
    )
    env.update(dict(zip(_OURS, values)))  # noqa: B905 - strict came with Python 3.10
    if spec.gpus is not None:
        # The indices are those of nvidia-smi, which counts in this order.
        env["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        env["CUDA_VISIBLE_DEVICES"] = ",".join(str(index) for index in spec.gpus)
    return env
