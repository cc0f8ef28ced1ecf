"""A probe's answer before it is kept: see `records.facts`, which those who know no host use too."""

from cloudtui_engine.records.facts import checked_facts, checked_gpus, checked_python, renewed

__all__ = ["checked_facts", "checked_gpus", "checked_python", "renewed"]
