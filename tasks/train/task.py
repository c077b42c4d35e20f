"""What a data set can be asked: the task that its columns suit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from aigc_models.find import find
from aigc_models.heads import GENERATE, tasks


class ChosenTask(NamedTuple):
    """A file of `aigc_models/heads`, and what of the data speaks for it; empty where it was asked for."""

    task: str
    reason: str = ""


def suited(card: Mapping[str, Any]) -> ChosenTask:
    """The task that a data card suits; to generate where no other does."""
    for task in tasks():
        reason = getattr(find("aigc_models.heads", task), "suits", lambda card: "")(card)
        if reason:
            return ChosenTask(task, reason)
    return ChosenTask(GENERATE, "the data have neither labels to tell apart nor histories of items")
