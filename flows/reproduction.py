"""A registered version made again from its recipe, and compared file by file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.card import CARD, read_card
from flows.config import PipelineConfig
from flows.data import prepare
from flows.entry import entry
from flows.flow import flow, of_dataset, tracked
from flows.training import learn
from tasks.dataset.ledger import ledger
from tasks.judge.champion import ChampionRef, version_as_champion
from tasks.registry.bundles import bundle_folder
from tasks.registry.register import find_version
from tasks.registry.version_recipe import VersionRecipe, kept
from tasks.stage.execution import Execution
from tasks.stage.references import EnsembleRef
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client
from tasks.stage.validation import validated
from tasks.train.ensemble import build_ensemble
from tasks.version.checkout import checkout


class ReproductionConfig(BaseModel):
    """Which version is made again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="a registered version: NAME/VERSION, NAME@alias, or NAME for its champion")


class Reproduction(BaseModel):
    """Whether the files of a bundle came out byte for byte; `differing` names those that did not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: int
    same: bool
    files: int = Field(description="that were compared: weights and what else a model needs, but not the cards")
    differing: tuple[str, ...] = ()
    notes: tuple[str, ...] = Field((), description="what is otherwise than when it was made")


@flow
@entry
@tracked
def reproduce(request: ReproductionConfig) -> Reproduction:
    """What `aigc reproduce` does: train anew, by the recipe and on the data of then, and compare. Nothing is registered."""
    execution = Execution.current()
    store = client(execution.workspace)
    version = find_version(store, request.name)
    recipe, bundle = kept(store, version), bundle_folder(execution.workspace, store, version)
    config = validated(PipelineConfig, recipe.config, f"recipe of {version.name}/{version.version}")
    champion = None
    if recipe.champion is not None:
        champion = version_as_champion(execution.workspace, version.name, recipe.champion)
    with anew(execution, recipe), left_standing(execution.workspace, config.data.source.name):
        ensemble = made_again(config, champion, recipe.alone)
        made = ensemble.path(execution.workspace)
        (differing, files), notes = compared(bundle, made), changes(bundle, made, execution)
    return Reproduction(
        model=version.name,
        version=int(version.version),
        same=not differing,
        files=files,
        differing=tuple(differing),
        notes=tuple(notes),
    )


@flow
@of_dataset
@tracked
def made_again(config: PipelineConfig, champion: ChampionRef | None, alone: str) -> EnsembleRef:
    """The data as they were, and all members and the ensemble from nothing, or the one model that stands `alone`."""
    learned = learn(prepare(config.data), config.training, champion)
    if not alone:
        return learned.ensemble
    candidates = {model.name: model for model in [*learned.members, learned.baseline]}
    return build_ensemble(learned.corpus, [candidates[alone]], config.training.combining())


@contextmanager
def anew(execution: Execution, recipe: VersionRecipe) -> Iterator[None]:
    """What is trained is not taken from the cache, and the machine counts as one with the cores of then."""
    cores, execution.cores = execution.cores, recipe.cores
    execution.fresh = execution.owner or "again"
    try:
        yield
    finally:
        execution.cores, execution.fresh = cores, ""


@contextmanager
def left_standing(workspace: Workspace, dataset: str) -> Iterator[None]:
    """Put the version of the data set that stands in `data/` back afterwards."""
    before = ledger(workspace, dataset)[-1:]
    try:
        yield
    finally:
        if before and ledger(workspace, dataset)[-1].version != before[0].version:
            checkout(workspace, dataset, before[0].version)


def compared(before: Path, after: Path) -> tuple[list[str], int]:
    """The files that differ between two bundles or are in one alone, and how many there are.

    Cards are left out: they hold the digests of the code and of the cards below.
    """
    first, second = _contents(before), _contents(after)
    names = sorted(first.keys() | second.keys())
    return [name for name in names if first.get(name) != second.get(name)], len(names)


def _contents(bundle: Path) -> dict[str, object]:
    card = read_card(bundle)
    files = {name: digest for name, digest in card.digests.items() if Path(name).name != CARD}
    return {**files, "weights of the members": card.weights}


def changes(before: Path, after: Path, execution: Execution) -> list[str]:
    """What is otherwise than when the version was made, as far as it may have changed the outcome."""
    first, second = read_card(before), read_card(after)
    notes = ["another version of the data"] if first.version != second.version else []
    cards = {name: (read_card(before / "members" / name), read_card(after / "members" / name)) for name in first.members}
    cards = {"the ensemble": (first, second), **cards}
    code = [name for name, (old, new) in cards.items() if old.parents.get("code") != new.parents.get("code")]
    notes += [f"the code or a library has changed since for {', '.join(code)}"] if code else []
    notes += [f"{where} was asked again, and its answers may be others now" for where in first.outside]
    machine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [*notes, *([f"{machine} cores here, {execution.cores} then"] if machine != execution.cores else [])]
