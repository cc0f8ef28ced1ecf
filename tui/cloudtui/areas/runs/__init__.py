"""Runs: the list, and of one run its charts, log, settings, machine and files."""
