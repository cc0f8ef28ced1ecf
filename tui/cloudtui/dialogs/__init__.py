"""What opens over the desktop and asks something."""

from pathlib import Path

STYLES = Path(__file__).with_name("dialogs.tcss")
"""Read when the first of them opens."""
