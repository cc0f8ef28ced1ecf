"""`cloudtui` and `python -m cloudtui`."""

from __future__ import annotations

import sys

from cloudtui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
