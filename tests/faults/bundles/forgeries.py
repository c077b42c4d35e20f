"""What somebody may do to a bundle, as data: each is refused in a sentence."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from forging import CARD, MARK, WEIGHTS, Forgery, configure, edit, every, fields, header, seal, unlinked, write

ZEROS = "0" * 64


def flip(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    write(folder, bytes(content), WEIGHTS)


def link(path: Path, target: Path | str, directory: bool = False) -> None:
    shutil.rmtree(path) if directory else path.unlink(missing_ok=True)
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def raw(folder: Path, old: str, new: str) -> None:
    write(folder, (folder / CARD).read_text().replace(old, new, 1).encode())


def card(name: str, error_words: str, **changes: Any) -> Forgery:
    return Forgery(name, lambda folder, outside: edit(folder, **changes), "BadInput", error_words)


def config(name: str, words: str, **changes: Any) -> Forgery:
    return Forgery(name, lambda folder, outside: configure(folder, **changes), "BadInput", words)


def bytes_of_card(name: str, words: str, content: bytes) -> Forgery:
    return Forgery(name, lambda folder, outside: write(folder, content), "BadInput", words)


def replaced(name: str, words: str, old: str, new: str) -> Forgery:
    return Forgery(name, lambda folder, outside: raw(folder, old, new), "BadInput", words)


def weights(name: str, error: str, words: str, change: Any, length: int | None = None) -> Forgery:
    return Forgery(name, lambda folder, outside: header(folder, change, length), error, words)


def ensemble(name: str, error: str, words: str, alter: Any) -> Forgery:
    return Forgery(name, alter, error, words, source="ensemble")


def stray(path: Path, content: str = "import os") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def forget(folder: Path) -> None:
    edit(folder, digests={})
    flip(folder)


def inner(folder: Path, **changes: Any) -> None:
    """A member's card, and the outer digest that agrees with it."""
    edit(folder / "members" / "left", **changes)
    seal(folder)


