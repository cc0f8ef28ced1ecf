"""`--gpus` takes what is free and names who holds the rest."""

from __future__ import annotations

import pytest

from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.runs.gpus import choose

BUSY = {"index": 0, "processes": [{"pid": 7, "user": "ada", "memory_bytes": 3 * 2**30, "command": "python"}]}
FREE = {"index": 1, "processes": []}
FREE_TOO = {"index": 2, "processes": []}


def test_nothing_asked_or_nothing_there_leaves_the_choice_to_the_program() -> None:
    assert choose([BUSY], None) is None
    assert choose([], "auto") is None


def test_auto_takes_one_that_nobody_uses() -> None:
    assert choose([BUSY, FREE, FREE_TOO], "auto") == [1]


def test_a_number_takes_so_many_and_a_list_takes_these_busy_or_not() -> None:
    assert choose([BUSY, FREE, FREE_TOO], "2") == [1, 2]
    assert choose([BUSY, FREE], "0,1") == [0, 1]


def test_none_free_names_user_and_memory() -> None:
    with pytest.raises(RefusedError, match=r"ada uses 3\.0 GiB") as refused:
        choose([BUSY], "auto")
    assert refused.value.exit_status == 4


@pytest.mark.parametrize("wanted", ["none", "0", "-1", "0,x", "5,6"])
def test_what_cannot_be_is_a_usage_error(wanted: str) -> None:
    with pytest.raises(UsageError):
        choose([FREE], wanted)
