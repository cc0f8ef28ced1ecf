"""Does each job of the contract in no time, and tells in its report what it was given."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from cloudtui_host.journal import JournalWriter

WAIT_S = 60.0


def main() -> int:
    config: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    journal = JournalWriter(os.environ["CLOUDTUI_JOURNAL"])
    left = Path(os.environ["CLOUDTUI_ARTIFACTS"])
    params = config["params"]
    hold = Path(params["hold"]) if params.get("hold") else None
    journal.write("progress", text=f"Doing {config.get('job', 'train')}", step=1, steps=2)
    journal.flush()
    deadline = time.monotonic() + WAIT_S
    while hold and not hold.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        {"train": train, "evaluate": evaluate, "compress": compress}[config.get("job", "train")](
            config, journal, left
        )
    except RuntimeError as error:
        journal.write("done", reason="failed", message=str(error))
        journal.flush()
        return 1
    journal.write("done", reason="completed", message="")
    journal.flush()
    return 0


def train(config: dict[str, Any], journal: JournalWriter, left: Path) -> None:
    begun_from = Path(config["weights"]).read_text() if config.get("weights") else "nothing"
    for name, size in dict(config["params"]).items():
        if name.startswith("left-"):
            (left / f"{name.removeprefix('left-')}.bin").write_bytes(b"x" * int(size))
    (left / "model.safetensors").write_text(f"weights of {config['name']}")
    (left / "model.onnx").write_text(f"graph of {config['name']}")
    (left / "report.json").write_text("{}")
    journal.write("metric", step=1, values={"test/accuracy": 0.9})
    report = {"n": 360, "metrics": {"accuracy": 0.9}, "begun_from": begun_from}
    journal.write("report", name="evaluation/test", data=report)


def evaluate(config: dict[str, Any], journal: JournalWriter, _left: Path) -> None:
    manifest = json.loads((Path(config["dataset"]) / "manifest.json").read_text())
    if len(manifest["classes"]) != 10:
        raise RuntimeError(f"{config['of']} knows 10 classes, {manifest['name']} has others.")
    given = Path(config["given"])
    models = [one for one in given.iterdir() if one.suffix in {".onnx", ".safetensors"}]
    perfect = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 36}
    report = {
        "model": config["of"], "dataset": manifest["name"], "split": config["split"], "task": "image",
        "n": 360,
        "metrics": {"accuracy": 0.95, "macro_f1": 0.9}, "confidence": {"accuracy": [0.92, 0.97]},
        "classes": [{"label": one, **perfect} for one in "0123456789"],
        "confusion": [[36 if i == j else 0 for j in range(10)] for i in range(10)],
        "errors": [{"index": 7, "truth": "3", "predicted": "5", "confidence": 0.99}],
        "given": {one.name: one.read_text() for one in models},
        "place": str(given),
    }  # fmt: skip
    journal.write("report", name=f"evaluation/{config['split']}", data=report)


def compress(config: dict[str, Any], journal: JournalWriter, left: Path) -> None:
    variants: list[dict[str, Any]] = []
    for name in ("int8", "pruned"):
        (left / name).mkdir()
        (left / name / "model.onnx").write_text(f"{name} of {config['of']}")
        variants.append(
            {
                "id": name, "method": name, "split": "test" if name == "int8" else "validation", "n": 360,
                "accuracy": 0.89, "delta": -0.01, "delta_ci": [-0.02, 0.01], "size_ratio": 3.7,
                "size_bytes": 10,
                "latency_ratio": 2.0, "throughput_ratio": 2.4, "verdict": "undecided",
                "why": "360 rows cannot tell a drop of 0.5 point; 765 could.", "file": f"{name}/model.onnx",
            }
        )  # fmt: skip
        report = {
            "model": config["of"], "max_drop": config["params"]["max_drop"], "measured": len(variants),
            "planned": 2, "rows": {"test": 360}, "baseline": {"accuracy": 0.9, "size_bytes": 37},
            "variants": variants, "chosen": None,
        }  # fmt: skip
        journal.write("report", name="compression", data=report)
        journal.flush()
    (left / "report.json").write_text("{}")


if __name__ == "__main__":
    sys.exit(main())
