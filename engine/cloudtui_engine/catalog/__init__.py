"""The catalog: one SQLite file, and a repository a noun on it. Nothing outside this package speaks SQL."""

from cloudtui_engine.catalog.catalog import Catalog
from cloudtui_engine.catalog.runs import RunQuery

__all__ = ["Catalog", "RunQuery"]
