"""What a member is trained from: the shape of its data, their splits, and the model before its first step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.split.folds import outside
from tasks.stage.references import CorpusRef, ModelRef
from tasks.stage.stage import StageContext
from tasks.train.members import MemberSettings

if TYPE_CHECKING:
    from aigc_models.capabilities import Shape
    from aigc_models.corpus import Corpus


def shape_of(data: CorpusRef) -> Shape:
    """What a family has to know of the data."""
    from aigc_models.capabilities import Shape
    from aigc_models.find import find

    modality = find("aigc_models.modalities", data.modality)
    return Shape(data.modality, data.labels, modality.Format.model_validate(data.format), data.task)


def splits(data: CorpusRef, context: StageContext) -> dict[str, Corpus]:
    """The encoded splits, memory-mapped."""
    from aigc_models.corpus import Corpus

    folders = [context.workspace.path(output) for output in data.outputs]
    return {folder.name: Corpus.load(folder, data.modality) for folder in folders}


def ids_of(data: CorpusRef, split: str, context: StageContext) -> list[str]:
    """Which item of the data set each row of a split is of."""
    import numpy as np

    folder = next(context.workspace.path(output) for output in data.outputs if Path(output).name == split)
    ids: list[str] = np.load(folder / "ids.npy").tolist()
    return ids


def apart(train: Corpus, held: CorpusRef, context: StageContext) -> Corpus:
    """`train` without what the validation and test items of `held` are, encoded alike; how many those were is logged."""
    import numpy as np

    others = splits(held, context)
    measured = {_content(others[name], row) for name in ("validation", "test") for row in range(len(others[name]))}
    kept = np.array([_content(train, row) not in measured for row in range(len(train))], dtype=bool)
    context.log(left_out=int((~kept).sum()))
    return train.take(np.flatnonzero(kept))


def _content(corpus: Corpus, row: int) -> bytes:
    import numpy as np

    from aigc_models.sequences import Sequences

    values = corpus.values
    if isinstance(values, Sequences):
        return np.asarray(values.symbols[values.starts[row] : values.starts[row + 1]], dtype=np.int64).tobytes()
    return np.asarray(values[row]).tobytes()


def prepared(
    data: CorpusRef, body: ModelRef | None, member: MemberSettings, context: StageContext
) -> tuple[Any, dict[str, Corpus]]:
    """The model before its training, and what it learns from; `BadInput` where these data cannot teach the task."""
    from aigc_models import bundle
    from aigc_models.capabilities import Fits
    from aigc_models.find import find
    from aigc_models.training.tuning import tuned
    from tasks.train.members import build

    shape, corpora = shape_of(data), splits(data, context)
    if member.fold is not None:
        train = next(path for path in map(context.workspace.path, data.outputs) if path.name == "train")
        corpora["train"] = outside(corpora["train"], train, member.fold, member.name)
        context.log(train_items=len(corpora["train"]))
    find("aigc_models.heads", data.task).check(shape, corpora["train"])
    model = build(member, shape)
    if hasattr(model, "standardise"):
        model.standardise(corpora["train"])
    if body is not None and member.start != "random" and not isinstance(model, Fits):
        copied, of = bundle.warm_start(model, body.path(context.workspace))
        context.log(tensors_copied=copied, tensors=of)
    return tuned(model, member.tune, member.seed), corpora
