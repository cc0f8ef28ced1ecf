"""Which python of a host does a job: its own as it is, or an environment of ours. Pure, from a probe's facts.

Nothing is ever installed into what is the user's own. Where only small packages are missing beside a working
torch, an environment of ours stands on top of that python and adds those alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cloudtui_engine.errors import FailedError

Need = Literal["train", "export", "boosting", "arrays", "pictures", "tables", "archives"]

OLDEST = (3, 10)
"""The bundled trainer's."""
NEWEST = (3, 14)
"""The newest that all packages have wheels for."""
_BEST = ((3, 12), (3, 11), (3, 13), (3, 10), (3, 14))
MANAGED = "3.12"
"""What uv brings where the host has no fitting python."""
NEEDS: Mapping[Need, tuple[str, ...]] = {
    "train": ("torch", "numpy"),
    "export": ("torch", "numpy", "onnx", "onnxscript", "onnxruntime"),
    "boosting": ("torch", "numpy", "sklearn", "onnx"),
    "arrays": ("numpy",),
    "pictures": ("numpy", "pillow"),
    "tables": ("numpy", "polars"),
    "archives": ("numpy", "pillow", "polars"),
}
OF_DATA: frozenset[Need] = frozenset({"arrays", "pictures", "tables", "archives"})
"""Needs of reading data in place: no torch."""
REQUIREMENTS: Mapping[str, str] = {
    "torch": "torch>=2.6,<2.14",
    "numpy": "numpy>=1.26",
    "safetensors": "safetensors>=0.4",
    "onnx": "onnx>=1.17",
    "onnxruntime": "onnxruntime>=1.20",
    "onnxscript": "onnxscript>=0.5",
    "sklearn": "scikit-learn>=1.4",
}
"""What an environment of ours has: all of it, so that a host holds one torch and not one a kind of job."""
DATA_REQUIREMENTS: Mapping[str, str] = {
    "numpy": "numpy>=1.26",
    "pillow": "pillow>=10",
    "polars": "polars>=1.20",
}
"""The same for reading data, where no python of the host can."""
DISK_BYTES: Mapping[str, int] = {
    "cuda": 9_000_000_000,
    "cpu": 1_800_000_000,
    "on_top": 400_000_000,
    "data": 600_000_000,
}
"""Free space that making one takes, downloads included."""
Kind = Literal["own", "ours", "new"]


@dataclass(frozen=True, slots=True)
class Plan:
    """An environment of ours to be made, or to be found where it was made before."""

    python: str
    """The interpreter it is of; empty has uv bring one of `version`."""
    version: str
    """`major.minor`."""
    accelerator: str
    """`cuda` or `cpu`."""
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    on_top: bool
    base: str
    """What it stands on, in words that change with it."""
    platform: str

    @property
    def key(self) -> str:
        """The hash that its folder bears: the same wish on the same kind of host has the same."""
        fields = [
            self.requirements,
            self.constraints,
            self.version,
            self.accelerator,
            self.base,
            self.platform,
        ]
        return hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:24]

    @property
    def env(self) -> str:
        """Its folder, below the root."""
        return f"env/{self.key}"

    @property
    def disk_bytes(self) -> int:
        """Free space that it takes to make it."""
        return DISK_BYTES["on_top" if self.on_top else self.accelerator if self.has_torch else "data"]

    @property
    def has_torch(self) -> bool:
        """It, or what it stands on, has torch: then one training step is its test."""
        return self.on_top or REQUIREMENTS["torch"] in self.requirements


@dataclass(frozen=True, slots=True)
class Choice:
    """The python for a job."""

    kind: Kind
    python: str
    """Its path on the host; empty while it is `new`."""
    key: str
    """Path and torch version: what a smoke test is remembered by. Of ours, the environment's folder."""
    accelerator: str
    """`cuda`, `cpu`, or empty where no torch is needed, and so none is tested."""
    plan: Plan | None = None
    warning: str = ""
    hint: str = ""


def choose(
    facts: Mapping[str, Any], need: Need, *, avoid: Collection[str] = (), best: bool = False
) -> Choice:
    """The python for a job on a host with these facts.

    Args:
        facts: of a probe; `environments` in it are those of ours that are there.
        need: what the job needs.
        avoid: keys of pythons whose torch is known not to work.
        best: take none that a GPU is lost on, but plan one that sees it.

    Raises:
        FailedError: code no_python, none can be used and none of ours be made.
    """
    if need in OF_DATA:
        return _for_data(facts, need, avoid)
    has_gpu = bool(facts.get("gpus"))
    wanted = "cuda" if has_gpu else "cpu"
    able = [one for one in _candidates(facts) if _key(one) not in avoid and _has(one, ("torch",))]
    ordered = sorted(able, key=lambda one: _rank(one, need), reverse=True)
    for one in ordered:
        sees = bool(one.get("sees_cuda"))
        if has_gpu and not sees and best:
            continue
        if _has(one, NEEDS[need]):
            return _as_it_is(one, has_gpu=has_gpu)
        if not one.get("env"):
            plan = _on_top(facts, one)
            if plan.env not in avoid:
                return Choice("new", "", plan.env, plan.accelerator, plan, *_lost_gpu(one, has_gpu=has_gpu))
    plan = _from_scratch(facts, wanted)
    return Choice("new", "", plan.env, wanted, plan)


