"""What all sounds of a data set have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.modalities.audio.sound_file import HIGHEST_RATE, LOWEST_RATE

GRID = 256  # samples, of which a format's length is a multiple


class Format(BaseModel):
    """The one length, rate and number of channels to which all sounds of a data set are brought."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rate: int = Field(description="samples a second (Hz)", ge=LOWEST_RATE, le=HIGHEST_RATE)
    samples: int = Field(description=f"length in samples, a multiple of {GRID}", gt=0, multiple_of=GRID)
    channels: int = Field(description="1 mono, 2 stereo", ge=1, le=2)
