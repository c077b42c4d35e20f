"""Which clean shards are as the present rules and code make them; so that only what changed is cleaned again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tasks.stage.references import digest_of


@dataclass(frozen=True)
class Journal:
    """Which clean shards were made by which settings and code, kept beside the data and not in it."""

    path: Path
    folder: Path
    made_by: str

    def holds(self, stem: str) -> bool:
        """Whether both files of the shard are there as this code wrote them."""
        return self._files_exist(stem) and self._entries().get(stem) == [self.made_by, self._digest(stem)]

    def add(self, stem: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entries = {**self._entries(), stem: [self.made_by, self._digest(stem)]}
        part = self.path.with_suffix(".tmp")
        part.write_text(json.dumps(entries, indent=1, sort_keys=True))
        part.replace(self.path)

    def _entries(self) -> dict[str, list[str]]:
        try:
            return dict(json.loads(self.path.read_text()))
        except (FileNotFoundError, ValueError):
            return {}

    def _files_exist(self, stem: str) -> bool:
        return all(path.is_file() for path in targets(self.folder, stem))

    def _digest(self, stem: str) -> str:
        return digest_of(targets(self.folder, stem), self.folder)


def targets(folder: Path, stem: str) -> tuple[Path, Path]:
    return folder / f"{stem}.parquet", folder / f"{stem}.rejected.parquet"
