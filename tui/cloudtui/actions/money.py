"""What it costs, and what it may cost."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, Action, Argument

_H = "cloudtui.handlers.money:"

ACTIONS = (
    Action(
        "home.cost", "home", "cost", "Cost", "what machines have cost, cost now and will cost",
        (Argument("by", "whose cost, apart by commas: instance, run, day", default="instance",
                  option="--by", metavar="instance,run,day"),),
        handler=_H + "cost", faces=ONLY_CLI,
    ),
    Action(
        "budget.set", "budget", "set", "Set a budget",
        "rent nothing that would cost more than this in a month, in a day, or for one launch",
        (Argument("amount", "US dollars and for what: 50/month, 8/day, 5/launch", required=True,
                  metavar="AMOUNT/PERIOD"),),
        handler=_H + "set_budget", keys=("b",),
    ),
    Action("budget.show", "budget", "show", "Show", "the budgets, and how much of each is spent",
           handler=_H + "budgets", faces=ONLY_CLI),
    Action(
        "budget.clear", "budget", "clear", "Take budgets away",
        "take a budget away, or all of them: nothing holds a launch back then",
        (Argument("period", "month, day or launch; default: all", metavar="PERIOD"),),
        handler=_H + "clear_budgets", keys=("B",), confirm="budget.clear",
    ),
)  # fmt: skip
