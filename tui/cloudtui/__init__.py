"""What a person sees of cloudtui: the desktop and the command line, two faces of one registry of actions."""

from __future__ import annotations

from cloudtui_engine import __version__

__all__ = ["__version__"]
