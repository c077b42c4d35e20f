"""`POST /v1/chat/completions`: OpenAI's shape for models that go on with a text.

The models here learnt texts, not conversations: what is said goes to them as it is, one message after the other. Where
messages have names, and a label says who is to speak, it is a script: the last turn that was spoken stands before the
speaker's name, as in what such models learn from (`--option items=turns`), and the answer is that speaker's turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from aigc_models.reading import script
from tasks.serve import likelihoods
from tasks.serve.completions import Answer, Piece
from tasks.serve.schemas import STRICT, Name, TextRequest, Usage, bounded
from tasks.use.provenance import Label

MAX_MESSAGES = 256


class TextPart(BaseModel):
    model_config = STRICT
    type: Literal["text"]
    text: str


class Message(BaseModel):
    model_config = STRICT
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: Name | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatRequest(TextRequest):
    """The contents of the messages, each on lines of its own, are what the answer goes on from."""

    prompted_by = "messages"
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    max_completion_tokens: int | None = Field(
        None, ge=1, description="says the same as `max_tokens`", json_schema_extra=bounded("tokens")
    )
    logprobs: bool = False
    top_logprobs: int | None = Field(None, ge=0, le=20)

    @property
    def scripted(self) -> bool:
        """Whether the answer is a turn of a script."""
        return self.label is not None and any(message.name for message in self.messages)

    @property
    def prompts(self) -> list[str]:
        if not self.scripted:
            return ["\n".join(message.text for message in self.messages)]
        spoken = [message for message in self.messages if message.name and message.text.strip()]
        before = [f"{script.headed(turn.name or '')}{turn.text.strip()}{script.APART}" for turn in spoken[-1:]]
        return ["".join([*before, script.headed(self.label or "")])]

    @property
    def stops(self) -> tuple[str, ...]:
        """A turn ends before the next one."""
        return (*super().stops, script.APART) if self.scripted else super().stops

    @property
    def length(self) -> int:
        return self.max_completion_tokens or self.max_tokens

    @property
    def likeliest(self) -> int | None:
        return (self.top_logprobs or 0) if self.logprobs else None


class ChatChoice(BaseModel):
    """`message` of a whole answer, `delta` of a piece."""

    index: int
    item: int
    label: str | None
    message: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None
    finish_reason: Literal["stop", "length", "content_filter"] | None
    logprobs: dict[str, Any] | None = None


class Chat(BaseModel):
    """An answer, or with `stream` one piece of it."""

    id: str
    object: Literal["chat.completion", "chat.completion.chunk"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChatChoice]
    usage: Usage | None = None
    aigc: Label


class ChatAnswer(Answer):
    """To `POST /v1/chat/completions`."""

    _asked: ChatRequest

    def part(self, pieces: Sequence[Piece], usage: Usage | None = None) -> Chat:
        choices = [self._shaped(piece, delta=self._spoken(piece, first=piece.offset == 0)) for piece in pieces]
        return Chat(object="chat.completion.chunk", choices=choices, usage=usage, **self._common())

    def whole(self, pieces: Sequence[Piece], usage: Usage) -> Chat:
        choices = [self._shaped(piece, message=self._spoken(piece, first=True)) for piece in pieces]
        return Chat(object="chat.completion", choices=choices, usage=usage, **self._common())

    def _spoken(self, piece: Piece, first: bool) -> dict[str, Any]:
        return {"role": "assistant", "content": piece.text} if first else {"content": piece.text}

    def _shaped(self, piece: Piece, **spoken: dict[str, Any]) -> ChatChoice:
        logprobs = likelihoods.of_chat(piece.said, self._pieces) if self._asked.logprobs else None
        about = {"index": piece.choice, "item": piece.item, "label": piece.label, "finish_reason": piece.reason}
        return ChatChoice(**about, logprobs=logprobs, **spoken)
