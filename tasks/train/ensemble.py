"""Members into one generator, with weights that are learned on the validation split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import unknown
from aigc_models.find import find, names
from aigc_models.heads import GENERATE
from aigc_models.training.devices import AUTO, Device
from tasks.stage.references import CorpusRef, EnsembleRef, ModelRef
from tasks.stage.stage import StageContext, stage
from tasks.stage.validation import validated
from tasks.train.encode import LATEST, latest_contents
from tasks.train.inputs import ids_of, shape_of, splits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigc_models.bundle import Card
    from aigc_models.capabilities import Shape
    from aigc_models.corpus import Corpus
    from aigc_models.fingerprints.winnowing import TrainingRuns


class EnsembleSettings(BaseModel):
    """How members become one generator. `method` is a file of `aigc_models/ensembles`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = Field("average", description="average (of probabilities) or mixture (each item from one member)")
    settings: dict[str, Any] = Field({}, description="fields of the method's Settings that differ from its defaults")
    drawn: int | None = Field(
        None,
        ge=16,
        description="items that each member makes to learn the weights from, at most; none: the method's own",
    )
    seed: int = Field(0, description="seed of the weights' learning")
    device: Device = Field("auto", description=f"where the members are asked; {AUTO}")

    @field_validator("method")
    @classmethod
    def _check_method(cls, method: str) -> str:
        if method not in names("aigc_models.ensembles"):
            raise unknown("ensemble", method, names("aigc_models.ensembles"))
        return method


def options(settings: EnsembleSettings) -> Any:
    """The method's own Settings; raises `BadInput` naming an unknown field or a wrong value."""
    method = find("aigc_models.ensembles", settings.method)
    given = validated(method.Settings, settings.settings, f"settings of ensemble {settings.method!r}")
    if settings.drawn is None or not getattr(method, "DRAWS", False):
        return given
    return given.model_copy(update={"most": min(given.most, settings.drawn)})


@stage(process=True)
def build_ensemble(data: CorpusRef, members: list[ModelRef], settings: EnsembleSettings, context: StageContext) -> EnsembleRef:
    """Learn the members' weights on validation and write one bundle that holds them all."""
    from aigc_models import bundle

    method = find("aigc_models.ensembles", settings.method)
    shape, corpora = shape_of(data), splits(data, context)
    folders = {member.name: member.path(context.workspace) for member in members}
    models = {name: bundle.load(folder, settings.device)[1] for name, folder in folders.items()}
    ensemble = method.fit(
        models, corpora["train"], corpora["validation"], shape, options(settings), settings.seed, context.progress
    )
    folder = context.folder / "bundle"
    latest, files = newest(data, context), beside(data, ensemble, corpora, context)
    card, runs = _card(data, members, settings, ensemble), training_runs(corpora["train"], shape)
    bundle.save(folder, ensemble, card, folders, latest, files, runs)
    context.log(**{f"weight.{name}": weight for name, weight in ensemble.weights.items()})
    return EnsembleRef.to(context.workspace, folder, method=settings.method, modality=data.modality, weights=ensemble.weights)


def beside(data: CorpusRef, ensemble: Any, corpora: Mapping[str, Corpus], context: StageContext) -> dict[str, bytes]:
    """What the task keeps in the bundle beside the weights, by the name of its file."""
    head = find("aigc_models.heads", data.task)
    if not hasattr(head, "beside"):
        return {}
    made: dict[str, bytes] = head.beside(
        ensemble, corpora, {name: ids_of(data, name, context) for name in corpora}, shape_of(data)
    )
    return made


def training_runs(train: Corpus, shape: Shape) -> TrainingRuns | None:
    """What tells whether a text repeats the train split; none of what makes no texts."""
    from aigc_models.fingerprints import winnowing

    if shape.modality != "text" or shape.task != GENERATE:
        return None
    pieces = find("aigc_models.modalities", shape.modality).pieces(shape.format)
    rows = (row[row < len(pieces)].tolist() for row in train.sequences.rows())  # without their END
    return winnowing.kept([b"".join(map(pieces.__getitem__, row)).decode("utf-8", "replace") for row in rows])


def newest(data: CorpusRef, context: StageContext) -> list[tuple[bytes, int]]:
    """The newest past of each series, packed, and its condition, so that the model forecasts without any input."""
    contents = latest_contents(data, context)
    if not contents:
        return []
    conditions = splits(data, context)[LATEST].conditions.tolist()
    modality = find("aigc_models.modalities", data.modality)
    return [(modality.pack(content), condition) for content, condition in zip(contents, conditions, strict=True)]


def _card(data: CorpusRef, members: list[ModelRef], settings: EnsembleSettings, ensemble: Any) -> Card:
    from aigc_models.bundle import Card
    from aigc_models.capabilities import capabilities
    from tasks.stage.code_version import code_version

    return Card(
        kind="ensemble",
        name=data.dataset,
        family=settings.method,
        modality=data.modality,
        config=ensemble.settings.model_dump(mode="json"),
        task=data.task,
        format=data.format,
        labels=data.labels,
        capabilities=capabilities(ensemble),
        members=tuple(member.name for member in members),
        weights=ensemble.weights,
        dataset=data.dataset,
        version=data.version,
        licence=data.licence,
        seed=settings.seed,
        parents={
            "data": data.sha256,
            "code": code_version([f"aigc_models.ensembles.{settings.method}"]),
            **{m.name: m.sha256 for m in members},
        },
    )
