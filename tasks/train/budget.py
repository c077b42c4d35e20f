"""The training budget of one dataset, divided among its members so that they end together."""

from __future__ import annotations

from collections.abc import Sequence

from aigc_models.training.devices import Device
from tasks.train.members import MemberSettings


def makespan(shares: Sequence[float], lanes: int) -> float:
    """How long `lanes` workers take for jobs of these lengths, the longest first (Graham 1969)."""
    loads = [0.0] * max(1, lanes)
    for share in sorted(shares, reverse=True):
        loads[loads.index(min(loads))] += share
    return max(loads)


def divide(
    seconds: float, members: Sequence[MemberSettings], cores: int, seed: int, device: Device, limit: float | None = None
) -> list[MemberSettings]:
    """Give each member its seconds (in proportion to its share), its threads, its seed and device.

    `seconds` is the wall time of them all side by side on `cores`; longest first, so that no core
    waits for the last one. A member that states its own seconds or steps keeps them; `limit` is where it states none.
    """
    lanes = min(cores, max(1, len(members)))
    unit = seconds / (makespan([member.share for member in members], lanes) or 1.0)
    threads = max(1, cores // lanes)
    given = []
    for position, member in enumerate(members):
        update: dict[str, object] = {
            "threads": member.threads or threads,
            "seed": member.seed or seed + position,
            "device": member.device if member.device != "auto" else device,
            "limit": member.limit or limit,
        }
        if member.steps is None and member.seconds is None and member.share > 0:
            update["seconds"] = round(member.share * unit, 1)
        given.append(member.model_copy(update=update))
    return sorted(given, key=lambda member: -member.share)
