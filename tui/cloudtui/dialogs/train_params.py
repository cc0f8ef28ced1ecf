"""The settings of a training that the form asks for, as the trainer has them. Pure."""

from __future__ import annotations

from cloudtui.dialogs.form_field import FormField, Option

MODELS = {"image": ("cnn", "resnet"), "tabular": ("mlp", "boosting")}
"""The architectures of a task, its default first."""


def _word(name: str, label: str, words: tuple[str, ...], help_: str, *, tasks: tuple[str, ...] = (),
          more: bool = True) -> FormField:  # fmt: skip
    options = (Option("", f"default ({words[0]})"), *(Option(word, word) for word in words))
    return FormField(f"params.{name}", label, "choice", "", help_, options, more=more, tasks=tasks)


def _number(name: str, label: str, low: float, high: float, help_: str, *, value: str = "",
            whole: bool = False, tasks: tuple[str, ...] = (), more: bool = True) -> FormField:  # fmt: skip
    return FormField(
        f"params.{name}", label, "text", value, help_,
        more=more, low=low, high=high, whole=whole, tasks=tasks,
    )  # fmt: skip


_IMAGE, _TABLE = ("image",), ("tabular",)
TRAIN_PARAMS = (
    _number("epochs", "Epochs", 1, 100_000, "how often all of the data is seen", value="20", whole=True,
            more=False),
    _number("batch_size", "Batch", 2, 65_536, "rows of an update; default: the task's own", whole=True,
            more=False),
    _word("precision", "Precision", ("auto", "fp32", "bf16", "fp16"), "of the arithmetic", more=False),
    _word("optimizer", "Optimizer", ("adamw", "sgd"), "how weights are moved"),
    _number("lr", "Learning rate", 0, 100, "the highest; default: the optimizer's own"),
    _word("schedule", "Schedule", ("one_cycle", "cosine", "step", "constant"), "of the learning rate"),
    _number("accumulate", "Accumulate", 1, 65_536, "parts of a batch, one by one: less memory", whole=True),
    _word("augment", "Augmentation", ("shift", "none", "shift_flip"), "of pictures", tasks=_IMAGE),
    _number("erase", "Erase", 0, 0.9, "side of the square wiped out, as a share; default 0", tasks=_IMAGE),
    _number("label_smoothing", "Label smoothing", 0, 0.9, "default: the task's own"),
    _number("dropout", "Dropout", 0, 0.95, "default: the task's own"),
    _number("weight_decay", "Weight decay", 0, 10, "L2 of the weights; default 0.01"),
    _number("l1", "L1", 0, 10, "pull of the weights towards 0; default 0"),
    _number("ema", "Averaging", 0, 0.99999, "decay of averaged weights, such as 0.999; default: none"),
    _number("width", "Width", 1, 8192, "of a hidden layer; default 256", whole=True, tasks=_TABLE),
    _number("depth", "Depth", 1, 32, "hidden layers; default 2", whole=True, tasks=_TABLE),
    _number("trees", "Trees", 1, 100_000, "most rounds of boosting; default 1,000", whole=True, tasks=_TABLE),
    _number("early_stopping", "Early stopping", 0, 100_000, "epochs without a better one; default: never",
            whole=True),
    _number("freeze_epochs", "Freeze", 0, 100_000, "first epochs in which given weights stay; default 0",
            whole=True),
    _number("checkpoint_every_s", "Checkpoints", 0, 1e9, "seconds between two; default 60"),
    _number("seed", "Seed", 0, 2**31 - 1, "a whole number; default 0", whole=True),
)  # fmt: skip