FILES = [
    Forgery("a flipped bit", lambda folder, outside: flip(folder), "Damaged", "is not what its digest says"),
    Forgery("no digests", lambda folder, outside: forget(folder), "BadInput", "states no digest of weights.safetensors"),
    Forgery("weights are missing", lambda folder, outside: (folder / WEIGHTS).unlink(), "Damaged", "is missing"),
    Forgery("a stray file", lambda folder, outside: stray(folder / "evil.py"), "Damaged", "evil.py is not listed in"),
    Forgery("a hidden file", lambda folder, outside: stray(folder / ".pth"), "Damaged", ".pth is not listed in"),
    Forgery("byte code", lambda folder, outside: stray(folder / "__pycache__" / "a.pyc"), "Damaged", "a.pyc is not listed in"),
    Forgery("an empty folder", lambda folder, outside: (folder / "more").mkdir(), "Damaged", "more is empty"),
    Forgery("weights are a link", lambda folder, outside: link(folder / WEIGHTS, outside / WEIGHTS), "Damaged", "is a link"),
    Forgery("a link to nothing", lambda folder, outside: link(folder / "x", "/nowhere"), "Damaged", "x is a link"),
    Forgery("a link to itself", lambda folder, outside: link(folder / "x", "x"), "Damaged", "x is a link"),
    Forgery("a loop of folders", lambda folder, outside: link(folder / "members", ".."), "Damaged", "members is a link"),
    Forgery("weights are a pipe", lambda folder, outside: pipe(folder / WEIGHTS), "Damaged", "is no plain file"),
    Forgery("the card is a pipe", lambda folder, outside: pipe(folder / CARD), "BadInput", "is no plain file"),
    Forgery("the card is a link", lambda folder, outside: link(folder / CARD, outside / CARD), "BadInput", "is a link"),
    Forgery("the card is a device", lambda folder, outside: link(folder / CARD, "/dev/zero"), "BadInput", "is a link"),
    Forgery("the card is a secret", lambda folder, outside: link(folder / CARD, outside / "secret"), "BadInput", "is a link"),
    Forgery(
        "the card is a folder",
        lambda folder, outside: ((folder / CARD).unlink(), (folder / CARD).mkdir()),
        "BadInput",
        "is no plain file",
    ),
    Forgery("no card", lambda folder, outside: (folder / CARD).unlink(), "BadInput", "it has no bundle.json"),
]
CARDS = [
    bytes_of_card("not UTF-8", "is not UTF-8", b'{"name": "\xff"}'),
    bytes_of_card("UTF-16", "is not UTF-8", '{"name": "x"}'.encode("utf-16")),
    bytes_of_card("nothing", "Invalid JSON", b""),
    bytes_of_card("cut", "Invalid JSON", b'{"name": "x", '),
    bytes_of_card("a list", "a mapping of fields", b"[]"),
    bytes_of_card("a number", "a mapping of fields", b"7"),
    bytes_of_card("endless", "is larger than 16 MB", b" " * (17 * 2**20)),
    bytes_of_card("deep lists", "nested too deeply", b"[" * 100_000 + b"]" * 100_000),
    bytes_of_card("deep fields", "nested too deeply", b'{"config":' * 100_000 + b"1" + b"}" * 100_000),
    bytes_of_card("pickle", "is not UTF-8", b"\x80\x04\x95"),
    replaced("NaN", "NaN is no number of JSON", '"seed": 0', '"seed": NaN'),
    replaced("endless weight", "Infinity is no number of JSON", '"weights": {}', '"weights": {"a": Infinity}'),
    replaced("a name twice", "'seed' is stated twice", '"seed": 0', '"seed": 0, "seed": 1'),
    replaced(
        "a digest twice", "'weights.safetensors' is stated twice", '"digests": {', f'"digests": {{"{WEIGHTS}": "{ZEROS}",'
    ),
    replaced("a huge number", "cannot be used", '"seed": 0', '"seed": ' + "9" * 5000),
    replaced("a large seed", "seed", '"seed": 0', f'"seed": {2**64}'),
    replaced("half a character", "cannot be used", '"name": "letters"', '"name": "\\ud800"'),
    replaced("a NUL", "cannot be used", '"name": "letters"', '"name": "a\0b"'),
    card("seed is true", "seed: needs a whole number", seed=True),
    card("labels are a number", "labels: needs a list", labels=7),
    card("labels are numbers", "labels.0: needs a text", labels=[1, 2]),
    card("config is a list", "config: needs a mapping", config=[]),
    card("an unknown field", "pickle: is unknown", pickle="evil"),
    card("no micro-batch", "micro_batch", micro_batch=0),
    card("a micro-batch that takes all memory", "micro_batch", micro_batch=10**12),
    card("negative params", "params", params=-1),
    card("from the future", "is of format 99", format_version=99),
    card("version 0", "format_version", format_version=0),
    card("a negative version", "format_version", format_version=-1),
    card("version true", "format_version: needs a whole number", format_version=True),
    card("version in words", "format_version: needs a whole number", format_version="2"),
    card("another kind", "kind", kind="evil"),
    card("an unknown family", "unknown family", family="evil"),
    card("a family by its path", "unknown family", family="../../evil"),
    card("a family of a module", "unknown family", family="os"),
    card("an unknown modality", "unknown modality", modality="smell"),
    card("no such format", "the format of letters cannot be used here", format={"height": 10**9}),
    card("members of a member", "members", members=["left"]),
    card("a digest outside", "leads out of the bundle's folder", digests={"../outside/secret": ZEROS}),
    card("a digest anywhere", "leads out of the bundle's folder", digests={"/etc/passwd": ZEROS}),
    card("a digest of Windows", "leads out of the bundle's folder", digests={"C:\\secret": ZEROS}),
    card("a digest without a name", "leads out of the bundle's folder", digests={"": ZEROS}),
    card("a digest of a line", "leads out of the bundle's folder", digests={"a\nb": ZEROS}),
    card("a digest of the card", "has no digest in itself", digests={CARD: ZEROS}),
    card("a digest in capitals", "digests.weights.safetensors", digests={WEIGHTS: "A" * 64}),
    card("a short digest", "digests.weights.safetensors", digests={WEIGHTS: "0" * 63}),
    card("no digest", "digests.weights.safetensors", digests={WEIGHTS: None}),
    card("digests are a list", "digests: needs a mapping", digests=[WEIGHTS]),
]
MODELS = [
    config("a wide layer", "its card asks for more than", width=10**9),
    config("an endless layer", "its card asks for more than", width=10**30),
    config("many layers", "its card asks for more than", layers=10**9),
    config("many buckets", "its card asks for more than", buckets=10**12),
    config("another width", "its weights are not those", width=17),
    config("an unknown setting", "depth: is unknown", depth=3),
    config("a setting of another kind", "width: needs a whole number", width="wide"),
    weights("a long header", "Damaged", "cannot be read", lambda tensors: None, 2**62),
    weights("a header that ends early", "Damaged", "cannot be read", lambda tensors: None, 5),
    weights("one place for all tensors", "Damaged", "cannot be read", every("data_offsets", [0, 4])),
    weights("places beyond the end", "Damaged", "cannot be read", every("data_offsets", [0, 2**60])),
    weights("shapes without numbers", "Damaged", "cannot be read", every("shape", None)),
    weights("shapes below zero", "Damaged", "cannot be read", every("shape", [-1])),
    weights("shapes beyond counting", "Damaged", "cannot be read", every("shape", [2**63, 2**63])),
    weights("whole numbers for real ones", "BadInput", "its weights are not those", every("dtype", "I32")),
    weights("an unknown kind of numbers", "Damaged", "cannot be read", every("dtype", "PICKLE")),
    weights("other names", "BadInput", "its weights are not those", lambda tensors: tensors.update(x=tensors.popitem()[1])),
    Forgery("empty weights", lambda folder, outside: (write(folder, b"", WEIGHTS), seal(folder)), "Damaged", "cannot be read"),
    Forgery(
        "a past that is none",
        lambda folder, outside: (stray(folder / "latest.safetensors"), seal(folder)),
        "Damaged",
        "latest.safetensors cannot be read",
    ),
]
MEMBERS = [
    ensemble("a member outside", "BadInput", "is no name of a folder", lambda f, o: edit(f, members=["../../outside"])),
    ensemble("a member above", "BadInput", "leads out", lambda f, o: edit(f, members=[".."])),
    ensemble("a member too many", "BadInput", "states no digest", lambda f, o: edit(f, members=["left", "right", "other"])),
    ensemble("a member too few", "BadInput", "members: these have files", lambda f, o: edit(f, members=["left"])),
    ensemble(
        "a member twice", "BadInput", "members: these have files", lambda f, o: edit(f, members=["left", "left", "right"])
    ),
    ensemble("a member without weight", "BadInput", "states no weight of right", lambda f, o: edit(f, weights={"left": 1.0})),
    ensemble("a member is a link", "Damaged", "left is a link", lambda f, o: link(f / "members" / "left", o, directory=True)),
    ensemble("a member that names itself", "Damaged", "is a link", lambda f, o: link(f / "members" / "left", "..", True)),
    ensemble("a member that is not listed", "Damaged", "is not listed", lambda f, o: unlinked(o, f / "members" / "other")),
    ensemble("a stray file in a member", "Damaged", "is not listed", lambda f, o: stray(f / "members" / "left" / "x.py")),
    ensemble(
        "a member's card was edited", "Damaged", "left/bundle.json is not", lambda f, o: edit(f / "members" / "left", seed=7)
    ),
    ensemble("a member without digests", "BadInput", "lists others", lambda f, o: inner(f, digests={})),
    ensemble("a member with other digests", "BadInput", "lists others", lambda f, o: inner(f, digests={WEIGHTS: ZEROS})),
    ensemble(
        "a member that takes all memory",
        "BadInput",
        "its card asks for more than",
        lambda f, o: inner(f, config=fields(f / "members" / "left")["config"] | {"width": 10**9}),
    ),
    ensemble("a member from the future", "BadInput", "is of format 99", lambda f, o: inner(f, format_version=99)),
    ensemble("an unknown ensemble", "BadInput", "unknown ensemble", lambda f, o: edit(f, family="evil")),
    ensemble("a setting of no ensemble", "BadInput", "evil: is unknown", lambda f, o: edit(f, config={"evil": 1})),
]
FORGERIES = [*FILES, *CARDS, *MODELS, *MEMBERS]


def secret(outside: Path) -> None:
    """A file whose content no message may show."""
    (outside / "secret").write_text(json.dumps({"name": MARK, "family": MARK}))
