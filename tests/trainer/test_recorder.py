"""A journal that cannot be written costs records, never the run."""

from __future__ import annotations

import errno

from cloudtui_trainer.recorder import Recorder


def test_a_full_disk_is_said_once_and_the_run_goes_on(tmp_path, monkeypatch, capsys):
    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Recorder(tmp_path / "trainer.jsonl") as recorder:
        for method in ("write", "flush"):
            monkeypatch.setattr(recorder._journal, method, full)
        recorder.metric(1, {"train/loss": 1.0})
        recorder.metric(2, {"train/loss": 0.5})
        recorder.flush()
        recorder.done("completed")
    assert capsys.readouterr().out.splitlines() == [
        "Cannot write the journal (No space left on device); some points of the curves will be missing."
    ]
