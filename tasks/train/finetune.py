"""Supervised finetuning of one member: with its labels, from random weights or a pretrained body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from aigc_models.errors import BadInput
from aigc_models.heads import GENERATE
from tasks.stage.references import CorpusRef, ModelRef
from tasks.stage.stage import StageContext, stage
from tasks.train.checkpoint import licence_of
from tasks.train.inputs import apart, prepared
from tasks.train.members import MemberSettings

if TYPE_CHECKING:
    from aigc_models.bundle import Card
    from aigc_models.training.plan import Plan

Kind = Literal["member", "body"]
MAKES = frozenset({"generates", "streams", "forecasts"})  # what a member can that joins in making items


@stage(process=True)
def finetune(data: CorpusRef, body: ModelRef | None, member: MemberSettings, context: StageContext) -> ModelRef:
    """Train one member on the train split; validation stops it early and picks its best weights."""
    return learn(data, body, member, "member", context)


def learn(
    data: CorpusRef,
    body: ModelRef | None,
    member: MemberSettings,
    kind: Kind,
    context: StageContext,
    held: CorpusRef | None = None,
) -> ModelRef:
    """Build, start from the weights of `body` if there is one, train, and write the bundle into the stage's folder.

    `held`: a corpus whose validation and test items are not learnt from.
    """
    from aigc_models import bundle
    from aigc_models.capabilities import Fits, capabilities
    from aigc_models.training import checkpoints
    from aigc_models.training.fit import fit
    from aigc_models.training.tuning import merged
    from tasks.train.companions import companions
    from tasks.train.members import training_plan

    model, corpora = prepared(data, body, member, context)
    if kind == "member" and data.task == GENERATE and not MAKES & set(capabilities(model)):
        can = ", ".join(capabilities(model)) or "nothing of the kind"
        raise BadInput(
            f"member {member.name!r}: family {member.family} makes no items; it {can}. Choose another, or say --task"
        )
    if held is not None:
        corpora["train"] = apart(corpora["train"], held, context)
    fitted, loss, plan = None, None, None
    if isinstance(model, Fits):
        loss = model.fit(corpora["train"], corpora["validation"], context.progress)
    else:
        plan = training_plan(member)
        with companions(plan.processes, data, body, member, context):
            fitted = fit(model, corpora["train"], corpora["validation"], plan, context)
        context.log(steps=fitted.steps, training_seconds=fitted.seconds)
    model = merged(model)
    folder = context.folder / "bundle"
    licence = licence_of(context.workspace, body) if member.start == "body" else ""
    card = bundle.save(folder, model, _card(data, body, member, kind, model, plan, licence))
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


def _card(
    data: CorpusRef,
    body: ModelRef | None,
    member: MemberSettings,
    kind: Kind,
    model: object,
    plan: Plan | None,
    body_licence: str,
) -> Card:
    from aigc_models.bundle import Card
    from aigc_models.capabilities import capabilities
    from aigc_models.heads import settings_of
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
        task=data.task,
        head=settings_of(model),
        format=data.format,
        labels=data.labels,
        capabilities=capabilities(model),
        dataset=data.dataset,
        version=data.version,
        licence="; ".join(dict.fromkeys(filter(None, [data.licence, body_licence]))),
        parents=parents,
        seed=member.seed,
        training=plan.model_dump(mode="json", exclude={"device", "checkpoint_seconds", "limit", "seed"}) if plan else {},
    )
