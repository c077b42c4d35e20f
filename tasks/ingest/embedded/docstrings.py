"""First paragraphs of docstrings of pure-Python libraries, labelled with the library."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

from tasks.ingest.source import RawItem

MODALITY = "text"
LIBRARIES = ("huggingface_hub", "mlflow", "networkx", "prefect", "pydantic", "sympy")
QUOTA = 85_000  # bytes of each library, so that the labels are balanced
SHORTEST, LONGEST = 20, 600  # bytes of a text

_MARKUP = re.compile(r">>>|::|:param|:type|\.\. |^\s*[-*=]{2,}|\|")
_FOOTNOTE = re.compile(r" ?\[\w+\]_")
_ROLE = re.compile(r":[a-z:]+:`~?\.?([^`<]+?)(?: <[^`]*>)?`")


def licence() -> str:
    """As the libraries themselves state it."""
    return "; ".join(f"{library}: {_terms(library)}" for library in LIBRARIES)


def items() -> Iterator[RawItem]:
    """Files are taken in the order of a hash of their names until the quota is full: a fair and fixed sample."""
    seen: set[str] = set()
    for library in LIBRARIES:
        chosen: list[tuple[str, str]] = []
        size = 0
        for file, text in _paragraphs(library):
            if text not in seen and size < QUOTA:
                seen.add(text)
                chosen.append((file, text))
                size += len(text)
            elif size >= QUOTA:
                break
        for number, (file, text) in enumerate(sorted(chosen)):
            yield RawItem(text.encode(), file, f"{file}#{number}", library)


def _paragraphs(library: str) -> Iterator[tuple[str, str]]:
    """(file, text) of every usable docstring of a library; its source is read, never imported."""
    root = Path(str(find_spec(library).origin)).parent  # type: ignore[union-attr]
    files = {path.relative_to(root.parent).as_posix(): path for path in root.rglob("*.py")}
    for file in sorted(files, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if not re.search(r"(^|/)_?(tests?|vendor|v1|protos?)(/|$)|_pb2|test_", file):
            for docstring in _documented(ast.parse(files[file].read_bytes())):
                text = _prose(docstring)
                if text:
                    yield file, text


def _documented(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The docstrings of a module, its classes and functions, and those inside them."""
    yield ast.get_docstring(node) or ""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _documented(inner)


def _prose(docstring: str) -> str | None:
    """The first paragraph on one line, if it is a whole sentence without markup."""
    paragraph = docstring.split("\n\n")[0]
    text = " ".join(_FOOTNOTE.sub("", _ROLE.sub(r"\1", paragraph)).replace("`", "").split())
    whole = SHORTEST <= len(text.encode()) <= LONGEST and text[0].isupper() and text[-1] in ".!?"
    return text if whole and text.isascii() and not _MARKUP.search(paragraph) else None


def _terms(library: str) -> str:
    """An SPDX expression, or the names in the classifiers of a library that states none."""
    metadata = distribution(library).metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classified = [line.rsplit(" :: ", 1)[-1] for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    return " and ".join(classified) or "see its files"
