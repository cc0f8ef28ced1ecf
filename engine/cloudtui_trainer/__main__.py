"""`python -m cloudtui_trainer config.json`: do the job of the config, and tell it in the journal.

Exit status: 0 completed, 75 stopped with a checkpoint, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloudtui_host.journal import JournalBusy
from cloudtui_trainer import checkpoints
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.job import JOBS, Job
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.stop import STOPPED, Stop


def main(argv: Sequence[str] | None = None, env: Mapping[str, str] = os.environ) -> int:
    """Run one attempt. Returns the exit status."""
    words = sys.argv[1:] if argv is None else list(argv)
    if len(words) != 1:
        sys.stderr.write("Usage: python -m cloudtui_trainer config.json\n")
        return 2
    try:
        job = Job.load(Path(words[0]), env)
        with Stop() as stop, Recorder(job.journal) as recorder:
            return _attempt(job, recorder, stop)
    except (TrainerError, JournalBusy) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _attempt(job: Job, recorder: Recorder, stop: Stop) -> int:
    # The checkpoint is looked for before torch is imported: so what it resumes from is the first thing said.
    # A later attempt without one begins anew, and says that, too: what earlier ones told is hidden then.
    found, wrong = checkpoints.newest(job.earlier_checkpoints, job.fingerprint)
    if found or job.attempt > 1:
        recorder.event("resumed", from_step=found.step if found else 0)
    for why in wrong:
        recorder.event("checkpoint_passed_over", level="warning", text=f"Not resumed from {why}.")
    recorder.progress(now=True, text="Importing torch")
    # Threads that wait must not spin: beside one busy process that made a run ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import torch  # noqa: F401 - where it is missing, that is said

        from cloudtui_trainer import memory

        module, _, name = JOBS[job.kind].partition(":")
        carry_out = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        message = f"This python ({sys.executable}) has no {error.name}. pip install torch numpy"
        recorder.done("failed", message)
        raise TrainerError(message) from None
    try:
        how: str = carry_out(job, recorder, stop, *([found] if job.kind == "train" else []))
    except TrainerError as error:
        recorder.done("failed", str(error))
        raise
    except memory.ERRORS as error:
        if not memory.ran_out(error):
            raise
        message = "The memory is too small for this model and batch. Set batch_size lower."
        recorder.done("failed", message)
        raise TrainerError(message) from None
    recorder.done(how)
    recorder.say(f"{how.capitalize()}.")
    return 0 if how == "completed" else STOPPED


if __name__ == "__main__":
    sys.exit(main())
