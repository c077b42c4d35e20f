"""What is asked and answered at the endpoints beside completions and images: sound, items of any kind, inference."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field

from aigc_models.language.cases import SURE
from tasks.serve.schemas import STRICT, Asked, Name, bounded
from tasks.use.provenance import Label

MAX_INPUTS = 64
MAX_SAID = 20_000  # characters of a question, a reply or a correction that is spoken of
MAX_INPUT = 900_000  # characters: a request is at most a megabyte
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)

Input = Annotated[str, Field(max_length=MAX_INPUT)]
Level = Annotated[float, Field(gt=0, lt=1)]


class Points(BaseModel):
    """The past of a series: a value for each time, and the times where they are known."""

    model_config = STRICT
    values: dict[str, list[float | None]] = Field(description="of each channel, oldest first; null where one is missing")
    times: list[str | float] | None = Field(None, description="as in a csv file: dates, or numbers; none: counted")


Past = Input | Points
Pasts = Annotated[list[Past], Field(min_length=1, max_length=MAX_INPUTS)]
Inputs = Annotated[list[Input], Field(min_length=1, max_length=MAX_INPUTS)]


class Voice(BaseModel):
    model_config = STRICT
    id: Name


class SpeechRequest(Asked):
    """`POST /v1/audio/speech`. `input` or `voice` is a label of the model."""

    input: Name = Field("", description="a label of the model, or empty")
    voice: Name | Voice | None = Field(None, description="a label of the model, where `input` is none")
    response_format: Name = Field("wav", description="wav, flac, mp3, opus, ogg, or pcm (16 bits, 24 kHz, mono)")
    instructions: None = None
    speed: Annotated[float, Field(ge=1, le=1)] | None = Field(None, description="1, as it is")
    stream_format: Literal["audio"] | None = None

    @property
    def words(self) -> tuple[str, str]:
        """`input` and `voice`, bare."""
        voice = self.voice.id if isinstance(self.voice, Voice) else self.voice
        return self.input.strip(), (voice or "").strip()


class GenerateRequest(Asked):
    """`POST /v1/generate`: items of any modality."""

    n: int = Field(1, ge=1, description="items; `count` says the same", json_schema_extra=bounded("items"))
    count: int | None = Field(None, ge=1, description="items", json_schema_extra=bounded("items"))
    prompt: str | None = Field(None, description="what a text begins with", json_schema_extra=bounded("prompt"))
    past: Past | None = Field(None, description="what a series goes on from, as csv or points; none: the newest known")
    sampling: dict[str, float | str | dict[str, Any]] = Field({}, description="the model's own options, such as temperature")
    response_format: Name | None = Field(
        None,
        description="of tunes events (where none is asked for), mid, abc or wav; of others their own; `format` says the same",
        validation_alias=AliasChoices("response_format", "format"),
    )

    @property
    def items(self) -> int:
        return self.n if self.count is None else self.count


class ForecastRequest(Asked):
    """`POST /v1/forecast`."""

    past: Past | Pasts | None = Field(
        None, description="one series or several, each as csv or points; none: the newest of the training data"
    )
    levels: list[Level] = Field(list(LEVELS), min_length=1, max_length=99, description="quantiles, ascending")

    @property
    def pasts(self) -> list[Past] | None:
        return self.past if isinstance(self.past, list) or self.past is None else [self.past]


class InferenceRequest(BaseModel):
    """What the requests about given content share."""

    model_config = STRICT

    model: Name | None = Field(None, description="a served model; may be left out where one alone can do this")
    input: Input | Inputs = Field(
        description="texts as they are, series as csv; pictures and sounds as base64 of a file (or a data URL)"
    )
    user: Name | None = Field(None, description="accepted for the client's sake, not kept")

    @property
    def inputs(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class ClassifyRequest(InferenceRequest):
    """`POST /v1/classify`."""


class ExplainRequest(InferenceRequest):
    """`POST /v1/explain`."""

    label: Name | None = Field(None, description="one of the model's labels; none: the likeliest of each text")


class RecommendRequest(BaseModel):
    """`POST /v1/recommendations`."""

    model_config = STRICT

    model: Name | None = Field(None, description="a served model; may be left out where one alone can do this")
    items: list[Name] = Field(
        [],
        description="what the user has had, in the order of time; an id alone will do, and none is a cold start",
        max_length=10_000,
    )
    count: int = Field(10, ge=1, le=1000, description="items to recommend")
    user: Name | None = Field(None, description="accepted for the client's sake, not kept")


class ReplyRequest(BaseModel):
    """`POST /v1/replies`."""

    model_config = STRICT

    model: Name | None = Field(None, description="a served model; may be left out where one alone can do this")
    question: str = Field(description="what is asked", json_schema_extra=bounded("prompt"))
    count: int = Field(3, ge=1, le=100, description="replies to show, the nearest first")
    confidence: float = Field(SURE, ge=0, le=1, description="that a reply has to have to be given")
    user: Name | None = Field(None, description="accepted for the client's sake, not kept")


class FeedbackRequest(BaseModel):
    """`POST /v1/feedback`: whether a reply was right, and what it should have been."""

    model_config = STRICT

    model: Name | None = None
    question: str = Field(min_length=1, max_length=MAX_SAID)
    answer: str = Field(max_length=MAX_SAID, description="the reply that is spoken of")
    good: bool
    correction: str | None = Field(None, min_length=1, max_length=MAX_SAID, description="what it should have been")
    case: Name | None = Field(None, description="the id of the case that it rested on")


class EmbeddingRequest(InferenceRequest):
    """`POST /v1/embeddings`."""

    encoding_format: Literal["float", "base64"] = Field("float", description="base64: of float32, little-endian")
    dimensions: int | None = Field(None, ge=1, description="the model's own, or left out")


class Made(BaseModel):
    """An item: `text` (ABC notation too), or a file as base64; of a series its csv as `text` and `points` too."""

    item: int
    label: str | None
    suffix: str
    text: str | None = None
    b64_json: str | None = None
    points: Points | None = None


class Items(BaseModel):
    object: Literal["list"] = "list"
    created: int
    model: str
    data: list[Made]
    aigc: Label


class Ahead(BaseModel):
    """One forecast: `quantiles` of each channel, a list for each level."""

    index: int
    times: list[str]
    step: str
    quantiles: dict[str, list[list[float]]]


class Forecasted(BaseModel):
    object: Literal["list"] = "list"
    created: int
    model: str
    member: str = Field(description="who answered for an ensemble; empty: the model itself")
    levels: list[float]
    data: list[Ahead]
    aigc: Label


class Interval(BaseModel):
    low: float
    high: float
    level: float = Field(description="share of true values that it is to hold")


class Classified(BaseModel):
    """Of a classifier `label`, `probability` and `probabilities`; where items have several labels, `labels` and
    `probabilities`; of a model to regress `value` and `interval`."""

    index: int
    label: str | None = None
    labels: list[str] | None = Field(None, description="those that it is given, the likeliest first")
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = Field(None, description="the number predicted, in the unit of the training data")
    interval: Interval | None = None


class Classification(BaseModel):
    object: Literal["list"] = "list"
    model: str
    member: str = Field(description="who answered for an ensemble; empty: the model itself")
    unanswered: dict[str, int] = Field(
        {},
        description="members that lie elsewhere and gave no answer, for how many texts; there the others answer alone",
    )
    data: list[Classified]
    aigc: Label


class ExplainedWord(BaseModel):
    text: str
    start: int = Field(description="characters before it")
    end: int
    value: float = Field(description="nats that it adds to the label's log-probability")


class Check(BaseModel):
    removed: list[str]
    probability_without: float
    probability_without_random: float = Field(description="without as many words drawn at random, on average")


class Explained(BaseModel):
    index: int
    label: str
    probability: float
    words: list[ExplainedWord]
    check: Check
    methods: dict[str, str] = Field(description="by member, how it was asked")


class WantedToken(BaseModel):
    probability: float
    likeliest: str = Field(description="what it held for likeliest there")
    likeliest_probability: float


class ExplainedToken(WantedToken):
    text: str
    start: int = Field(description="characters before it")
    end: int
    entropy: float = Field(description="of what could have stood there, nats")
    members: dict[str, WantedToken]


class ExplainedText(BaseModel):
    """A text as a generator reads it."""

    index: int
    nats: float = Field(description="its log-probability, with its end")
    end_probability: float
    tokens: list[ExplainedToken]


class Explanations(BaseModel):
    object: Literal["list"] = "list"
    model: str
    data: list[Explained | ExplainedText]
    aigc: Label


class Recommendation(BaseModel):
    index: int
    item: str
    probability: float
    because: list[str] = Field(description="items of the history that speak for it, the strongest first")


class Recommendations(BaseModel):
    object: Literal["list"] = "list"
    model: str
    member: str = Field(description="who answered for an ensemble; empty: the model itself")
    data: list[Recommendation]
    unknown: list[str] = Field(description="items of the request that the model does not know")
    cold_start: bool = Field(description="whether nothing of the history is known")
    aigc: Label


class PastCase(BaseModel):
    id: str = Field(description="of the item in the data set: `aigc data items`")
    question: str


class GivenReply(BaseModel):
    given: bool = Field(description="whether it is sure enough to be given")
    answer: str
    confidence: float | None = Field(None, description="share of questions that no case answers which score lower")
    case: PastCase


class Replies(BaseModel):
    object: Literal["list"] = "list"
    model: str
    answered: bool
    text: str
    data: list[GivenReply]
    aigc: Label


class Kept(BaseModel):
    kept: bool = True
    dataset: str


class Embedding(BaseModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class InputUsage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class Embeddings(BaseModel):
    object: Literal["list"] = "list"
    model: str
    member: str = Field(description="who answered for an ensemble; empty: the model itself")
    data: list[Embedding]
    usage: InputUsage
    aigc: Label


def dumped(value: BaseModel) -> Any:
    """As JSON, without what is not there."""
    return value.model_dump(mode="json", exclude_none=True)
