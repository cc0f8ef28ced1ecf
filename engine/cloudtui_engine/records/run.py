"""A run: a job on a host whose history is kept, with its attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Goal = Literal["min", "max"]


class RunState(StrEnum):
    """The state of an attempt; a run's status is its newest attempt's."""

    QUEUED = "queued"
    STAGING = "staging"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"

    @property
    def is_finished(self) -> bool:
        """Nothing more will come from the host but what is already in its journals."""
        return self in FINISHED

    @property
    def is_on_host(self) -> bool:
        """A process of ours may be alive on the host."""
        return self in ON_HOST


RUNS = ("train", "script")
"""The kinds that lists show; evaluations and compressions are jobs of a model, preparations of a dataset."""
JOBS = ("evaluate", "compress", "prepare")
KINDS = RUNS + JOBS

PULL_POLICIES = ("none", "best", "all")
"""What is brought here of a run's files when it has ended."""

FINISHED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED, RunState.LOST})
ON_HOST = frozenset({RunState.STARTING, RunState.RUNNING, RunState.STOPPING})


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """What lists and tables show of one series: never more than this is read for them."""

    key: str
    goal: Goal | None
    count: int
    step: int
    """The step of `last`."""
    last: float
    best: float | None
    """None where the key has no goal, or no finite value yet."""
    best_step: int | None
    min: float | None
    max: float | None
    spark: tuple[float, ...] = ()
    """At most 16 values over the whole series, for a sparkline."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a run left."""

    name: str
    kind: str
    size_bytes: int
    sha256: str
    local: str | None
    """Where it lies on this machine; None while it lies only on the host."""
    wanted: bool = True
    """Whether it is brought here by itself; else it stays on the host until somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was brought here of a run on a machine whose disk goes with it: it goes on from this elsewhere."""

    attempt: int
    step: int | None
    at: float
    """When it was seen on its host."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a run."""

    run_id: str
    number: int
    state: RunState
    instance_id: str
    from_step: int | None = None
    """The step that its checkpoint held: later points of earlier attempts are hidden."""
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    stop_requested_at: float | None = None
    exit_code: int | None = None
    reason: str = ""
    machine_id: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as lists and details show it."""

    id: str
    name: str
    kind: str
    """train, script, evaluate, compress or prepare."""
    status: RunState
    attempt: int
    instances: tuple[str, ...]
    dataset: str | None = None
    dataset_id: str | None = None
    task: str | None = None
    model: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    """All that is needed to do it again."""
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    stale_since: float | None = None
    """Since when no link could confirm a live status; None while it is confirmed."""
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    duration_s: float | None = None
    cost_usd: float | None = None
    exit_code: int | None = None
    reason: str = ""
    artifacts: tuple[Artifact, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""
    deleted_at: float | None = None
    model_id: str | None = None
    """The model version that an evaluation or a compression acts on, or that a training began from."""
    checkpoint: Checkpoint | None = None
    """That which is kept on this machine."""


@dataclass(frozen=True, slots=True)
class Series:
    """The visible points of one key of a run, in step order."""

    key: str
    steps: Any
    """Integers; a list or a numpy array, as the reader asked."""
    values: Any
    """Floats; NaN and infinities as they are."""
    times: Any
    """Seconds since the epoch, by this machine's clock."""
