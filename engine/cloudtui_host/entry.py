"""How this package is run in another process: by the same python, from the same folder, isolated."""

from __future__ import annotations

import os
import sys
from typing import List

_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); import importlib; "
    "getattr(importlib.import_module('cloudtui_host.' + sys.argv[2]), sys.argv[3])(*sys.argv[4:])"
)


def folder() -> str:
    """The folder that holds this very package."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def command(module: str, function: str, *args: str) -> List[str]:
    """The words that call `function` of one of our modules in a fresh process."""
    return [sys.executable, "-ISu", "-c", _CODE, folder(), module, function, *args]
