"""Share of Python functions that compile once a candidate has written their bodies, and that of the real ones.

A candidate is given signature and docstring of test items, and draws once at a temperature of 0.2, as such models are asked
where one answer counts (Chen et al. 2021, section 3.2). What it writes ends where the function does: before the first line
that is not indented. Where it wrote no statement nothing was completed, and that counts as failed. The text is compiled and
never run. Only for test items that are functions (`--option items=functions`).
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import NamedTuple

import numpy as np
import torch

from aigc_models.capabilities import Streams
from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find
from aigc_models.language import decoding, grammar
from aigc_models.metrics import _writers
from aigc_models.metrics._shares import shares

MODALITIES = frozenset({"text"})
MOST = 200  # functions
LONGEST = 512  # symbols of one, at most
LOOKED_AT, PYTHON = 50, 0.9  # test items that say whether all are functions, and the share of them that has to be
TEMPERATURE = 0.2
SEED = 4_201
NEVER = -100.0  # added to the logit of what is not drawn
_UNCOMPILED = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
_NEXT = re.compile(r"\n(?=[^\s])")


class Task(NamedTuple):
    """A test item that is asked for: `whole` is the real function, `head` its signature and docstring."""

    whole: str
    head: str
    condition: int


def applies(evidence: Evidence) -> bool:
    first = evidence.test.take(np.arange(min(LOOKED_AT, len(evidence.test))))
    texts = find("aigc_models.modalities", "text").decode(first.values, evidence.shape.format)
    functions = sum(_function(text) is not None for text in texts)
    return bool(evidence.samples) and bool(texts) and functions >= PYTHON * len(texts) and bool(tasks(evidence))


def measure(evidence: Evidence, language: str | None = None) -> dict[str, Measurement]:
    """For the candidates that write text (`_writers`), paired by function, and for the test items under the name `real`."""
    asked = tasks(evidence)
    written = _writers.written(evidence, lambda model: completed(model, asked, evidence, language))
    written["real"] = [task.whole for task in asked]
    heads = [task.head for task in asked]
    figures = {name: [compiles(text, head) for text, head in zip(texts, heads, strict=True)] for name, texts in written.items()}
    return shares({name: np.array(figure, dtype=np.float64) for name, figure in figures.items()}, "higher")


def tasks(evidence: Evidence) -> list[Task]:
    """The first `MOST` test items that have a body to write and are no longer than a generated item, or `LONGEST`."""
    modality, format, asked = find("aigc_models.modalities", "text"), evidence.shape.format, list[Task]()
    for at in range(len(evidence.test)):
        if len(asked) == MOST:
            break
        one = evidence.test.take(np.array([at]))
        (text,) = modality.decode(one.values, format)
        if one.sequences.lengths[0] <= min(format.length, LONGEST) and (head := head_of(text)):
            asked.append(Task(text, head, int(one.conditions[0])))
    return asked


@torch.no_grad()
def completed(model: Streams, asked: list[Task], evidence: Evidence, language: str | None) -> list[str]:
    """Each function with the body that `model` draws for it, cut at its end; held to the grammar of a `language`, if any."""
    modality, format = find("aigc_models.modalities", "text"), evidence.shape.format
    prompts = [modality.symbols(task.head, format).tolist() for task in asked]
    values = decoding.generate(
        model,
        torch.tensor([task.condition for task in asked]),
        torch.arange(len(asked)) + SEED,
        prompts,
        shrinking=True,
        start=grammar.grammar(modality.pieces(format), language="python") if language else None,
        grammar=language,
        max_length=min(format.length, LONGEST),
        temperature=TEMPERATURE,
        logit_bias=dict.fromkeys(modality.unwritten(format), NEVER),
    )
    texts = modality.decode(values, format)
    return [trimmed(text, len(task.head)) for text, task in zip(texts, asked, strict=True)]


def head_of(text: str) -> str | None:
    """Signature and docstring of a function, without a line end; None where no body stands in lines below them."""
    function = _function(text)
    if function is None:
        return None
    documented = ast.get_docstring(function, clean=False) is not None
    if documented and len(function.body) == 1:
        return None
    last = function.body[0].end_lineno if documented else function.body[0].lineno - 1
    lines = text.split("\n")
    first = function.body[1 if documented else 0].lineno
    if not last or first <= last or first == 1:
        return None
    return "\n".join(lines[:last]).rstrip()


def trimmed(text: str, begun: int) -> str:
    """The function alone: up to the first line behind its first `begun` characters that is not indented."""
    end = _NEXT.search(text, begun)
    return text[: end.start()] if end else text


def compiles(text: str, head: str) -> bool:
    """Whether the whole compiles and has a statement behind its `head`; it is never run."""
    function = _function(text)
    if function is None or not text[len(head) :].strip():
        return False
    statements = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    if not statements:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<text>", "exec", dont_inherit=True)
    except _UNCOMPILED:
        return False
    return True


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The one function that a text is; None where it is no Python, or something else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except _UNCOMPILED:
        return None
    function = body[0] if len(body) == 1 else None
    return function if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) else None
