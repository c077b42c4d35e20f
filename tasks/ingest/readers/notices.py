"""Lines for the person who adds content: what was guessed of it, and what was left out."""

from __future__ import annotations

import sys
from functools import lru_cache

from aigc_models.reading.words import printable


def say(text: str) -> None:
    """Print a line on stderr; what names of files hold does nothing to the terminal."""
    print(printable(text), file=sys.stderr, flush=True)


@lru_cache(maxsize=1000)
def say_once(text: str) -> None:
    """The same, where content is looked at more than once."""
    say(text)
