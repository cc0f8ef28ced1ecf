"""What can be done with saved views of runs, and with the columns of their list."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, Action, Argument

_H = "cloudtui.handlers.view:"

ACTIONS = (
    Action(
        "view.save", "view", "save", "Save this view as…",
        "keep a filter of runs, with its order, under a name",
        (
            Argument("name", "what it is called", required=True, metavar="NAME"),
            Argument("filter", "as in `run list`, for instance: tag:vision sort:-validation/accuracy",
                     required=True, option="--filter", metavar="EXPR"),
            Argument("columns", "what is told of each run, for instance name,status,param.lr; default: "
                     "what is told of all", option="--columns", metavar="NAME,NAME"),
            Argument("yes", "in place of the view that has the name", "flag", default=False, option="--yes"),
        ),
        handler=_H + "save", keys=("V",),
    ),
    Action(
        "view.delete", "view", "delete", "Delete a view",
        "forget a view; its filter stays among those used before",
        (Argument("name", "which one", "views", required=True, metavar="NAME"),),
        handler=_H + "delete", confirm="view.delete",
    ),
    Action(
        "view.columns", "view", "columns", "Columns of runs…",
        "which columns the list of runs has, in which order; without any: those that there are",
        (
            Argument("columns", "for instance name,status,param.lr,metric.validation/loss",
                     metavar="NAME,NAME"),
            Argument("view", "of this view alone", "views", option="--view", metavar="NAME"),
            Argument("reset", "as they are without a choice", "flag", default=False, option="--reset"),
        ),
        handler=_H + "columns", keys=("C",),
    ),
    Action("view.list", "view", "list", "List", "the views of runs that were saved", handler=_H + "list_all",
           faces=ONLY_CLI),
)  # fmt: skip
