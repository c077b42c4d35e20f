"""Good tiny bundles, and the tools of somebody who alters one: an edited card, digests that agree again, lying headers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.ensembles import average
from aigc_models.families import rnn
from aigc_models.modalities import text

CARD, WEIGHTS = "bundle.json", "weights.safetensors"
MARK = "the content of a file outside"  # which no message may hold


@dataclass(frozen=True)
class Forgery:
    """What is done to a good bundle, and what loading it must say. `outside` is a good bundle beside it."""

    name: str
    alter: Callable[[Path, Path], object]
    error: str  # BadInput or Damaged
    words: str
    source: str = "member"


def good(folder: Path) -> dict[str, Path]:
    """`member` and `ensemble`, untrained."""
    layout = text.choose_format(["anna and otto", "abba, anna, aha"] * 4)
    config = rnn.SIZES["debug"]
    card = Card(name="letters", family="rnn", modality="text", config=config.model_dump(mode="json"), labels=("a", "b"),
                format=layout.model_dump(mode="json"), dataset="letters", version="v1", licence="CC0")  # fmt: skip
    model = rnn.build(config, card.shape)
    bundle.save(folder / "member", model, card)
    members = dict.fromkeys(("left", "right"), folder / "member")
    fields = {"kind": "ensemble", "name": "both", "family": "average", "members": tuple(members)}
    fields |= {"config": average.Settings().model_dump(mode="json"), "weights": {"left": 0.5, "right": 0.5}}
    settings = average.Settings()
    both = average.build(dict.fromkeys(members, model), fields["weights"], settings)
    bundle.save(folder / "ensemble", both, card.model_copy(update=fields), members)
    return {name: folder / name for name in ("member", "ensemble")}


def unlinked(source: Path, target: Path) -> Path:
    """A copy that shares no file with its source."""
    return Path(shutil.copytree(source, target))


def fields(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / CARD).read_text()))


def edit(folder: Path, **changes: Any) -> None:
    write(folder, json.dumps(fields(folder) | changes).encode())


def write(folder: Path, content: bytes, name: str = CARD) -> None:
    (folder / name).unlink()
    (folder / name).write_bytes(content)


def configure(folder: Path, **changes: Any) -> None:
    edit(folder, config=fields(folder)["config"] | changes)


def seal(folder: Path) -> None:
    """State the digests of the files that there are now, as a careful forger does."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    edit(folder, digests={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names if name != CARD})


def header(folder: Path, change: Callable[[dict[str, Any]], object], length: int | None = None) -> None:
    """Alter the header of the weights (of a stated `length` that may be a lie), with a digest that agrees."""
    content = (folder / WEIGHTS).read_bytes()
    size = int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8 : 8 + size])
    change(tensors)
    changed = json.dumps(tensors).encode()
    write(folder, (length or len(changed)).to_bytes(8, "little") + changed + content[8 + size :], WEIGHTS)
    seal(folder)


def every(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set a field of every tensor."""

    def change(tensors: dict[str, Any]) -> None:
        for name, tensor in tensors.items():
            if name != "__metadata__":
                tensor[field] = value

    return change
