"""Live data: what arrives in a folder is answered as it arrives."""

from __future__ import annotations

from flows.entry import entry
from flows.flow import flow, tracked
from tasks.use.follow import Followed, FollowSettings
from tasks.use.follow import follow as follow_stage


@flow
@entry
@tracked
def following(settings: FollowSettings) -> Followed:
    """What `aigc generate --follow` does: each file that arrives is answered, once, until told to end."""
    followed: Followed = follow_stage(settings)
    return followed
