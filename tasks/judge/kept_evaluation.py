"""What an evaluation measured, beside the version that it is of: with the MLflow run that registered it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.judge.gates import Gate

if TYPE_CHECKING:
    from mlflow import MlflowClient

FOLDER, GATES = "evaluation", "gates.json"
FILES = ("metrics.json", "metrics_known.json", "champion.json")  # of an evaluation


def keep_evaluation(store: MlflowClient, run_id: str, evaluation: Path) -> None:
    """Put an evaluation's figures beside the version that they are of; `run_id`: the run that registered it."""
    for path in [evaluation / name for name in FILES if (evaluation / name).is_file()]:
        store.log_artifact(run_id, str(path), FOLDER)


def keep_gates(store: MlflowClient, run_id: str, gates: tuple[Gate, ...]) -> None:
    """Remember what a version was held against."""
    records = [gate.model_dump(mode="json", exclude_defaults=True) for gate in gates]
    store.log_text(run_id, json.dumps(records, indent=1) + "\n", f"{FOLDER}/{GATES}")


def kept_opponent(store: MlflowClient, run_id: str) -> int | None:
    """The number of the champion that a version was measured beside when it was registered; None where there was none."""
    path = f"{FOLDER}/champion.json"
    if not run_id or path not in {item.path for item in store.list_artifacts(run_id, FOLDER)}:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return int(json.loads(Path(store.download_artifacts(run_id, path, folder)).read_text())["version"])
