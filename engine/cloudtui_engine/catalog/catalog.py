"""The catalog: a repository a noun, on one file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cloudtui_engine.catalog.database import Database
from cloudtui_engine.catalog.instances import Instances
from cloudtui_engine.catalog.runs import Runs
from cloudtui_engine.catalog.settings import Settings
from cloudtui_engine.paths import Paths

if TYPE_CHECKING:
    from cloudtui_engine.catalog.action_log import ActionLog
    from cloudtui_engine.catalog.clouds import Listings, Orphans
    from cloudtui_engine.catalog.costs import Costs
    from cloudtui_engine.catalog.datasets import Datasets
    from cloudtui_engine.catalog.engine_sessions import EngineSessions
    from cloudtui_engine.catalog.events import Events
    from cloudtui_engine.catalog.gpu_use import GpuUse
    from cloudtui_engine.catalog.launches import Launches
    from cloudtui_engine.catalog.metrics import Metrics
    from cloudtui_engine.catalog.models import Models
    from cloudtui_engine.catalog.notices import Notices
    from cloudtui_engine.catalog.operations import Operations
    from cloudtui_engine.catalog.prices import Prices
    from cloudtui_engine.catalog.sources import Sources


class Catalog(Database):
    """One home's catalog. All methods and repositories may be used from any thread."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths)
        self.instances = Instances(self)
        self.runs = Runs(self)
        self.settings = Settings(self)

    # The first screen needs none of these: each is imported when somebody asks for it.

    @cached_property
    def metrics(self) -> Metrics:
        """What runs measured."""
        from cloudtui_engine.catalog.metrics import Metrics

        return Metrics(self)

    @cached_property
    def datasets(self) -> Datasets:
        """Versions of data."""
        from cloudtui_engine.catalog.datasets import Datasets

        return Datasets(self)

    @cached_property
    def sources(self) -> Sources:
        """How far journals were read."""
        from cloudtui_engine.catalog.sources import Sources

        return Sources(self)

    @cached_property
    def events(self) -> Events:
        """What happened."""
        from cloudtui_engine.catalog.events import Events

        return Events(self)

    @cached_property
    def action_log(self) -> ActionLog:
        """What somebody did."""
        from cloudtui_engine.catalog.action_log import ActionLog

        return ActionLog(self)

    @cached_property
    def notices(self) -> Notices:
        """What is worth telling."""
        from cloudtui_engine.catalog.notices import Notices

        return Notices(self)

    @cached_property
    def models(self) -> Models:
        """What runs learned."""
        from cloudtui_engine.catalog.models import Models

        return Models(self)

    @cached_property
    def operations(self) -> Operations:
        """What was asked for."""
        from cloudtui_engine.catalog.operations import Operations

        return Operations(self)

    @cached_property
    def launches(self) -> Launches:
        """Machines that were asked for."""
        from cloudtui_engine.catalog.launches import Launches

        return Launches(self)

    @cached_property
    def listings(self) -> Listings:
        """When clouds were looked at."""
        from cloudtui_engine.catalog.clouds import Listings

        return Listings(self)

    @cached_property
    def orphans(self) -> Orphans:
        """Machines of ours without a row."""
        from cloudtui_engine.catalog.clouds import Orphans

        return Orphans(self)

    @cached_property
    def costs(self) -> Costs:
        """What accrued."""
        from cloudtui_engine.catalog.costs import Costs

        return Costs(self)

    @cached_property
    def prices(self) -> Prices:
        """What providers said that machines cost."""
        from cloudtui_engine.catalog.prices import Prices

        return Prices(self)

    @cached_property
    def gpu_use(self) -> GpuUse:
        """What GPUs did of late."""
        from cloudtui_engine.catalog.gpu_use import GpuUse

        return GpuUse(self)

    @cached_property
    def engine_sessions(self) -> EngineSessions:
        """Engines that ran here."""
        from cloudtui_engine.catalog.engine_sessions import EngineSessions

        return EngineSessions(self)
