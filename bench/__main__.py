"""Run every measurement, or those named on the command line."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import sys

import bench


def main() -> int:
    """Each module here has a `main()` that prints its figures; 1 when one of them missed its goal."""
    words = sys.argv[1:]
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    sys.argv[1:] = words[len(names) :]  # options are for the one module that is named
    names = names or sorted(
        module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")
    )
    missed = False
    for name in names:
        missed |= importlib.import_module(f"bench.{name}").main() is False
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
