"""Supervised finetuning of one member: with its labels, from random weights or a pretrained body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from tasks.split.folds import outside
from tasks.stage.references import CorpusRef, ModelRef
from tasks.stage.stage import StageContext, stage
from tasks.train.members import MemberSettings

if TYPE_CHECKING:
    from aigc_models.bundle import Card
    from aigc_models.capabilities import Shape
    from aigc_models.corpus import Corpus
    from aigc_models.training.plan import Plan

Kind = Literal["member", "body"]


def shape_of(data: CorpusRef) -> Shape:
    """What a family has to know of the data."""
    from aigc_models.capabilities import Shape
    from aigc_models.find import find

    modality = find("aigc_models.modalities", data.modality)
    return Shape(data.modality, data.labels, modality.Format.model_validate(data.format))


def splits(data: CorpusRef, context: StageContext) -> dict[str, Corpus]:
    """The encoded splits, memory-mapped."""
    from aigc_models.corpus import Corpus

    folders = [context.workspace.path(output) for output in data.outputs]
    return {folder.name: Corpus.load(folder, data.modality) for folder in folders}


@stage(process=True)
def finetune(data: CorpusRef, body: ModelRef | None, member: MemberSettings, context: StageContext) -> ModelRef:
    """Train one member on the train split; validation stops it early and picks its best weights."""
    return learn(data, body, member, "member", context)


def learn(data: CorpusRef, body: ModelRef | None, member: MemberSettings, kind: Kind, context: StageContext) -> ModelRef:
    """Build, start from the weights of `body` if there is one, train, and write the bundle into the stage's folder."""
    from aigc_models import bundle
    from aigc_models.capabilities import Fits
    from aigc_models.training import checkpoints
    from aigc_models.training.fit import fit
    from tasks.train.companions import companions
    from tasks.train.members import training_plan

    model, corpora = prepared(data, body, member, context)
    fitted, loss, plan = None, None, None
    if isinstance(model, Fits):
        loss = model.fit(corpora["train"], corpora["validation"], context.progress)
    else:
        plan = training_plan(member)
        with companions(plan.processes, data, body, member, context):
            fitted = fit(model, corpora["train"], corpora["validation"], plan, context)
        context.log(steps=fitted.steps, training_seconds=fitted.seconds)
    folder = context.folder / "bundle"
    card = bundle.save(folder, model, _card(data, body, member, kind, model, plan))
    (context.folder / "curve.json").write_text(json.dumps(list(fitted.curve) if fitted else []))
    checkpoints.discard(context.folder / "checkpoints")
    context.log(params=card.params, family=member.family, size=member.size, seed=member.seed)
    return ModelRef.to(
        context.workspace,
        folder,
        name=member.name,
        family=member.family,
        modality=data.modality,
        params=card.params,
        steps=fitted.steps if fitted else 0,
        validation_loss=fitted.validation_loss if fitted else loss,
        run_id=context.run_id,
    )


def prepared(
    data: CorpusRef, body: ModelRef | None, member: MemberSettings, context: StageContext
) -> tuple[Any, dict[str, Corpus]]:
    """The model before its training, and what it learns from."""
    from aigc_models import bundle
    from aigc_models.capabilities import Fits
    from tasks.train.members import build

    shape, corpora = shape_of(data), splits(data, context)
    if member.fold is not None:
        train = next(path for path in map(context.workspace.path, data.outputs) if path.name == "train")
        corpora["train"] = outside(corpora["train"], train, member.fold, member.name)
        context.log(train_items=len(corpora["train"]))
    model = build(member, shape)
    if body is not None and member.start != "random" and not isinstance(model, Fits):
        copied, of = bundle.warm_start(model, body.path(context.workspace))
        context.log(tensors_copied=copied, tensors=of)
    return model, corpora


def _card(data: CorpusRef, body: ModelRef | None, member: MemberSettings, kind: Kind, model: object, plan: Plan | None) -> Card:
    from aigc_models.bundle import Card
    from aigc_models.capabilities import capabilities
    from tasks.stage.code_version import code_version
    from tasks.train.members import model_config

    parents = {"data": data.sha256, "code": code_version([f"aigc_models.families.{member.family}"])}
    if body is not None and member.start != "random":
        parents[member.start] = body.sha256
    return Card(
        kind=kind,
        name=member.name,
        family=member.family,
        modality=data.modality,
        config=model_config(member).model_dump(mode="json"),
        format=data.format,
        labels=data.labels,
        capabilities=capabilities(model),
        dataset=data.dataset,
        version=data.version,
        licence=data.licence,
        parents=parents,
        seed=member.seed,
        training=plan.model_dump(mode="json", exclude={"device", "checkpoint_seconds", "limit", "seed"}) if plan else {},
    )
