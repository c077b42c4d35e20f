"""At what size large pictures are learnt within a budget, said before anything is trained."""

from __future__ import annotations

from flows.champions import at_size
from flows.config import PipelineConfig
from tasks.judge.champion import ChampionRef
from tasks.stage.context import StageContext
from tasks.stage.execution import Execution, Planned
from tasks.stage.references import CorpusRef, VersionRef
from tasks.train import sizes
from tasks.train.encode import read_card
from tasks.train.members import MemberSettings
from tasks.train.sizes import measure_size
from tasks.train.speed import Speed


def sized(config: PipelineConfig, champion: ChampionRef | None, data: VersionRef) -> PipelineConfig:
    """The configuration at the largest size for which the budget is enough; as it is where it states a format or steps,
    where a champion's format is kept, and where the items are small."""
    training, execution = config.training, Execution.current()
    stated = training.encode.format is not None or any(member.steps or member.seconds for member in training.members)
    if champion is not None or stated or isinstance(data, Planned):
        return config
    card = read_card(data.path(execution.workspace))
    candidates = sizes.larger(data, card)
    if not candidates:
        return config
    taken, more = None, None
    for corpus in candidates:
        members = at_size(config, corpus.format).training.planned(execution.cores)
        enough = sizes.needed(training.budget, members, timed(corpus, members))
        if enough > training.budget:
            more = (corpus.format, enough)
            break
        taken = corpus
    usual = (card["diversity"]["width"][1], card["diversity"]["height"][1])
    format = taken.format if taken else card["format"]
    execution.observer.message(f"{data.dataset}: {sizes.described(usual, format, training.budget, more)}")
    return at_size(config, taken.format) if taken else config


def timed(corpus: CorpusRef, members: list[MemberSettings]) -> list[Speed]:
    """Of each member, measured now where it was not yet; under `aigc plan` too, and kept, so that the run takes the same."""
    execution = Execution.current()
    waiting = [member for member in members if sizes.kept(execution.workspace, corpus, member) is None]
    if execution.planning:
        for member in waiting:
            measure_size.plain(corpus, member, StageContext(execution.workspace.stages, execution.workspace))
    else:
        for running in [measure_size.submit(corpus, member) for member in waiting]:
            running.result()
    return [sizes.kept(execution.workspace, corpus, member) or Speed() for member in members]
