"""A host's word on an attempt is checked before anything rests on it."""

from __future__ import annotations

from typing import Any

import pytest

from cloudtui_engine.errors import FailedError
from cloudtui_engine.hosts import replies


def test_what_a_host_says_is_taken_over() -> None:
    said = {
        "state": "exited",
        "exit": {"code": 3, "signal": None, "reason": "\x1b[31mbad", "t": 12.5},
        "sources": {"trainer": 100, "console": 7},
    }
    status = replies.attempt_status(said)
    assert (status.state, status.code, status.signal, status.reason) == ("exited", 3, None, "bad")
    assert (status.ended_at, status.sources) == (12.5, {"trainer": 100, "console": 7})
    assert status.has_ended
    assert not replies.attempt_status({"state": "running", "exit": None}).has_ended


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"state": 7},
        {"state": "exited", "exit": "boom"},
        {"state": "exited", "exit": {"t": 10**400}},
        {"state": "exited", "exit": {"t": 1e300}},
        {"state": "exited", "exit": {"t": -1.0}},
        {"state": "exited", "exit": {"code": "0"}},
        {"state": "exited", "exit": {"reason": 5}},
        {"state": "running", "sources": [1]},
        {"state": "running", "sources": {"trainer": -1}},
        {"state": "running", "sources": {"trainer": 2**70}},
    ],
)
def test_what_it_must_not_say_is_an_error_and_no_crash(said: dict[str, Any]) -> None:
    with pytest.raises(FailedError):
        replies.attempt_status(said)
