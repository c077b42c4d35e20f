"""A bundle as an MLflow model: MLflow copies this file beside the bundle and runs it to load the model.

Input of a generator, a row an item: `seed` (int64), `label` and `prompt` (strings that may be absent or empty).
Output, a string an item: the text (of a series its csv), or the file (PNG, WAV) in base64.

Input of a model with another task: `input`, a string an item, as the output above.
Output, a string an item: JSON, of a classifier `{"label", "probability", "probabilities": {label: probability}}`, where items
have several labels `{"labels", "probabilities"}`, of a model to regress `{"value", "interval": {"low", "high", "level"}}`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class GeneratorModel(PythonModel):
    """Each row gives what `Generator.generate(1, label=..., prompt=..., seed=...)` gives, whatever rows are beside it."""

    def load_context(self, context: PythonModelContext) -> None:
        from aigc_models.errors import Damaged
        from aigc_models.generator import Generator  # registering runs this file too, and needs no torch
        from aigc_models.reading.bundle_files import CARD, sha256

        bundle = Path(context.artifacts["bundle"])
        registered = context.model_config.get("card_sha256")  # none in a model of an earlier version
        if registered is not None and sha256(bundle / CARD) != registered:
            raise Damaged(f"{bundle / CARD} is not what was registered; restore its files, or serve another version")
        self.generator = Generator.load(bundle)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[str]:
        """Rows with the same prompt are generated together."""
        if self.generator.card.task != "generate":
            return self._answers([row["input"] for row in _rows(model_input)])
        rows = [{key: _text(row.get(key)) for key in ("label", "prompt")} | {"seed": row["seed"]} for row in _rows(model_input)]
        items: dict[int, str] = {}
        for prompt in dict.fromkeys(row["prompt"] for row in rows):
            chosen = [position for position, row in enumerate(rows) if row["prompt"] == prompt]
            items |= dict(zip(chosen, self._items([rows[position] for position in chosen], prompt), strict=True))
        return [items[position] for position in range(len(rows))]

    def _answers(self, inputs: list[str]) -> list[str]:
        from aigc_models.find import find

        modality, task = self.generator.modality, find("aigc_models.heads", self.generator.card.task)
        textual = modality.suffix in (".txt", ".csv")
        contents = [modality.read(one.encode() if textual else b64decode(one), "input") for one in inputs]
        return [json.dumps(answer, sort_keys=True) for answer in task.answers(self.generator, contents)]

    def _items(self, rows: list[dict[str, Any]], prompt: str | None) -> list[str]:
        import torch

        from aigc_models.generator import item_seeds

        generator = self.generator
        conditions = [generator.conditions(1, row["label"], int(row["seed"])) for row in rows]
        seeds, after = [item_seeds(int(row["seed"]), 1) for row in rows], generator.after(1) * len(rows)
        values = generator.encoded(torch.cat(conditions), torch.cat(seeds), prompt=prompt, given=generator.given(after))
        return [self._string(content) for content in generator.decode(values, after)]

    def _string(self, content: Any) -> str:
        payload = self.generator.modality.pack(content)
        return payload.decode() if self.generator.modality.suffix in (".txt", ".csv") else b64encode(payload).decode()


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return list(table.to_dict("records"))


def _text(value: object) -> str | None:
    """A cell that may be empty: absent, NaN, None or ''."""
    return value if isinstance(value, str) and value else None


set_model(GeneratorModel())
