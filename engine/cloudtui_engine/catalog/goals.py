"""Whether less or more of a metric is better, by its name, where the run did not say."""

from __future__ import annotations

import re

from cloudtui_engine.records.run import Goal

_LESS = frozenset(
    {"loss", "error", "err", "perplexity", "ppl", "bpc", "mse", "rmse", "mae", "mape", "nll", "wer",
     "cer", "eer", "fid", "regret"}
)  # fmt: skip
_MORE = frozenset(
    {"acc", "accuracy", "f1", "auc", "auroc", "auprc", "precision", "recall", "r2", "bleu", "rouge",
     "map", "map50", "iou", "miou", "dice", "psnr", "ssim", "ndcg", "mrr", "mcc", "kappa", "reward",
     "sensitivity", "specificity", "top1", "top5"}
)  # fmt: skip
_WORD = re.compile(r"[a-z0-9]+")


def goal_of(key: str) -> Goal | None:
    """`min` or `max` when a word of the key, the last one first, says so: `validation/mean_loss` is `min`."""
    for word in reversed(_WORD.findall(key.lower())):
        if word in _LESS:
            return "min"
        if word in _MORE:
            return "max"
    return None
