"""The engine of cloudtui: catalog, host sessions, operations. It knows no screen."""

__version__ = "0.1.0"