def need_of(kind: str, model: str, files: Collection[str] = ()) -> Need:
    """What a job of the trainer needs.

    Args:
        kind: of the run.
        model: what is trained.
        files: of the model version that the job acts on.
    """
    if kind == "compress" or (kind == "evaluate" and "model.safetensors" not in files):
        return "export"
    return "boosting" if kind == "train" and model == "boosting" else "train"


def _for_data(facts: Mapping[str, Any], need: Need, avoid: Collection[str]) -> Choice:
    """The first of the host's own that has what reading data takes, else one of ours."""
    for one in _candidates(facts):
        if _key(one) not in avoid and all(_is_new_enough(one, name) for name in NEEDS[need]):
            return Choice("ours" if one.get("env") else "own", str(one["path"]), _key(one), "")
    plan = _from_scratch(facts, "cpu", DATA_REQUIREMENTS)
    return Choice("new", "", plan.env, "", plan)


def _is_new_enough(one: Mapping[str, Any], name: str) -> bool:
    """What a person installed may be older than what is used here."""
    found, least = (
        re.search(r"(\d+)(?:\.(\d+))?", str(text))
        for text in (one.get(name) or "", DATA_REQUIREMENTS[name].partition(">=")[2])
    )
    if found is None or least is None:
        return False
    return [int(part or 0) for part in found.groups()] >= [int(part or 0) for part in least.groups()]


def _candidates(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The host's own and ours, those that are too old for us left out."""
    found = [*(facts.get("pythons") or ()), *(facts.get("environments") or ())]
    return [one for one in found if (version_of(one) or (0, 0)) >= OLDEST]


def _rank(one: Mapping[str, Any], need: Need) -> tuple[bool, ...]:
    """What sees a GPU before what does not, then what lacks nothing, the host's own before ours."""
    whole = _has(one, NEEDS[need])
    return bool(one.get("sees_cuda")), whole, whole and _has(one, NEEDS["export"]), not one.get("env")


def _has(one: Mapping[str, Any], names: Sequence[str]) -> bool:
    return all(one.get(name) for name in names)


def _key(one: Mapping[str, Any]) -> str:
    return str(one.get("env") or f"{one.get('path')} torch {one.get('torch')}")


def _as_it_is(one: Mapping[str, Any], *, has_gpu: bool) -> Choice:
    accelerator = "cuda" if one.get("sees_cuda") else "cpu"
    kind: Kind = "ours" if one.get("env") else "own"
    return Choice(kind, str(one["path"]), _key(one), accelerator, None, *_lost_gpu(one, has_gpu=has_gpu))


def _lost_gpu(one: Mapping[str, Any], *, has_gpu: bool) -> tuple[str, str]:
    if not has_gpu or one.get("sees_cuda"):
        return "", ""
    built = (
        f"is built for CUDA {one['cuda']}, which the driver does not know"
        if one.get("cuda")
        else "has no CUDA"
    )
    return (
        f"The host has a GPU, but the torch {one.get('torch')} of {one.get('path')} {built}: "
        "the job runs on the CPU.",
        "Make an environment for the GPU: cloudtui instance prepare NAME",
    )


def _on_top(facts: Mapping[str, Any], one: Mapping[str, Any]) -> Plan:
    """All small packages that this python lacks, those of other needs too: they are made once."""
    lacking = tuple(text for name, text in REQUIREMENTS.items() if not one.get(name))
    held = tuple(f"{name}=={str(one[name]).partition('+')[0]}" for name in ("numpy",) if one.get(name))
    version = version_of(one) or OLDEST
    return Plan(
        python=str(one["path"]),
        version=f"{version[0]}.{version[1]}",
        accelerator="cuda" if one.get("sees_cuda") else "cpu",
        requirements=lacking,
        constraints=held,
        on_top=True,
        base=f"{one['path']} {one.get('version')} torch {one.get('torch')}",
        platform=_platform(facts),
    )


def _from_scratch(
    facts: Mapping[str, Any], accelerator: str, wanted: Mapping[str, str] = REQUIREMENTS
) -> Plan:
    fitting = [one for one in facts.get("pythons") or () if OLDEST <= (version_of(one) or (0, 0)) <= NEWEST]
    if not fitting and not facts.get("uv"):
        seen = ", ".join(f"{one.get('path')} ({one.get('version')})" for one in facts.get("pythons") or ())
        oldest, newest = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
        raise FailedError(
            f"The host has no python that can run what is ours: it needs {oldest} to {newest}, "
            f"found {seen or 'no python3'}.",
            "Install one on the host, or uv, which brings its own python.",
            code="no_python",
        )
    best = min(fitting, key=_order, default=None)
    version = MANAGED if best is None else ".".join(map(str, version_of(best) or OLDEST))
    return Plan(
        python="" if best is None else str(best["path"]),
        version=version,
        accelerator=accelerator,
        requirements=tuple(wanted.values()),
        constraints=(),
        on_top=False,
        base="" if best is None else str(best.get("version")),
        platform=_platform(facts),
    )


def _order(one: Mapping[str, Any]) -> tuple[int, bool]:
    """The best version first; one without torch is hardly somebody's own environment."""
    return _BEST.index(version_of(one) or OLDEST), bool(one.get("torch"))


def _platform(facts: Mapping[str, Any]) -> str:
    return f"{facts.get('arch') or ''} {facts.get('libc') or ''}".strip()


def version_of(one: Mapping[str, Any]) -> tuple[int, int] | None:
    """Major and minor version of an interpreter."""
    found = re.match(r"(\d+)\.(\d+)", str(one.get("version") or ""))
    return (int(found[1]), int(found[2])) if found else None
