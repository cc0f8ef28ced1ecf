"""Actions on datasets."""

from __future__ import annotations

from cloudtui.actions.action import Action, Argument

_H = "cloudtui.handlers.dataset:"
_DATASET = Argument(
    "dataset", "name, name@version or id of the dataset", "dataset", required=True, metavar="NAME"
)
TASKS = ("image", "text", "tabular", "ratings")

ACTIONS = (
    Action(
        "dataset.add", "dataset", "add", "Add a dataset",
        "read a source into a new dataset version on this machine, or in place on the machine that holds it",
        (
            Argument("name", "what you will call it", required=True),
            Argument("source", "a built-in name (digits, adult, ...), a CSV, TSV or Parquet file, idx files, "
                     "or a folder of pictures; MACHINE:/path is read there in place; s3://bucket/key or "
                     "s3://bucket/folder/ is fetched", required=True),
            Argument("task", "what it is for; default: what the source says", "choice", choices=TASKS,
                     option="--task"),
            Argument("target", "the column to predict, by name or by number from 1; default: the last",
                     option="--target", metavar="COL"),
            Argument("leave_out", "a column not to learn from, by name or number; may be given several times",
                     many=True, option="--leave-out", metavar="COL"),
            Argument("split_column", "the column that says train, validation or test; default: drawn",
                     option="--split-column", metavar="COL"),
            Argument("no_header", "the first line of the file is data and names no columns", "flag",
                     default=False, option="--no-header"),
            Argument("seed", "of the draw of train, validation and test; default: 0", "int", default=0,
                     option="--seed"),
        ),
        handler=_H + "add", keys=("+",),
    ),
    Action(
        "dataset.fetches", "dataset", "fetches", "Fetches",
        "data of S3 or another store that is on its way here: list it, stop one",
        (
            Argument("what", "what to do with one; default: list all", "choice", choices=("stop",),
                     metavar="stop"),
            Argument("which", "the dataset's name", metavar="NAME"),
        ),
        handler="cloudtui.handlers.fetches:fetches", keys=("F",), lists=True, use=3,
    ),
    Action(
        "dataset.list", "dataset", "list", "List", "all dataset versions", handler=_H + "list_all",
        faces=frozenset({"cli"}),
    ),
    Action(
        "dataset.show", "dataset", "show", "Show", "one dataset version", (_DATASET,), handler=_H + "show",
        faces=frozenset({"cli"}),
    ),
    Action(
        "dataset.push", "dataset", "push", "Push to a machine",
        "copy a dataset version to a machine and verify it there",
        (
            _DATASET,
            Argument("instance", "where to", "instance", required=True),
            Argument("follow", "wait until it is verified there", "flag", default=False, option="--follow",
                     short="-f"),
        ),
        handler=_H + "push", keys=("p",), starts_work=True,
    ),
)  # fmt: skip
