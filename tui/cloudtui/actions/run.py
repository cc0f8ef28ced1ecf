"""Actions on runs."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, ONLY_DESKTOP, Action, Argument

_H = "cloudtui.handlers.run:"
_START = "cloudtui.handlers.start:"
_RUN = Argument("run", "name or id of the run", "run", required=True, metavar="RUN")
_ON = Argument(
    "on",
    "where it runs",
    "instance",
    required=True,
    many=True,
    default=("local",),
    option="--on",
    metavar="INSTANCE[,INSTANCE]",
)
_NAME = Argument("name", "what the run is called; default: made up", option="--name")
_GPUS = Argument(
    "gpus",
    "auto (GPUs without foreign processes), indices such as 0,2, or how many",
    default="auto",
    option="--gpus",
    metavar="auto|0,2|N",
)
_SET = Argument(
    "params",
    "a hyperparameter, for instance epochs=20; may be given several times",
    "pairs",
    option="--set",
    metavar="KEY=VALUE",
)
_FOLLOW = Argument(
    "follow",
    "wait, show progress and return the finished run",
    "flag",
    default=False,
    option="--follow",
    short="-f",
)

_STARTING = (
    Action(
        "run.start", "run", "start", "Train", "train a model with the bundled trainer",
        (
            Argument("dataset", "what to learn from: name, name@version or id", "dataset", required=True,
                     option="--dataset"),
            _ON,
            Argument("task", "default: the dataset's", "choice",
                     choices=("image", "text", "tabular", "ratings"),
                     option="--task"),
            Argument("model", "architecture; default: chosen for the data", option="--model"),
            _SET, _GPUS,
            Argument("weights", "a model whose weights it begins from", "model", option="--weights"),
            Argument("pull", "which of its files come here at its end: models and reports are the best",
                     "choice", choices=("none", "best", "all"), default="best", option="--pull"),
            Argument("pull_max", "no more than this comes here by itself", default="2GB", option="--pull-max",
                     metavar="SIZE"),
            Argument("then", "what follows with its model: evaluate, compress; may be given several times",
                     "choice", many=True, choices=("evaluate", "compress"), option="--then"),
            Argument("then_max_drop", "points of accuracy that a compression may cost", "float",
                     default=0.5, option="--max-drop", metavar="POINTS"),
            _NAME, _FOLLOW,
        ),
        handler=_START + "train", keys=("+",), starts_work=True, use=1,
    ),
    Action(
        "run.script", "run", "script", "Run a script",
        "run your own training command; everything after -- is the command",
        (
            _ON,
            Argument("dir", "folder to ship; the command runs in it", "path", option="--dir"),
            Argument("python", "python on the host", option="--python", metavar="PATH"),
            Argument("setup", "shell command to run first", option="--setup", metavar="CMD"),
            Argument("env", "environment variable; may be given several times", "pairs", option="--env",
                     metavar="K=V"),
            Argument("secret", "environment variable whose value is taken from here and never written down",
                     many=True, option="--secret", metavar="NAME"),
            Argument("gpus", _GPUS.help, option="--gpus", metavar=_GPUS.metavar),
            _NAME, _FOLLOW,
            Argument("command", "the command and its arguments", "words", required=True, many=True,
                     metavar="CMD"),
        ),
        handler=_START + "script", keys=("x",), starts_work=True,
    ),
    Action(
        "run.resume", "run", "resume", "Resume", "go on from the newest checkpoint, as a new attempt",
        (
            _RUN,
            Argument("onto", "on another machine than before, from the checkpoint that was brought here",
                     "instance", option="--on", metavar="INSTANCE"),
            _FOLLOW,
        ),
        handler=_START + "resume", keys=("r",), when="run.resumable", starts_work=True, use=1,
    ),
    Action(
        "run.again", "run", "again", "Run again",
        "start a new run with the same settings, or some changed",
        (_RUN, _SET, _NAME, _FOLLOW), handler=_START + "again", keys=("a",), when="run.kept", use=1,
        starts_work=True,
    ),
    Action(
        "run.stop", "run", "stop", "Stop", "ask a run to stop; it writes a checkpoint where it can", (_RUN,),
        handler=_START + "stop", keys=("s",), when="run.stoppable", confirm="run.stop", starts_work=True,
        use=1,
    ),
    Action(
        "run.pull", "run", "pull", "Fetch files", "bring here what was left on the host",
        (
            _RUN,
            Argument("names", "only these files; default: all", many=True, metavar="NAME"),
        ),
        handler=_START + "pull", keys=("p",), when="run.finished", starts_work=True,
    ),
    Action(
        "run.abandon", "run", "abandon", "Give up",
        "say that the machine is gone for good: the run is lost, unless the machine comes back after all",
        (_RUN, Argument("yes", "do not ask", "flag", default=False, option="--yes")),
        handler=_START + "abandon", when="run.live", confirm="run.abandon",
    ),
    Action(
        "run.sync", "run", "sync", "Catch up now",
        "have the engine catch up with every host once, then return",
        handler=_START + "sync", starts_work=True,
    ),
    Action(
        "run.import", "run", "import", "Import runs from a machine",
        "take up jobs that lie on a machine and are not in this catalog",
        (Argument("source", "the machine to look on", "instance", required=True, default="local",
                  option="--from", metavar="INSTANCE"),),
        handler=_START + "import_jobs", starts_work=True,
    ),
)  # fmt: skip

_READING = (
    Action(
        "run.list", "run", "list", "List", "runs, newest first",
        (
            Argument("filter", "for instance: status:live and (tag:vision or param.lr < 1e-3) gpu:A100 "
                     "sort:-validation/accuracy", option="--filter", metavar="EXPR"),
            Argument("view", "what is found in this view; see `cloudtui view list`", "views",
                     option="--view", metavar="NAME"),
            Argument("sort", "created, name, status, duration, metric.KEY, param.NAME; with -: great first; "
                     "default: what the filter says, or -created", option="--sort", metavar="KEY"),
            Argument("columns", "what is told of each, for instance name,status,param.lr,metric.val_loss; "
                     "see `cloudtui view columns`", option="--columns", metavar="NAME,NAME"),
            Argument("limit", "at most so many; default: all", "int", option="--limit", metavar="N"),
            Argument("deleted", "those in the trash", "flag", default=False, option="--deleted"),
            Argument("jobs", "evaluations and compressions of models, too", "flag", default=False,
                     option="--jobs"),
        ),
        handler=_H + "list_some", faces=ONLY_CLI,
    ),
    Action("run.show", "run", "show", "Show", "one run", (_RUN,), handler=_H + "show", faces=ONLY_CLI),
    Action(
        "run.metrics", "run", "metrics", "Metrics", "the points of its series, in step order",
        (
            _RUN,
            Argument("key", "only this series; may be given several times", many=True, option="--key"),
            Argument("system", "the machine's series (GPU, memory) instead of the run's own", "flag",
                     default=False, option="--system"),
        ),
        handler=_H + "metrics", faces=ONLY_CLI,
    ),
    Action(
        "run.logs", "run", "logs", "Log", "what it printed",
        (
            _RUN,
            Argument("follow", "go on with what comes, until the run ends", "flag", default=False,
                     option="--follow", short="-f"),
            Argument("tail", "only the last N lines", "int", option="--tail", metavar="N"),
            Argument("attempt", "of this attempt; default: the newest", "int", option="--attempt",
                     metavar="N"),
        ),
        handler=_H + "logs", faces=ONLY_CLI,
    ),
    Action(
        "run.compare", "run", "compare", "Compare", "what differs between runs, in settings and in results",
        (
            Argument("runs", "names or ids", "run", required=True, many=True, least=2, metavar="RUN"),
            Argument("baseline", "the run that the others are measured against; default: the first",
                     option="--baseline", metavar="RUN"),
            Argument("by", "group them by this setting, or by `settings`: all but the seed; over six are",
                     option="--by", metavar="SETTING"),
        ),
        handler=_H + "compare", keys=("c",), use=1,
    ),
    Action(
        "run.export", "run", "export", "Export",
        "write runs into a file; the ending chooses: .html (a report, without hosts and paths), .csv, .json",
        (
            Argument("runs", "names or ids; several are compared", "run", required=True, many=True,
                     metavar="RUN"),
            Argument("file", "where to write it", "path", required=True),
            Argument("yes", "replace a file that is there", "flag", default=False, option="--yes",
                     short="--force"),
        ),
        handler="cloudtui.handlers.export:export", keys=("w",),
    ),
)  # fmt: skip

_KEEPING = (
    Action(
        "run.tag", "run", "tag", "Tag", "add tags, or take some away",
        (
            _RUN,
            Argument("add", "tags to add", many=True, metavar="TAG"),
            Argument("remove", "tag to take away; may be given several times", many=True, option="--remove",
                     metavar="TAG"),
        ),
        handler=_H + "tag", keys=("t",),
    ),
    Action(
        "run.note", "run", "note", "Note", "write a note; an empty one takes it away",
        (_RUN, Argument("text", "the note", required=True)), handler=_H + "note", keys=("n",),
    ),
    Action(
        "run.rename", "run", "rename", "Rename", "give a run another name",
        (_RUN, Argument("name", "the new name", required=True)), handler=_H + "rename", keys=("e",),
    ),
    Action(
        "run.delete", "run", "delete", "Delete", "move a finished run to the trash", (_RUN,),
        handler=_H + "delete", keys=("d",), when="run.deletable", confirm="run.delete",
    ),
    Action(
        "run.restore", "run", "restore", "Restore", "take a run back out of the trash", (_RUN,),
        handler=_H + "restore", keys=("u",), when="run.deleted", use=1,
    ),
    Action("run.trash", "run", "trash", "Trash", "what is in the trash, or all the rest again",
           keys=("T",), faces=ONLY_DESKTOP),
)  # fmt: skip

ACTIONS = _STARTING + _READING + _KEEPING
