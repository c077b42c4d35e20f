"""The whole pipeline: from a folder of content to a registered generator that has answered over HTTP."""

from __future__ import annotations

from datetime import datetime

from aigc_models.heads import GENERATE
from flows.champions import contested, in_its_format, standing
from flows.config import PipelineConfig
from flows.data import prepare
from flows.entry import entry
from flows.flow import flow, of_dataset, tracked
from flows.order import Order
from flows.promotion import promote, registering
from flows.recipes import registered_name, remembering
from flows.sizes import sized
from flows.training import train
from tasks.report.write_report import Outcome, ReportRef, write_report
from tasks.serve.try_served import TrialSettings, try_served
from tasks.stage.references import RegisteredRef
from tasks.use.generate import generate


@flow
@entry
@tracked
def pipeline(order: Order) -> ReportRef:
    """The whole pipeline of `aigc run`: each data set in turn, and one report over them all."""
    config, run = order.config, f"{order.name}-{datetime.now():%Y%m%d-%H%M%S}"
    outcomes = [produce(one, config.serving) for one in config.runs]
    served = try_served(
        [outcome.serving for outcome in outcomes],
        [outcome.registered for outcome in outcomes],
        config.serving,
        evaluations=[outcome.evaluation for outcome in outcomes],
    )
    return write_report(outcomes, served, run, config.name)


@flow
@of_dataset
@tracked
@remembering
def produce(config: PipelineConfig, trial: TrialSettings = TrialSettings()) -> Outcome:
    """One data set: prepare, train, promote, generate; `trial` is what comes after."""
    champion = standing(config)
    data = prepare(config.data)
    config = sized(in_its_format(config, champion, data), champion, data)
    config = contested(config, champion)
    trained = train(data, config.training, config.judging(), model=registered_name(config), whole=config.alone(trial))
    promoted = promote(trained, config)
    generates = config.training.encode.task == GENERATE
    batch = generate(promoted.ensemble, config.generation, promoted.registered) if generates else None
    return Outcome(
        config=config,
        name=config.name,
        notes=config.notes,
        data=data,
        trained=trained,
        registered=promoted.registered,
        decision=promoted.decision,
        batch=batch,
        serving=promoted.ensemble,
        evaluation=promoted.evaluation,
    )


@flow
@entry
@tracked
def training(order: Order) -> list[RegisteredRef]:
    """What `aigc train` does: each data set up to a registered challenger; nothing is promoted."""
    return [contend(one) for one in order.config.runs]


@flow
@of_dataset
@tracked
@remembering
def contend(config: PipelineConfig) -> RegisteredRef:
    """One data set: prepare, train, register."""
    champion = standing(config)
    data = prepare(config.data)
    config = sized(in_its_format(config, champion, data), champion, data)
    trained = train(data, config.training, config.judging(), model=registered_name(config))
    return registering(trained, config)
