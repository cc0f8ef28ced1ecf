"""Tasks, a file each. A further one is a file with a class as `base.Task` describes, and a line here."""

from __future__ import annotations

import importlib

from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.tasks.base import Task

TASKS = {
    "image": "cloudtui_trainer.tasks.image:ImageTask",
    "tabular": "cloudtui_trainer.tasks.tabular:TabularTask",
}


def find_task(name: str) -> type[Task]:
    """The class of a task.

    Raises:
        TrainerError: there is none of this name.
    """
    if name not in TASKS:
        raise TrainerError(f"This trainer does not know the task {name!r}.", f"Tasks: {', '.join(TASKS)}.")
    module, _, attribute = TASKS[name].partition(":")
    found: type[Task] = getattr(importlib.import_module(module), attribute)
    return found
