"""A classifier of texts that MLflow keeps, made by whomever with whatever: measured and combined, never trained here.

It is named and not copied: a bundle keeps its address, pinned to a version, and the digest of its files. MLflow's models may
hold pickles, so that to load one is to run the code in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.capabilities import Shape
from aigc_models.errors import AigcError, BadInput, Unreachable, shortened
from aigc_models.outside.classifier import OutsideClassifier, Said
from aigc_models.outside.client import Refused
from aigc_models.outside.openers import Predict, Predicted, opener

MODALITIES = frozenset({"text"})
LEAST = 1e-6  # of a label that it holds for impossible


class Config(BaseModel):
    """Which one, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    uri: str = Field("", description="models:/NAME/VERSION, models:/NAME@ALIAS (pinned to its version), or a folder")
    trusted: bool = Field(False, description="whether its files may be run: to load it is to run what is in them")
    sha256: str = Field("", description="of its files, when it was measured; filled in")
    column: str = Field("text", description="the column that texts stand in, where its signature names several")
    shown: int = Field(100, ge=1, description="train items that it is asked about, to count what its labels are worth")
    checked: int = Field(500, ge=0, description="validation items that its loss is measured on")


SIZES = {size: Config() for size in ("debug", "small", "base", "large")}  # nothing of it has a size


class MlflowModel(OutsideClassifier):
    """Its probabilities are taken as they are; a label alone is worth what the table counted."""

    calibrated = False

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(shape, config.uri, config.shown, config.checked)
        self.config = config

    @cached_property
    def predict(self) -> Predict:
        """Opened when it is first asked."""
        return opener("mlflow")(self.config.uri, self.config.sha256, self.config.column)

    def ask(self, contents: Sequence[str]) -> list[Said]:
        try:
            return self._meant(self.predict(contents) if contents else Predicted((), []), len(contents))
        except Unreachable as error:
            return [error] * len(contents)
        except AigcError as error:
            return [Refused(str(error))] * len(contents)
        except Exception as error:  # whatever its code raises; the message may hold the text that it was asked about
            reason = f"it raises {type(error).__name__}: ask it alone, as mlflow.pyfunc.load_model loads it, to see why"
            return [Refused(reason)] * len(contents)

    def _meant(self, predicted: Predicted, count: int) -> list[Said]:
        """Raises `BadInput` of what is neither labels nor probabilities by label."""
        if len(predicted.values) != count:
            raise BadInput(f"it answers {len(predicted.values)} rows for {count} texts")
        if not predicted.names:
            return [self._label(name) for name in predicted.values]
        if set(predicted.names) != set(self.labels):
            columns, labels = ", ".join(predicted.names[:10]), ", ".join(self.labels[:10])
            raise BadInput(f"it answers a table with the columns {columns}, and the labels are {labels}: one column each")
        table = np.asarray(predicted.values, dtype=np.float64)[:, [predicted.names.index(label) for label in self.labels]]
        if not np.isfinite(table).all() or (table < 0).any() or (table.sum(1) <= 0).any():
            raise BadInput("it answers a table whose rows are no probabilities: numbers below 0, or none above")
        return list(np.log(np.maximum(table / table.sum(1, keepdims=True), LEAST)))

    def _label(self, name: object) -> Said:
        if str(name) in self.labels:
            return self.labels.index(str(name))
        return Unreachable(f"it answers {shortened(name)}, which is none of the labels")


def build(config: Config, shape: Shape) -> MlflowModel:
    """It is not opened yet."""
    if not config.uri:
        raise BadInput("family mlflow_model needs the setting uri, such as {uri: models:/NAME/3, trusted: true}")
    if shape.task != "classify":
        raise BadInput(f"family mlflow_model classifies texts, and is asked to {shape.task} here; choose another family")
    if not config.trusted:
        raise BadInput(
            f"{config.uri}: to load a model of MLflow is to run the code that its files hold; where you trust who made it, say "
            "trusted: true in the member's settings"
        )
    return MlflowModel(config, shape)
