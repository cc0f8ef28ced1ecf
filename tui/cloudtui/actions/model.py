"""Actions on models."""

from __future__ import annotations

from cloudtui.actions.action import Action, Argument

_H = "cloudtui.handlers.model:"
_JOBS = "cloudtui.handlers.judging:"
_MODEL = Argument(
    "model", "name, name@version, alias or id of the model", "model", required=True, metavar="MODEL"
)

_ON = Argument("on", "where it is done", "instance", default="local", option="--on", metavar="INSTANCE")
_DATA = Argument("dataset", "whose rows; default: the data that the model learned from", "dataset",
                 option="--dataset")  # fmt: skip

ACTIONS = (
    Action("model.list", "model", "list", "List",
           "all model versions, variants under what they were made from", handler=_H + "list_all",
           faces=frozenset({"cli"})),
    Action("model.show", "model", "show", "Show",
           "one model version, its evaluations, and what was made from it", (_MODEL,), handler=_H + "show",
           faces=frozenset({"cli"})),
    Action(
        "model.evaluate", "model", "evaluate", "Evaluate",
        "measure a model on the rows of a dataset that it fits",
        (
            _MODEL, _DATA, _ON,
            Argument("split", "which rows", "choice", choices=("train", "validation", "test"),
                     default="test", option="--split"),
        ),
        handler=_JOBS + "evaluate", keys=("v",), starts_work=True,
    ),
    Action(
        "model.diff", "model", "diff", "Difference",
        "what another model has more and less, judged on the same rows",
        (
            _MODEL,
            Argument("other", "the model beside it", "model", required=True, metavar="OTHER"),
            Argument("dataset", "on whose rows; default: the newest on which both were judged", "dataset",
                     option="--dataset"),
            Argument("split", "on which rows; default: as above", "choice",
                     choices=("train", "validation", "test"), option="--split"),
        ),
        handler="cloudtui.handlers.differing:diff", keys=("d",),
    ),
    Action(
        "model.compress", "model", "compress", "Compress",
        "make smaller and faster variants, and judge each against what it may lose",
        (
            _MODEL, _DATA,
            Argument("max_drop", "how many points of accuracy a variant may lose", "float", default=0.5,
                     option="--max-drop", metavar="POINTS"),
            _ON,
            Argument("params", "a setting of the compression; may be given several times", "pairs",
                     option="--set", metavar="KEY=VALUE"),
        ),
        handler=_JOBS + "compress", keys=("c",), starts_work=True,
    ),
    Action(
        "model.export", "model", "export", "Export",
        "copy a model's file; the ending chooses which: .safetensors, .onnx, .json",
        (
            _MODEL,
            Argument("file", "where to write it", "path", required=True),
            Argument("yes", "replace a file that is there", "flag", default=False, option="--yes"),
        ),
        handler=_H + "export", keys=("e",),
    ),
    Action(
        "model.alias", "model", "alias", "Alias", "give a model version a name that can move, such as best",
        (_MODEL, Argument("alias", "the alias", required=True)),
        handler=_H + "alias", keys=("t",),
    ),
)  # fmt: skip
