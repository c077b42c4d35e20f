"""What classifiers that lie elsewhere share: how sure they are is counted on train items, and silence is NaN, never a guess.

An answer that is a label alone says nothing of how sure it is. A table counts it, on train items, with one item more in each
cell (Laplace): `p(label | answer)`. Where log-probabilities come along, one temperature is fitted on the same items
(Guo et al. 2017). Neither sees a validation or a test item.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput, Unreachable
from aigc_models.language.words import texts
from aigc_models.outside.client import Refused

Floats = NDArray[np.float64]
Said = int | Floats | Unreachable  # a label's number, log-probabilities (label,), or why there is neither
MOST_SILENT = 0.5  # share of the train items without an answer from which on a model is no member
TEMPERATURES = (0.1, 20.0)  # from and to
SEED = 0  # of which train items are shown


class OutsideClassifier(ABC):
    """`table` float32 (answer, label) of log-probabilities, `temperature` float32 (); `where`: what it asks, for a reader."""

    calibrated = True  # whether log-probabilities get a temperature

    def __init__(self, shape: Shape, where: str, shown: int, checked: int) -> None:
        self.labels, self.format, self.where = shape.labels, shape.format, where
        self.shown, self.checked = shown, checked
        self.table, self.temperature = np.zeros((len(shape.labels),) * 2, np.float32), 1.0
        self._silent, self._reason = 0, ""

    @abstractmethod
    def ask(self, contents: Sequence[str]) -> list[Said]:
        """What is said of each text; the texts are all different."""

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Count on some train items what an answer is worth; gives the log loss of some validation items, nats.

        Raises `Unreachable` where too few train items get an answer, `BadInput` where the question is refused.
        """
        said, truth = self._of(train, self.shown)
        self._enough(said)
        self.table = counted(said, truth, len(self.labels))
        self.temperature = cooled(said, truth) if self.calibrated else 1.0
        progress(1, 2, unanswered=float(sum(isinstance(one, Unreachable) for one in said)))
        held, wanted = self._of(validation, self.checked)
        scores = np.nan_to_num(self.scores(held))  # who says nothing holds all labels for equally likely
        loss = float(-log_softmax(scores, axis=1)[np.arange(len(wanted)), wanted].mean()) if len(wanted) else 0.0
        progress(2, 2, validation_log_loss=loss)
        self.unanswered()  # so far they are those of the training
        return loss

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Log-probabilities, on the batch's device; NaN of an item that got no answer. The same text is asked about once."""
        scores = self._scored(texts(batch.values.cpu(), self.format))
        return torch.from_numpy(scores.astype(np.float32)).to(batch.conditions.device)

    def unanswered(self) -> tuple[int, str]:
        """How many texts got no answer since this was last called, and why the last of them."""
        silent, self._silent = self._silent, 0
        return silent, self._reason

    def scores(self, said: Sequence[Said]) -> Floats:
        """Log-probabilities (item, label), NaN where there is no answer."""
        scores = np.full((len(said), len(self.labels)), np.nan)
        for row, one in enumerate(said):
            if isinstance(one, np.ndarray):
                scores[row] = log_softmax(one / self.temperature)
            elif not isinstance(one, Unreachable):
                scores[row] = self.table[one]
        return scores

    def _scored(self, contents: Sequence[str]) -> Floats:
        distinct = list(dict.fromkeys(contents))
        said = self.ask(distinct)
        failed = [one for one in said if isinstance(one, Unreachable)]
        if failed:
            self._silent, self._reason = self._silent + len(failed), str(failed[0])
        rows = dict(zip(distinct, self.scores(said), strict=True))
        return np.stack([rows[text] for text in contents]) if len(contents) else np.zeros((0, len(self.labels)))

    def _of(self, corpus: Corpus, most: int) -> tuple[list[Said], NDArray[np.int64]]:
        """What is said of some labelled items, and their labels."""
        labelled = corpus.take(np.flatnonzero(np.asarray(corpus.conditions) < len(self.labels))).sample(most, SEED)
        written = texts(labelled.sequences, self.format)
        distinct = list(dict.fromkeys(written))
        rows = dict(zip(distinct, self.ask(distinct), strict=True))
        return [rows[text] for text in written], np.asarray(labelled.conditions, dtype=np.int64)

    def _enough(self, said: Sequence[Said]) -> None:
        failed = [one for one in said if isinstance(one, Unreachable)]
        if refused := [one for one in failed if isinstance(one, Refused)]:
            raise BadInput(f"{self.where}: {refused[-1]}")
        if len(failed) > MOST_SILENT * len(said):
            raise Unreachable(f"{self.where} gave no label for {len(failed)} of {len(said)} train texts: {failed[0]}")

    def state_dict(self) -> Mapping[str, Tensor]:
        return {"table": torch.from_numpy(self.table.copy()), "temperature": torch.tensor(self.temperature)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        table, temperature = state["table"].float().numpy().copy(), float(state["temperature"])
        if table.shape != self.table.shape or not 0 < temperature < np.inf:
            raise ValueError(f"a table {table.shape} and temperature {temperature:g} of {len(self.labels)} labels")
        self.table, self.temperature = table, temperature


def counted(said: Sequence[Said], truth: NDArray[np.int64], labels: int) -> NDArray[np.float32]:
    """Log-probabilities (answer, label): how often each is the true label of each answer, with one item more in each cell."""
    table = np.ones((labels, labels))
    for one, label in zip(said, truth, strict=True):
        if not isinstance(one, Unreachable):
            table[int(np.argmax(one)) if isinstance(one, np.ndarray) else one, label] += 1
    return np.log(table / table.sum(1, keepdims=True)).astype(np.float32)


def cooled(said: Sequence[Said], truth: NDArray[np.int64]) -> float:
    """The temperature with the least log loss on the items that have log-probabilities; 1 where none has."""
    pairs = [(one, label) for one, label in zip(said, truth, strict=True) if isinstance(one, np.ndarray)]
    if not pairs:
        return 1.0
    logs, wanted = np.stack([one for one, _ in pairs]), np.array([label for _, label in pairs])

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logs / np.exp(log_temperature), axis=1)[np.arange(len(wanted)), wanted].mean())

    return float(np.exp(minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded").x))
