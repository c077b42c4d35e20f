"""What is asked and answered over HTTP: OpenAI's shapes, and ours beside them (`aigc`, `seed`, `label`).

A field that is not known here is refused by name rather than ignored.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tasks.serve.doors.limits import LIMIT
from tasks.serve.structure import ResponseFormat, StructuredOutputs
from tasks.use.provenance import Label

MAX_CHOICES = 16  # for each prompt
MAX_ANSWERS = 64  # prompts times choices
MAX_PROMPTS = 16
TOKENS = 511  # by default: with END the 512 symbols of `aigc generate`, so that both make the same text
MAX_SEED = 2**53 - 1  # what JavaScript can hold
MAX_NAME = 200  # characters of a model's name or of a label
MAX_STOP = 256  # characters
MAX_BIASES = 1024
READ_AT_ONCE = 4096  # characters

OPTIONS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "no_repeat_ngram",
    "logit_bias",
)

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Bias = Annotated[float, Field(ge=-100, le=100)]
Name = Annotated[str, Field(max_length=MAX_NAME)]
Stop = Annotated[str, Field(max_length=MAX_STOP)]
Symbol = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)  # true is no 1, and "1" is none either


def bounded(limit: str) -> dict[str, JsonValue]:
    """Of a field in a schema: which of the server's `Limits` bounds it."""
    return {LIMIT: limit}


class Asked(BaseModel):
    """What the requests share."""

    model_config = STRICT

    model: Name | None = Field(None, description="a served model; may be left out where one alone makes this modality")
    seed: Seed | None = Field(None, description="the same seed gives the same items; drawn at random where it is left out")
    first: int = Field(0, ge=0, lt=2**31, description="number of the first item: 4 of a seed alone is `first` 4 and `n` 1")
    label: Name | None = Field(None, description="one of the model's labels; without one each item draws its own")
    user: Name | None = Field(None, description="accepted for the client's sake, not kept")


class StreamOptions(BaseModel):
    model_config = STRICT
    include_usage: bool = False


class TextRequest(Asked):
    """What is asked of a text. A token is one of the model's symbols: a byte of UTF-8, or a piece of its tokeniser."""

    max_tokens: int = Field(
        TOKENS, ge=1, description="most tokens, where the text does not end before", json_schema_extra=bounded("tokens")
    )
    temperature: float | None = Field(None, ge=0, le=2)
    top_k: int | None = Field(None, ge=0)
    top_p: float | None = Field(None, gt=0, le=1)
    min_p: float | None = Field(None, ge=0, le=1)
    typical_p: float | None = Field(None, gt=0, le=1)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, ge=1)
    no_repeat_ngram: int | None = Field(None, ge=0)
    logit_bias: dict[Symbol, Bias] | None = Field(
        None, max_length=MAX_BIASES, description="added to the logits of these tokens, by their numbers"
    )
    response_format: ResponseFormat | None = Field(None, description="any text, any JSON object, or JSON of a schema")
    structured_outputs: StructuredOutputs | None = Field(None, description="text of a regular expression, or of a schema")
    n: int = Field(1, ge=1, le=MAX_CHOICES, description="choices for each prompt")
    stream: bool = False
    stream_options: StreamOptions | None = None
    stop: Stop | list[Stop] | None = Field(None, description="the text ends before any of these, at most 4")
    deadline: float | None = Field(None, gt=0, description="seconds after which a 504 is of more use than the text")

    @field_validator("stop")
    @classmethod
    def _few_stops(cls, stop: str | list[str] | None) -> str | list[str] | None:
        if isinstance(stop, list) and len(stop) > 4:
            raise ValueError(f"at most 4 stop strings, not {len(stop)}")
        return stop

    @model_validator(mode="after")
    def _one_structure(self) -> Self:
        if self.structured_outputs and self.response_format and self.response_format.options:
            raise ValueError("response_format and structured_outputs both hold the text; leave one of them out")
        return self

    @property
    def held(self) -> dict[str, Any]:
        """What the text is held to, as a sampling option; empty: nothing."""
        asked = self.structured_outputs or self.response_format
        return asked.options if asked else {}

    @property
    def stops(self) -> tuple[str, ...]:
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in given if text)

    @property
    def sampling(self) -> dict[str, Any]:
        """What was asked for; the rest is the model's own choice."""
        return self.model_dump(include=set(OPTIONS), exclude_none=True) | self.held

    @property
    def slow(self) -> bool:
        """Whether to read it takes so long (a second, of a large schema) that it is done in another thread."""
        given = sum(map(len, self.prompts)) + len(self.prompts) * len(self.behind or "")
        return bool(self.held) or given * self.drafts > READ_AT_ONCE

    prompted_by: ClassVar[str] = "prompt"  # the field that the prompts stand in

    @property
    @abstractmethod
    def prompts(self) -> list[str]:
        """What the texts begin with."""

    @property
    def length(self) -> int:
        """Most tokens."""
        return self.max_tokens

    @property
    def drafts(self) -> int:
        """How many texts are made for each prompt, of which the best `n` are the answer."""
        return self.n

    @property
    def beams(self) -> int:
        """With how many the likeliest texts are searched; 0: texts are drawn."""
        return 0

    @property
    def likeliest(self) -> int | None:
        """Of how many other tokens the log-probabilities are asked for; none: not even that of the token."""
        return None

    @property
    def echoed(self) -> bool:
        return False

    @property
    def behind(self) -> str | None:
        """What comes behind the text."""
        return None


