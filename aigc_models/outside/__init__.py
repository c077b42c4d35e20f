"""Models that lie elsewhere: asked over HTTP or opened by a library, never trained here, and not always there."""

from __future__ import annotations

FAMILIES = frozenset({"endpoint", "mlflow_model"})  # whose models they are; a list, so that nobody has to import them to ask
