"""What a member of an ensemble is made of: settings, and the model and bundle that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from aigc_models.errors import BadInput, unknown
from aigc_models.find import find, names
from aigc_models.outside import FAMILIES as OUTSIDE
from aigc_models.training.devices import AUTO, Device
from tasks.stage.validation import bad_input

if TYPE_CHECKING:
    from aigc_models.capabilities import Shape
    from aigc_models.training.fit import Plan

Tune = Literal["full", "frozen", "lora"]
Size = Literal["debug", "small", "base", "large"]


class MemberSettings(BaseModel):
    """One model to train. `family` is a file of `aigc_models/families`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", description="name in the report; the family's where it is empty")
    family: str = Field(description="a family: a file name of aigc_models/families")
    size: Size = Field("small", description="the one dial: debug (a second), small (a minute of one core), base, large (a GPU)")
    settings: dict[str, Any] = Field({}, description="fields of the family's Config that differ from the size's")
    head: dict[str, Any] = Field({}, description="fields of the task's Settings that differ from its defaults")
    tune: Tune = Field("full", description="what of a body learns beside the head: all of it, nothing, or low-rank additions")
    plan: dict[str, Any] = Field(
        {}, description="fields of the training plan that differ from the family's (learning_rate, batch_size, ...)"
    )
    share: float = Field(1.0, ge=0, description="share of the training budget relative to the other members")
    seconds: float | None = Field(
        None, gt=0, description="training time in seconds, turned into steps once; from the budget where it is not given"
    )
    steps: int | None = Field(None, gt=0, description="training steps; overrides seconds")
    limit: float | None = Field(
        None, gt=0, description="seconds after which training stops, says so and can go on; what is made stays the same"
    )
    start: Literal["random", "body", "champion"] = Field(
        "random", description="initial weights: random, the pretrained body's, or those of the champion's member of this name"
    )
    fold: int | None = Field(
        None, ge=0, description="fold of train that this member does not see; the data set needs data.split.folds"
    )
    threads: int = Field(0, ge=0, description="cores; 0 = the machine's divided by the members that train side by side")
    seed: int = Field(0, description="seed of the weights, the batches and the noise")
    device: Device = Field("auto", description=AUTO)

    @field_validator("family")
    @classmethod
    def _check_family(cls, family: str) -> str:
        if family not in names("aigc_models.families"):
            raise unknown("family", family, names("aigc_models.families"))
        return family

    def model_post_init(self, context: object) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.family)
        if self.family in OUTSIDE:  # it is not trained, and takes nothing of the budget
            object.__setattr__(self, "share", 0.0)


class PretrainingSettings(MemberSettings):
    """The body that members of `start: body` begin with: trained here, or a published checkpoint, or this trained further."""

    family: str = Field("checkpoint", description="a family: a file name of aigc_models/families")
    checkpoint: str = Field(
        "", description="a published one that it begins with: a name of the catalogue, a folder, or OWNER/NAME on the hub"
    )
    data: str = Field(
        "", description="a data set of its own to learn from, such as a larger one without labels; empty: the run's"
    )
    share: float = Field(0.0, ge=0, lt=1, description="of the training budget; 0: a published checkpoint as it is")

    @model_validator(mode="after")
    def _begins_somewhere(self) -> PretrainingSettings:
        if not self.checkpoint and not self.learns:
            raise ValueError("needs a share of the budget above 0, `steps`, `seconds`, or a published `checkpoint`")
        return self

    @property
    def learns(self) -> bool:
        """Whether it is trained at all, or is a checkpoint as it was published."""
        return bool(self.steps or self.seconds or self.share)


def based_on(member: MemberSettings, body: Mapping[str, Any]) -> MemberSettings:
    """The member with what the card of a `body` of its own family says of the network, under what the member says itself."""
    if member.start != "body" or member.family != body["family"]:
        return member
    return member.model_copy(update={"settings": {**body["config"], **member.settings}})


def model_config(member: MemberSettings) -> BaseModel:
    """The family's Config for a member; raises `BadInput` naming an unknown field or a wrong value."""
    family = find("aigc_models.families", member.family)
    if member.size not in family.SIZES:
        raise unknown(f"size of {member.family}", member.size, family.SIZES)
    try:
        config: BaseModel = family.Config.model_validate({**family.SIZES[member.size].model_dump(), **member.settings})
    except ValidationError as error:
        raise bad_input(error, family.Config, f"settings of member {member.name!r}") from error
    return config


def training_plan(member: MemberSettings) -> Plan:
    """The family's plan, with the member's own fields on top, and its steps; `BadInput` where it has none."""
    from aigc_models.training.fit import Plan

    family = find("aigc_models.families", member.family)
    if member.steps is None:
        raise BadInput(f"member {member.name!r} has no length: give it `steps`, `seconds` or a `share` of the budget above 0")
    length = {"steps": member.steps, "limit": member.limit}
    values = {**getattr(family, "PLAN", {}), "seed": member.seed, "device": member.device, **member.plan, **length}
    try:
        return Plan.model_validate(values)
    except ValidationError as error:
        raise bad_input(error, Plan, f"plan of member {member.name!r}") from error


def build(member: MemberSettings, shape: Shape) -> Any:
    """A fresh model that can do the shape's task, with a head where the family cannot; its weights depend on the member's
    seed alone."""
    from aigc_models.heads import headed
    from aigc_models.training.fit import seeded

    family = find("aigc_models.families", member.family)
    if shape.modality not in family.MODALITIES:
        fitting = ", ".join(sorted(family.MODALITIES))
        raise unknown(f"family for {shape.modality} (it learns {fitting})", member.family, families_for(shape.modality))
    with seeded(member.seed):
        return headed(family.build(model_config(member), shape), shape, member.head)


def families_for(modality: str) -> list[str]:
    """The families that can learn a modality."""
    return [name for name in names("aigc_models.families") if modality in find("aigc_models.families", name).MODALITIES]
