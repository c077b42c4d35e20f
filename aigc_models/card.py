"""The card of a bundle, `bundle.json`: what it is, how to build it, and the digests of all its other files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.reading.bundle_files import CARD, Inside, Sha256, Single, card_text, first_fault, unusable_card

FORMAT_VERSION = 2  # 1, or none stated: a seed gave other items, since only its low 32 bits counted

Settings = TypeVar("Settings", bound=BaseModel)


class Card(BaseModel):
    """What stands in `bundle.json`. `save` fills in `members`, `capabilities`, `params`, `outside` and `digests`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(1, ge=1, description="of this layout, and of what a seed means; `save` fills it in")
    kind: Literal["member", "ensemble", "body", "baseline"] = Field("member", description="what it is for")
    name: str = Field(description="by which it is called in reports")
    family: str = Field(description="file of aigc_models/families, or of aigc_models/ensembles for an ensemble")
    modality: str = Field(description="file of aigc_models/modalities")
    config: dict[str, Any] = Field({}, description="the family's Config, or the ensemble's Settings")
    task: str = Field("generate", description="what it is asked: a file of aigc_models/heads")
    head: dict[str, Any] = Field({}, description="the task's Settings, where the family does it through a head on top")
    format: dict[str, Any] = Field({}, description="the modality's Format")
    labels: tuple[str, ...] = Field((), description="condition i is labels[i]; len(labels) is 'no label'")
    capabilities: tuple[str, ...] = Field((), description="names of aigc_models.capabilities.PROTOCOLS")
    members: tuple[Single, ...] = Field((), description="sub-folders of members/")
    weights: dict[str, float] = Field({}, description="of an ensemble's members")
    dataset: str = Field("", description="name of the data set")
    version: str = Field("", description="of the data set: a digest")
    parents: dict[str, str] = Field({}, description="digests of the bundles it was made from, by name")
    licence: str = Field("", description="of the data, as its owner states it")
    seed: int = Field(0, ge=-(2**63), lt=2**64, description="of its training")
    training: dict[str, Any] = Field({}, description="the plan that it was trained by: steps, batch size, rates")
    micro_batch: int = Field(16, ge=1, le=4096, description="items that are generated together, always; short ones are padded")
    params: int = Field(0, ge=0, lt=2**63, description="numbers learnt")
    outside: tuple[str, ...] = Field((), description="what it asks that lies elsewhere, whose answers nobody can make again")
    digests: dict[Inside, Sha256] = Field({}, description="sha256 of each other file, by relative path")

    @property
    def shape(self) -> Shape:
        """What the family builds the model from."""
        formats = find("aigc_models.modalities", self.modality).Format
        return Shape(self.modality, self.labels, valid(formats, self.format, f"the format of {self.name}"), self.task)


def read_card(folder: Path) -> Card:
    """The card alone, without a look at the weights; `BadInput` where there is no bundle or its card cannot be used."""
    try:
        card = Card.model_validate_json(card_text(folder), strict=True)
    except ValidationError as error:
        raise unusable_card(folder, error) from error
    if card.format_version > FORMAT_VERSION:
        stated = f"{folder / CARD} is of format {card.format_version}"
        raise BadInput(f"{stated}, and this program reads up to {FORMAT_VERSION}: use the version that made it, or newer")
    return card


def valid(kind: type[Settings], fields: Mapping[str, Any], what: str) -> Settings:
    """Settings from a card; `BadInput` that says which of them does not fit."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise BadInput(f"{what} cannot be used here: {first_fault(error)}; train it again with this version") from error
