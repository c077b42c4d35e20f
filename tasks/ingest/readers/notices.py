"""Lines for the person who adds content: what was guessed of it, and what was left out."""

from __future__ import annotations

import sys
from functools import lru_cache


def say(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)


@lru_cache(maxsize=1000)
def say_once(text: str) -> None:
    """The same, where content is looked at more than once."""
    say(text)
