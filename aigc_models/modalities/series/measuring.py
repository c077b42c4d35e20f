"""Series as numbers: what can be measured of each, and its course."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aigc_models.modalities.series.figures import SKETCH, course
from aigc_models.modalities.series.series import Series

FEATURES = SKETCH + 6
NAMES = ("steps", "channels", "mean", "spread", "lowest", "highest", "missing_share", "step_change", "kinship")


def measures(contents: Sequence[Series]) -> dict[str, np.ndarray]:
    """Of each series, float64 (item,), over all of its channels, each value in its own unit: steps, channels, mean, spread
    (standard deviation), lowest and highest value, share of missing values, mean change from one step to the next, and
    `kinship`, the correlation of neighbouring steps."""
    rows = np.array([_measured(content) for content in contents], dtype=np.float64).reshape(len(contents), len(NAMES))
    return dict(zip(NAMES, rows.T, strict=True))


def _measured(content: Series) -> list[float]:
    values = content.values
    finite = values[np.isfinite(values)] if values.size else np.zeros(0)
    missing = 1 - finite.size / max(1, values.size)
    finite = finite if finite.size else np.zeros(1)
    changes = np.abs(np.diff(values, axis=1))
    change = float(np.nanmean(changes)) if np.isfinite(changes).any() else 0.0
    about = [finite.mean(), finite.std(), finite.min(), finite.max()]
    return [content.steps, len(content.channels), *map(float, about), missing, change, _kinship(values)]


def _kinship(values: np.ndarray) -> float:
    """Correlation of neighbouring steps, the mean over the channels; 0 where nothing moves."""
    rows = values[np.isfinite(values).any(axis=1)]
    if not len(rows):
        return 0.0
    level = np.nan_to_num(rows - np.nanmean(rows, axis=1, keepdims=True))
    power, products = (level**2).sum(axis=1), (level[:, 1:] * level[:, :-1]).sum(axis=1)
    return float((products / np.where(power > 0, power, 1)).mean())


def embedding(contents: Sequence[Series]) -> np.ndarray:
    """Float32 (item, `FEATURES`): the mean course of the standardised channels in `SKETCH` places, and its measures with
    their size as a logarithm, so that units do not matter much."""
    measured = measures(contents)
    sized = [np.arcsinh(measured[name]) for name in ("steps", "mean", "spread", "step_change")]
    courses = np.array([course(content) for content in contents]).reshape(len(contents), SKETCH)
    return np.column_stack([courses, *sized, measured["missing_share"], measured["kinship"]]).astype(np.float32)
