"""Logging in to one host at this terminal: `python -m cloudtui_engine.hosts.login`, a process of its own.

Their ssh asks its questions here; what holds the connection afterwards is ssh alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.hosts import master
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address


def main(argv: Sequence[str] | None = None) -> int:
    """Its exit status; why there is no login is JSON in the descriptor `--report`."""
    parser = argparse.ArgumentParser(prog="cloudtui-login")
    parser.add_argument("--home", required=True)
    parser.add_argument("--report", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--end", action="store_true", help="log out instead")
    parser.add_argument("address", type=json.loads, help="fields of an Address")
    given = parser.parse_args(argv)
    try:
        shared = master.of(Paths.find(given.home), Address(**given.address), given.name)
        if given.end:
            shared.end()
        else:
            shared.log_in_here()
    except KeyboardInterrupt:
        return 130
    except CloudtuiError as error:
        with os.fdopen(given.report, "w") as report:
            json.dump(error.as_dict(), report)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
