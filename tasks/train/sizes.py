"""At what size large pictures are learnt: the largest of theirs at which every member gets enough steps within its time.

Steps are timed on pictures of noise, before anything is encoded, and kept beside the other speeds: the same command takes
the same size tomorrow. What was trained has its size in its recipe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aigc_models.find import find
from aigc_models.heads import has_targets
from tasks.report.words import duration
from tasks.stage.references import CorpusRef, VersionRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage
from tasks.train import speed
from tasks.train.inputs import shape_of
from tasks.train.members import MemberSettings, build, training_plan
from tasks.train.speed import SPARE, Speed

LEAST = 48  # pixels of the longer side: smaller formats are learnt as they always were
ENOUGH = 1000  # steps of each member: 64,000 pictures at a batch of 64; with 350 seams were seen between patches
NOISE = 128  # pictures that steps are timed on
TIMED = 0.3  # seconds, and a few steps more


def larger(data: VersionRef, card: dict[str, Any]) -> list[CorpusRef]:
    """The larger formats that the items of a version allow, the smallest first, each as a corpus that has no files."""
    modality = find("aigc_models.modalities", data.modality)
    if not hasattr(modality, "larger"):
        return []
    formats = modality.larger(modality.Format.model_validate(card["format"]), card["diversity"])
    about = data.model_dump(include={"dataset", "modality", "version", "labels", "splits"})
    return [CorpusRef(outputs=(), sha256=data.sha256, format=format.model_dump(), **about) for format in formats]


def in_full(member: MemberSettings, format: dict[str, Any], size: str | None = None) -> MemberSettings:
    """The member, to learn all pixels of one of the larger formats, of which its size would leave out the finest.

    What it says itself, and what `size` of all members has, stay; of small pictures the usual share is learnt.
    """
    family, longest = find("aigc_models.families", member.family), max(format["height"], format["width"])
    detail = getattr(family.SIZES.get(size or member.size), "detail", longest)
    if longest < LEAST or detail >= longest:
        return member
    return member.model_copy(update={"settings": {"detail": longest, **member.settings}})


@stage(process=True, cached=False)
def measure_size(data: CorpusRef, member: MemberSettings, context: StageContext) -> None:
    """Train on noise of this format for a moment, and keep how fast it was."""
    from aigc_models.capabilities import Fits
    from aigc_models.corpus import Corpus
    from aigc_models.training.speed import measure

    shape = shape_of(data)
    model, timed = build(member, shape), Speed()
    if not isinstance(model, Fits):
        sides = (shape.format.channels, shape.format.height, shape.format.width)
        noise = np.random.default_rng(0).integers(0, 256, (NOISE, *sides), dtype=np.uint8)
        targets = np.zeros((NOISE, max(1, len(shape.labels))), np.float32) if has_targets(shape.task) else None
        corpus = Corpus(data.modality, noise, np.arange(NOISE) % shape.conditions, targets)
        plan = training_plan(member.model_copy(update={"steps": 1}))
        timed = Speed(measure(model, corpus, corpus.take(np.arange(0)), plan, context.stop, TIMED)[0])
        context.log(step_seconds=timed.step)
    speed.keep(context.workspace, _key(data, member), timed)


def _key(data: CorpusRef, member: MemberSettings) -> str:
    return f"noise-{speed.key(data, member)}"


def kept(workspace: Workspace, data: CorpusRef, member: MemberSettings) -> Speed | None:
    """As it was timed at this format; None where it was not yet."""
    return speed.kept_as(workspace, _key(data, member))


def needed(budget: float, members: Sequence[MemberSettings], speeds: Sequence[Speed]) -> float:
    """The budget, in seconds, that gives each of the members enough steps at these speeds; `budget` gives them theirs."""
    pairs = zip(members, speeds, strict=True)
    return max((budget * ENOUGH * timed.step / (SPARE * one.seconds) for one, timed in pairs if one.seconds), default=0.0)


def described(
    usual: tuple[float, float], taken: dict[str, Any], budget: float, next_one: tuple[dict[str, Any], float] | None
) -> str:
    """What is learnt at which size, for people; `usual`: width and height of the pictures, `next_one`: a size and its budget.

    >>> described((100, 100), {"width": 64, "height": 64}, 180, ({"width": 96, "height": 96}, 412.3))
    'pictures of 100 x 100: trained at 64 x 64 within 3 min 0 s; 96 x 96 needs a budget of about 7m'
    """
    text = f"pictures of {usual[0]:g} x {usual[1]:g}: trained at {words(taken)} within {duration(budget)}"
    if next_one is None:
        return text
    return f"{text}; {words(next_one[0])} needs a budget of about {max(1, math.ceil(next_one[1] / 60))}m"


def words(format: dict[str, Any]) -> str:
    """
    >>> words({"width": 64, "height": 40})
    '64 x 40'
    """
    return f"{format['width']} x {format['height']}"
