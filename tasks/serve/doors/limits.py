"""What one request may ask for, and all of them together: bounds that the server's owner sets (`aigc serve --limit`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aigc_models.errors import BadInput

LIMIT = "x-limit"  # in the JSON schema of a request's field: by which of the limits it is bounded
OF_SAMPLING = {"max_length": "tokens", "steps": "steps"}  # options of a model that cost
SYMBOLS, STEPS = 1024, 8  # of a text, or of a sampler, that cost as much as one item


class Limits(BaseModel):
    """Bounds of a server. A cost is counted in items: 1024 symbols of a text, or an item in 8 steps of its sampler, are one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(4096, ge=1, description="symbols of one text, where they are asked for")
    prompt: int = Field(16_384, ge=1, description="bytes of one prompt, or of one text that is given")
    items: int = Field(64, ge=1, description="items of one request")
    steps: int = Field(100, ge=1, description="steps of a sampler")
    cost: int = Field(64, ge=1, description="items that one request may cost")
    room: int = Field(128, ge=1, description="items that may wait or be made at a time; beyond it requests get a 429")
    body: int = Field(1_000_000, ge=1, description="bytes of a request's body")
    bodies: int = Field(32_000_000, ge=1, description="bytes of all bodies that are being received; beyond it a 503")
    contents: int = Field(100_000_000, ge=1, description="bytes of the contents of one request, once they are decoded")
    connections: int = Field(256, ge=1, description="open connections; beyond it a 503")
    header_seconds: float = Field(10, gt=0, description="until a request's headers are there; after it a 408")
    body_seconds: float = Field(20, gt=0, description="until a request's body is there; after it a 408")
    answer_seconds: float = Field(600, gt=0, description="until an answer is done; after it a 504")
    rate: int = Field(0, ge=0, description="requests a minute of each key, or of each address that comes without one; 0: any")

    @model_validator(mode="after")
    def _one_fits(self) -> Self:
        for small, large in (("cost", "room"), ("body", "bodies")):
            if getattr(self, small) > getattr(self, large):
                raise ValueError(f"{small} is {getattr(self, small)}, more than {large}, which is {getattr(self, large)}")
        return self

    def check(self, asked: BaseModel) -> None:
        """Raise `BadInput` for a field that was asked for and is more than its limit."""
        for field, limit, amount in _amounts(asked):
            self.allow(field, limit, amount)

    def allow(self, field: str, limit: str, amount: float) -> None:
        """Raise `BadInput` where `amount` is more than the limit of that name."""
        most = getattr(self, limit)
        if amount > most:
            unit = " bytes" if limit == "prompt" else ""
            raise BadInput(
                f"{field}: {amount:,.15g}{unit} asked, this server allows {most:,}{unit} (its limit {limit!r}); ask for less"
            )


def cost(items: int = 0, symbols: int = 0, steps: int = 0) -> int:
    """What a request costs, in items: `items` in so many `steps` each (0: the model's own), or `symbols` of texts."""
    return max(items * max(1, -(-steps // STEPS)), -(-symbols // SYMBOLS))


def _amounts(asked: BaseModel) -> Iterator[tuple[str, str, float]]:
    """(field, limit, amount) of what was asked for."""
    for name in asked.model_fields_set:
        value, extra = getattr(asked, name), type(asked).model_fields[name].json_schema_extra
        if isinstance(extra, Mapping) and value is not None and LIMIT in extra:
            yield name, str(extra[LIMIT]), _amount(value)
    for name, value in getattr(asked, "sampling", {}).items():
        if name in OF_SAMPLING and isinstance(value, int | float):
            yield f"sampling.{name}", OF_SAMPLING[name], value


def _amount(value: Any) -> float:
    """A number itself, bytes of a text, the longest of several."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Sequence):
        return max(map(_amount, value), default=0)
    return float(value)
