"""A batch of items from a registered model: what `aigc generate` and the flow `generation` do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tasks.registry.registry import located
from tasks.stage.stage import StageContext, stage
from tasks.use.generate import MANIFEST, GenerationSettings, generate_into


class BatchSettings(BaseModel):
    """Which model generates what, and where to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="NAME (its champion), NAME@alias or NAME/version", min_length=1)
    out: str = Field(description="folder for the items and manifest.jsonl; a relative one lies in the workspace", min_length=1)
    generation: GenerationSettings = Field(GenerationSettings(), description="how many items, and of what")

    @property
    def name(self) -> str:
        """What its run is called."""
        return self.model


class Batch(BaseModel):
    """A folder of generated items; `count` of them, by a version of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str
    count: int
    model: str
    version: str
    manifest: str


@stage(process=True, cached=False)
def generate_batch(settings: BatchSettings, context: StageContext) -> Batch:
    """Fill the folder; the same call after a kill goes on where it was."""
    folder, identity = located(context.workspace, settings.model)
    from aigc_models.generator import Generator

    out = context.workspace.root / Path(settings.out).expanduser()
    generator = Generator.load(folder, settings.generation.device, settings.generation.copy_guard)
    made = generate_into(generator, out, settings.generation, identity, context.progress, context.stop)
    context.log(items=made, model=identity.model, version=identity.version)
    return Batch(
        out=settings.out,
        count=settings.generation.count,
        model=identity.model,
        version=identity.version,
        manifest=str(Path(settings.out) / MANIFEST),
    )
