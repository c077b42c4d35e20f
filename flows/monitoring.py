"""Content that arrives is classified, and each period that is over is summed up."""

from __future__ import annotations

from pydantic import Field

from flows.config import Settings
from flows.entry import entry
from flows.flow import flow, tracked
from tasks.use.follow import FollowSettings, follow
from tasks.use.monitor.monitor import Monitored, MonitorSettings, monitor


class MonitoringConfig(Settings):
    """What arrives where, which model says what it is, and what to watch."""

    following: FollowSettings = Field(description="the folder, the model, and where its answers go")
    monitoring: MonitorSettings = Field(description="what to watch in these answers; `out` is that of `following`")

    @property
    def name(self) -> str:
        return self.following.model


@flow
@entry
@tracked
def monitoring(config: MonitoringConfig) -> Monitored:
    """What `aigc monitor` does: classify what is new, each file once, and sum up the periods that are over."""
    follow(config.following.model_copy(update={"once": True}))
    summed: Monitored = monitor(config.monitoring.model_copy(update={"out": config.following.out}))
    return summed
