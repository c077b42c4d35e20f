"""The card of a bundle, `bundle.json`: what it is, how to build it, and the digests of all its other files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput, fault
from aigc_models.find import find

CARD = "bundle.json"
FORMAT_VERSION = 2  # 1, or none stated: a seed gave other items, since only its low 32 bits counted

Settings = TypeVar("Settings", bound=BaseModel)


def _inside(path: str) -> str:
    """A relative path that stays in its folder; raises `ValueError` of any other."""
    if any(part in ("", ".", "..") for part in path.split("/")) or set(path) & set("\\:\0"):
        raise ValueError(f"{path!r} leads out of the bundle's folder")
    return path


def _single(name: str) -> str:
    """The name of a sub-folder."""
    if "/" in name:
        raise ValueError(f"{name!r} is no name of a folder")
    return _inside(name)


class Card(BaseModel):
    """What stands in `bundle.json`. `save` fills in `members`, `capabilities`, `params` and `digests`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(1, ge=1, description="of this layout, and of what a seed means; `save` fills it in")
    kind: Literal["member", "ensemble", "body", "baseline"] = Field("member", description="what it is for")
    name: str = Field(description="by which it is called in reports")
    family: str = Field(description="file of aigc_models/families, or of aigc_models/ensembles for an ensemble")
    modality: str = Field(description="file of aigc_models/modalities")
    config: dict[str, Any] = Field({}, description="the family's Config, or the ensemble's Settings")
    format: dict[str, Any] = Field({}, description="the modality's Format")
    labels: tuple[str, ...] = Field((), description="condition i is labels[i]; len(labels) is 'no label'")
    capabilities: tuple[str, ...] = Field((), description="names of aigc_models.capabilities.PROTOCOLS")
    members: tuple[Annotated[str, AfterValidator(_single)], ...] = Field((), description="sub-folders of members/")
    weights: dict[str, float] = Field({}, description="of an ensemble's members")
    dataset: str = Field("", description="name of the data set")
    version: str = Field("", description="of the data set: a digest")
    parents: dict[str, str] = Field({}, description="digests of the bundles it was made from, by name")
    licence: str = Field("", description="of the data, as its owner states it")
    seed: int = Field(0, description="of its training")
    training: dict[str, Any] = Field({}, description="the plan that it was trained by: steps, batch size, rates")
    micro_batch: int = Field(16, ge=1, description="items that are generated together, always; short ones are padded")
    params: int = Field(0, description="numbers learnt")
    digests: dict[Annotated[str, AfterValidator(_inside)], str] = Field(
        {}, description="sha256 of each other file, by relative path"
    )

    @property
    def shape(self) -> Shape:
        """What the family builds the model from."""
        formats = find("aigc_models.modalities", self.modality).Format
        return Shape(self.modality, self.labels, valid(formats, self.format, f"the format of {self.name}"))


def read_card(folder: Path) -> Card:
    """The card alone, without a look at the weights; `BadInput` where there is no bundle or its card cannot be used."""
    try:
        card = Card.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{folder} is no bundle: it has no {CARD}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{folder / CARD} is not UTF-8; restore the bundle or train it again") from error
    except OSError as error:
        raise BadInput(f"{folder / CARD} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise BadInput(f"{folder / CARD} cannot be used: {_first(error)}; restore the bundle or train it again") from error
    if card.format_version > FORMAT_VERSION:
        stated = f"{folder / CARD} is of format {card.format_version}"
        raise BadInput(f"{stated}, and this program reads up to {FORMAT_VERSION}: use the version that made it, or newer")
    return card


def _first(error: ValidationError) -> str:
    """The first problem in one line: where, and what."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    return f"{place}: {fault(problem)}" if place else fault(problem)


def valid(kind: type[Settings], fields: Mapping[str, Any], what: str) -> Settings:
    """Settings from a card; `BadInput` that says which of them does not fit."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise BadInput(f"{what} cannot be used here: {_first(error)}; train it again with this version") from error
