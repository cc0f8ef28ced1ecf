"""Making a trained classifier smaller and faster, with a verdict on what it lost.

`job` is the whole story. A candidate is made (`int8`, `pruning`, `distill`, `others`), written as an ONNX
file, and from then on only that file counts: its size, its answers, its time (`measure`). `verdicts` says
what that is worth, `board` keeps and tells it.
"""

from __future__ import annotations

from cloudtui_trainer import export
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.job import Job
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.stop import Stop


def compress(job: Job, recorder: Recorder, stop: Stop) -> str:
    """Compress the given model. Returns how it ended: completed or stopped.

    Raises:
        TrainerError: it cannot be done; the message says why and what to do.
    """
    missing = export.missing_libraries()
    if missing:
        raise TrainerError(
            f"This host has no {', '.join(missing)}, which compression needs.",
            f"pip install {' '.join(missing)}",
        )
    from cloudtui_trainer.compress.job import run

    return run(job, recorder, stop)