class CompletionRequest(TextRequest):
    """`POST /v1/completions`."""

    prompt: str | list[str] = Field(
        "",
        description="what the text begins with; a list gives n choices for each",
        json_schema_extra=bounded("prompt"),
    )
    suffix: str | None = Field(
        None,
        description="what comes behind the text, for models that learnt to fill in a middle",
        json_schema_extra=bounded("prompt"),
    )
    echo: bool = Field(False, description="repeat the prompt before the text")
    best_of: int | None = Field(None, ge=1, le=MAX_CHOICES, description="make so many, give the n likeliest by the token")
    logprobs: int | None = Field(None, ge=0, le=5, description="log-probabilities of each token and of so many others")
    use_beam_search: bool = Field(False, description="the n likeliest texts, with best_of or n beams, in place of drawn ones")
    length_penalty: float | None = Field(None, ge=0, description="of beams, how much longer texts are favoured")

    @field_validator("prompt")
    @classmethod
    def _some_prompts(cls, prompt: str | list[str]) -> str | list[str]:
        if isinstance(prompt, list) and not 1 <= len(prompt) <= MAX_PROMPTS:
            raise ValueError(f"1 to {MAX_PROMPTS} prompts a request, not {len(prompt)}")
        return prompt

    @model_validator(mode="after")
    def _few_answers(self) -> Self:
        if self.best_of and self.best_of < self.n:
            raise ValueError(f"best_of is {self.best_of}, less than n, which is {self.n}")
        if self.use_beam_search and (self.stream or self.logprobs is not None):
            raise ValueError("use_beam_search: the best texts are known at their ends alone: neither stream nor logprobs")
        if self.length_penalty is not None and not self.use_beam_search:
            raise ValueError("length_penalty: it is that of beams; say use_beam_search as well")
        if self.stream and self.drafts > self.n:
            raise ValueError("best_of: the best of several are known at their ends alone, so that they cannot be streamed")
        if self.suffix is not None and self.echo:
            raise ValueError("echo: with a suffix the text stands between the two; leave one of them out")
        if len(self.prompts) * self.drafts > MAX_ANSWERS:
            raise ValueError(f"prompts times n is {len(self.prompts) * self.drafts}, at most {MAX_ANSWERS}")
        return self

    @property
    def prompts(self) -> list[str]:
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt

    @property
    def drafts(self) -> int:
        return self.n if self.use_beam_search else self.best_of or self.n

    @property
    def beams(self) -> int:
        return (self.best_of or self.n) if self.use_beam_search else 0

    @property
    def sampling(self) -> dict[str, Any]:
        beams = {"beams": self.beams, "length_penalty": self.length_penalty} if self.beams else {}
        return super().sampling | {name: value for name, value in beams.items() if value is not None}

    @property
    def likeliest(self) -> int | None:
        return 0 if self.logprobs is None and self.drafts > self.n else self.logprobs

    @property
    def echoed(self) -> bool:
        return self.echo

    @property
    def behind(self) -> str | None:
        return self.suffix


class ImageRequest(Asked):
    """`POST /v1/images/generations`. The prompt is a label of the model, or empty."""

    prompt: Name = Field("", description="a label of the model, or empty; `label` says the same")
    n: int = Field(1, ge=1, json_schema_extra=bounded("items"))
    size: Name | None = Field(None, description="`auto` or the model's own size, such as `8x8`")
    response_format: Literal["b64_json"] | None = Field(None, description="always base64 of a PNG")
    output_format: Literal["png"] | None = None


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Choice(BaseModel):
    index: int
    text: str
    item: int
    label: str | None
    finish_reason: Literal["stop", "length", "content_filter"] | None = Field(
        description="content_filter: it would have gone on repeating the training data"
    )
    logprobs: dict[str, Any] | None = None


class Completion(BaseModel):
    """An answer, or with `stream` one piece of it."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    system_fingerprint: str
    choices: list[Choice]
    usage: Usage | None = None
    aigc: Label


class Picture(BaseModel):
    b64_json: str
    item: int
    label: str | None


class Pictures(BaseModel):
    created: int
    model: str
    data: list[Picture]
    output_format: Literal["png"] = "png"
    size: str
    aigc: Label


class ServedModel(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "aigc-foundry"
    version: str
    dataset: str
    data_version: str
    modality: str
    task: str
    capabilities: list[str]
    labels: list[str]
    licence: str
    copy_guard: bool = Field(description="whether its texts are kept from repeating the training data")
    format: dict[str, Any]


class ServedModels(BaseModel):
    object: Literal["list"] = "list"
    data: list[ServedModel]


class Failure(BaseModel):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Failed(BaseModel):
    """How every error looks."""

    error: Failure


def streamed(part: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Of an answer that comes as a whole, or with `stream` as events, each of which is a `part`."""
    events = {"schema": {"type": "string", "description": f"`data: ` and a {part.__name__} as JSON, the last one `[DONE]`"}}
    return {200: {"model": part, "content": {"text/event-stream": events}}}


REFUSALS = (400, 401, 403, 404, 408, 413, 421, 429, 502, 503, 504)
FAILURES: dict[int | str, dict[str, Any]] = {status: {"model": Failed} for status in REFUSALS}
