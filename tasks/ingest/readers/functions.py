"""The functions of a Python file, each as it would stand by itself; the source is read, never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from aigc_models.errors import Unreadable

UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)  # what a parser raises


def functions(text: str) -> Iterator[tuple[int, str]]:
    """(line, source) of each function and method, its indentation taken off and its decorators left out; those inside a
    function are part of it. Raises `Unreadable` where the text is no Python.

    >>> list(functions("class A:\\n    @property\\n    def b(self):\\n        return 1\\n"))
    [(3, 'def b(self):\\n    return 1')]
    """
    lines = text.split("\n")
    for node in _defined(_parsed(text)):
        first, *rest = lines[node.lineno - 1 : node.end_lineno]
        indent = re.compile(rf"^[ \t]{{1,{node.col_offset}}}") if node.col_offset else None
        source = "\n".join([first[node.col_offset :], *(indent.sub("", line, count=1) if indent else line for line in rest)])
        if _stands_alone(source):
            yield node.lineno, source


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd backslashes, which is the author's matter
            return ast.parse(text)
    except UNPARSED as error:
        line = f" in line {error.lineno:,}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else "nested too deep" if not str(error) else str(error)
        raise Unreadable(f"is no Python of this version{line}: {reason}") from error


def _defined(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        elif isinstance(child, ast.stmt | ast.excepthandler):
            yield from _defined(child)


def _stands_alone(source: str) -> bool:
    """Not where a def shares its line with another statement, or a string's lines lost what they began with."""
    try:
        body = _parsed(source).body
    except Unreadable:
        return False
    return len(body) == 1 and isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef)
