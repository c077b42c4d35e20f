"""A published checkpoint as it lies in a folder in Hugging Face's layout: `config.json`, `tokenizer.json`, `*.safetensors`.

Weights that are pickled are refused, since to load them is to run what they hold.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput

CONFIG, TOKENISER, CARD, INDEX = "config.json", "tokenizer.json", "README.md", "model.safetensors.index.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
FILES = (CONFIG, TOKENISER, CARD, INDEX, "LICENSE*", "*.safetensors")  # all that is read
UNKNOWN = "not stated"
MOST_TOKENISER = 64_000_000  # bytes


@dataclass(frozen=True)
class Published:
    """What a folder holds; `weights` are its files, `licence` as its card or its file states it."""

    folder: Path
    architecture: dict[str, Any]
    tokeniser: bytes
    weights: tuple[Path, ...]
    licence: str


def read(folder: Path) -> Published:
    """All but the weights themselves; raises `BadInput` that names the file and what is wrong with it."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; a checkpoint is a folder with {CONFIG}, {TOKENISER} and *.safetensors")
    architecture = _json(folder / CONFIG)
    if not isinstance(architecture.get("model_type"), str):
        raise BadInput(f"{folder / CONFIG} has no `model_type`: it does not say what the model is")
    weights = tuple(sorted(folder.glob("*.safetensors")))
    if not weights:
        pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
        if pickled:
            raise BadInput(
                f"{folder / pickled[0]} holds pickled weights, and to load these is to run whatever is in them; "
                "take a version of the checkpoint with model.safetensors"
            )
        raise BadInput(f"{folder} has no *.safetensors: the weights are missing")
    return Published(folder, architecture, _tokeniser(folder / TOKENISER), weights, stated_licence(folder))


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing; a checkpoint in Hugging Face's layout has it") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"{path} is not a mapping")
    return value


def _tokeniser(path: Path) -> bytes:
    """Its bytes, once the library has read them."""
    from tokenizers import Tokenizer

    if not path.is_file():
        raise BadInput(
            f"{path} is missing, without which no text can be read; where there is a vocab.txt alone, "
            "save the tokeniser once with `AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)`"
        )
    if path.stat().st_size > MOST_TOKENISER:
        raise BadInput(f"{path} has {path.stat().st_size:,} bytes, more than {MOST_TOKENISER:,}: it is no tokeniser")
    payload = path.read_bytes()
    try:
        Tokenizer.from_str(payload.decode("utf-8"))
    except Exception as error:  # the library raises nothing narrower
        raise BadInput(f"{path} is no tokeniser: {error}") from error
    return payload


def stated_licence(folder: Path) -> str:
    """The `license:` of the model card's head, or the first line of a file LICENSE; `not stated` where there is neither."""
    card = folder / CARD
    head = re.match(r"\A---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.S) if card.is_file() else None
    stated = re.search(r"^license:[ \t]*[\"']?([\w.+-]+)", head[1], re.M) if head else None
    if stated:
        return stated[1]
    for path in sorted(folder.glob("LICENSE*")):
        lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[0][:80]
    return UNKNOWN
