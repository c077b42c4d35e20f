"""How the series of a data set are cut and scaled."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Format(BaseModel):
    """How a series is cut into windows, and the scale on which models see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    context: int = Field(description="steps of the past that a model is told", gt=0)
    horizon: int = Field(description="steps that it continues them by", gt=0)
    stride: int = Field(1, description="steps between the origins of validation and test windows", gt=0)
    season: int = Field(1, description="steps after which the series repeats itself; 1: it does not", gt=0)
    channels: int = Field(description="values at each step", gt=0)
    names: tuple[str, ...] = Field(description="of the channels")
    step: str = Field(description="from one point to the next: 7D, 1h, 15min, 1MS (a month), or 1 for a plain number")
    centre: tuple[float, ...] = Field(description="mean of each channel in the train part, in its own unit")
    scale: tuple[float, ...] = Field(description="standard deviation of each channel in the train part, in its own unit")

    @property
    def length(self) -> int:
        """Steps of a whole window."""
        return self.context + self.horizon
