"""What a user says of the division."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from tasks.dataset.card import CardSettings
from tasks.split.embargo import parsed
from tasks.split.expectations import Expectation


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | float) else value


class SplitSettings(BaseModel):
    """How items are divided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["hash", "time", "column"] = Field(
        "hash", description="hash: at random, for good; time: the latest are test; column: every item says its own split"
    )
    validation: float = Field(0.1, gt=0, lt=0.5, description="part of the items for validation (fraction)")
    test: float = Field(0.1, gt=0, lt=0.5, description="part of the items for the test (fraction)")
    seed: Annotated[str, BeforeValidator(_text)] = Field("aigc", description="another text gives another division (text)")
    embargo: Annotated[str, BeforeValidator(_text)] = Field(
        "",
        description="of a division by time: what lies this long before validation begins, and before the test begins, is "
        "left out (a duration such as 7 days, or a number where times are numbers)",
    )
    folds: int = Field(
        0, ge=0, le=200, description="parts of train, each of which members of an ensemble may leave out (number)"
    )
    card: CardSettings = Field(CardSettings(), description="what the data card says beside the figures")
    expect: tuple[Expectation, ...] = Field((), description="what its items are expected to be, or there is no new version")

    @field_validator("embargo")
    @classmethod
    def _has_a_length(cls, embargo: str) -> str:
        if embargo:
            parsed(embargo)
        return embargo

    @field_validator("folds")
    @classmethod
    def _more_than_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one fold is all of train; ask for 2 or more, or 0 for none")
        return folds
