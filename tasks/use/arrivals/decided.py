"""What an arrived file of content is answered with by a model that makes none: what it says of each row.

.txt     a text a line
.jsonl   an object a line: {"text": "Profit fell.", "time": "2026-11-30T08:00Z", "topic": "NOKIA"}; a plain string is a text
.json    such an object, or a list of them
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from aigc_models.errors import AigcError
from aigc_models.find import find
from tasks.use.arrivals.orders import Problem, Text, _as_text, rows_of

if TYPE_CHECKING:
    from aigc_models.generator import Generator

TOGETHER = 256  # rows that the model is asked about at a time


TEXT = AliasChoices("text", "headline", "title", "content")
TOPIC = AliasChoices("topic", "ticker", "symbol", "subject")
SOURCE = AliasChoices("source", "url", "link")


class Post(BaseModel):
    """One row of a file: a text, and what is known of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: Annotated[str, BeforeValidator(_as_text)] = Field(
        description="what the model is asked about", min_length=1, validation_alias=TEXT
    )
    time: Text = Field(None, description="when it was published, ISO 8601; none: when its file came")
    topic: Text = Field(None, description="what it is about", validation_alias=TOPIC)
    source: Text = Field(None, description="where it was published", validation_alias=SOURCE)


def decided(payload: bytes, name: str, generator: Generator) -> list[dict[str, Any]]:
    """A row for each row of the file: `items` with what the model says beside what it was asked, or an `error`."""
    read = rows_of(payload, name, Post, "text")
    posts = [(number, post) for number, post in read if isinstance(post, Post)]
    said: dict[int, dict[str, Any]] = {}
    for start in range(0, len(posts), TOGETHER):
        said |= _asked(posts[start : start + TOGETHER], name, generator)
    return [said[number] if number in said else {"row": number, "error": post.model_dump()} for number, post in read]


def _asked(posts: Sequence[tuple[int, Post]], name: str, generator: Generator) -> dict[int, dict[str, Any]]:
    """Rows by number; where the model cannot be asked about them together it is asked one by one, so that each has its own
    reason."""
    task, modality = find("aigc_models.heads", generator.card.task), generator.modality
    try:
        answers = task.answers(generator, [modality.normalise(post.text) for _, post in posts])
    except (AigcError, ValueError, RuntimeError) as error:
        if len(posts) > 1:
            return {number: row for one in posts for number, row in _asked([one], name, generator).items()}
        problem = Problem(file=name, row=posts[0][0], field="text", message=str(error))
        return {problem.row: {"row": problem.row, "error": problem.model_dump()}}
    pairs = zip(posts, answers, strict=True)
    return {
        number: {"row": number, "items": [{**post.model_dump(exclude_none=True), **answer}]} for (number, post), answer in pairs
    }
