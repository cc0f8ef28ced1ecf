"""`python -m cloudtui_engine --home DIR`: the engine process."""

from __future__ import annotations

import argparse
import sys

from cloudtui_engine.engine import main
from cloudtui_engine.paths import Paths

parser = argparse.ArgumentParser(prog="cloudtui-engine")
parser.add_argument("--home")
parser.add_argument("--foreground", action="store_true")
arguments = parser.parse_args()
sys.exit(main(Paths.find(arguments.home), foreground=arguments.foreground))
