"""A published encoder of text, such as BERT (Devlin et al. 2019) or MiniLM (Wang et al. 2020), with its own tokeniser.

It is never built from nothing: its architecture and weights come from a body that was imported (`tasks/train/checkpoint.py`).
As a body it goes on learning as it was made, by hidden tokens that are guessed from both sides; under a head it is
finetuned. The library `transformers` builds the network; the loop, the head and the bundle are this project's.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Mean, Player, Shape
from aigc_models.corpus import Batch
from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.training.devices import place_of
from aigc_models.training.randomness import seeded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODALITIES = frozenset({"text"})
PLAN = {
    "learning_rate": 1e-4,
    "batch_size": 16,
    "schedule": "linear",
    "warmup": 0.1,
    "ema": 0.0,
    "weight_decay": 0.01,
    "validation_batch": 64,
}
KINDS = "albert bert camembert deberta-v2 distilbert electra modernbert mpnet roberta xlm-roberta"
ENCODERS = tuple(KINDS.split())  # types of `transformers` that read a text from both sides
HIDDEN = 0.15  # share of the tokens that are hidden (Devlin et al. 2019, section 3.1)
LOOKED_AT_SEED = 0  # the same tokens are hidden in every validation


class Config(BaseModel):
    """What a body that was imported says of itself, and how much of a text is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    architecture: dict[str, Any] = Field({}, description="config.json of the checkpoint; from the body, not given")
    tokeniser_bytes: int = Field(0, ge=0, description="of its tokenizer.json; from the body, not given")
    longest: int = Field(128, ge=4, le=8192, description="tokens of a text that are read, the first ones")
    pooling: str = Field(
        "mean", pattern="^(mean|first)$", description="an item's features: the mean over its tokens, or the first"
    )


TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def bytewise() -> bytes:
    """A tokeniser whose tokens are bytes, as a file."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    symbols = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE({symbol: at for at, symbol in enumerate(symbols)}, []))
    made.add_special_tokens(list(SPECIAL))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return made.to_str().encode()


# small and larger are as the checkpoint is; `debug` without one is a network of bytes that learnt nothing, for tests
SIZES = {
    "debug": Config(architecture={"model_type": "bert", "vocab_size": 261, "max_position_embeddings": 512, **TINY}),
    **{size: Config() for size in ("small", "base", "large")},
}


class Checkpoint(nn.Module):
    """The encoder and what it takes to go on training it; `features` numbers describe an item."""

    tokeniser: Tensor  # uint8 (byte,): tokenizer.json, so that it stands in the bundle like the weights

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.config, self.format = config, shape.format
        self.modality = find("aigc_models.modalities", shape.modality)
        self.encoder = network(config.architecture)
        self.features = int(self.encoder.config.hidden_size)
        self.transform = nn.Linear(self.features, self.features)  # before tokens are guessed
        nn.init.eye_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)
        self.register_buffer("tokeniser", torch.zeros(config.tokeniser_bytes, dtype=torch.uint8))

    @cached_property
    def reader(self) -> Tokenizer:
        """The library's tokeniser, which cuts after `longest` tokens."""
        from tokenizers import Tokenizer

        made = Tokenizer.from_str(bytes(self.tokeniser.cpu().numpy()).decode("utf-8"))
        most = getattr(self.encoder.config, "max_position_embeddings", self.config.longest)
        made.enable_truncation(min(self.config.longest, most))
        made.no_padding()
        return made

    def tokens(self, batch: Batch) -> tuple[Int[Tensor, "item token"], Int[Tensor, "item token"]]:
        """The tokens of each text, and 1 where there is one; on the model's device."""
        texts = self.modality.decode(batch.values.cpu(), self.format)
        cut = self.reader.encode_batch_fast(texts)
        longest = max((len(each.ids) for each in cut), default=1) or 1
        padding = int(self.encoder.config.pad_token_id or 0)
        ids, there = torch.full((len(cut), longest), padding), torch.zeros(len(cut), longest, dtype=torch.int64)
        for row, each in enumerate(cut):
            ids[row, : len(each.ids)] = torch.tensor(each.ids)
            there[row, : len(each.ids)] = 1
        return ids.to(place_of(self)), there.to(place_of(self))

    def hidden(self, ids: Tensor, there: Tensor) -> Float[Tensor, "item token feature"]:
        """What the network makes of each token."""
        made: Tensor = self.encoder(input_ids=ids, attention_mask=there).last_hidden_state
        return made

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """The mean over an item's tokens, or its first."""
        return self.pooled(*self.tokens(batch))

    def pooled(self, ids: Tensor, there: Tensor) -> Float[Tensor, "item feature"]:
        """The same of tokens."""
        hidden = self.hidden(ids, there)
        if self.config.pooling == "first":
            return hidden[:, 0]
        weights = there.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)

    def cut(self, text: str) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
        """The tokens of a text, int64 (1, token), the same with all but those that frame it hidden, and where in the text each
        stands, in characters (one that frames it: nowhere)."""
        made = self.reader.encode(text)
        ids = torch.tensor([made.ids], device=place_of(self))
        frame = torch.tensor([made.special_tokens_mask], device=ids.device).bool()
        blank = self.reader.token_to_id("[MASK]") or self.reader.token_to_id("<mask>") or self.encoder.config.pad_token_id or 0
        return ids, torch.where(frame, ids, blank), [(int(start), int(end)) for start, end in made.offsets]

    def spares_memory(self, whether: bool) -> None:
        """Make the inside of each layer again for the backward pass, in place of keeping it."""
        if whether:
            self.encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        else:
            self.encoder.gradient_checkpointing_disable()

    def players(self) -> list[Player]:
        """One: it guesses hidden tokens."""
        return [Player("masked_tokens", list(self.parameters()), self.hidden_loss, weight_decay=0.01)]

    def hidden_loss(self, batch: Batch) -> Mean:
        """Nats a hidden token, of 15 % of them, and how many those are."""
        ids, there = self.tokens(batch)
        special = torch.tensor(sorted(self.reader.get_added_tokens_decoder()), device=ids.device)
        hidden = (torch.rand(ids.shape, device=ids.device) < HIDDEN) & (there == 1) & ~torch.isin(ids, special)
        mask = self.reader.token_to_id("[MASK]") or self.reader.token_to_id("<mask>")
        if mask is None:
            raise BadInput("the checkpoint's tokeniser has no mask token, so that it cannot go on guessing hidden ones")
        made = F.gelu(self.transform(self.hidden(torch.where(hidden, mask, ids), there)[hidden]))
        scores = F.linear(made, self.encoder.get_input_embeddings().weight)
        count = hidden.sum().clamp(min=1)
        return Mean(F.cross_entropy(scores, ids[hidden], reduction="sum") / count, count)

    @torch.no_grad()
    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The same tokens hidden each time."""
        with seeded(LOOKED_AT_SEED):
            return self.hidden_loss(batch).value


def network(architecture: dict[str, Any]) -> Any:
    """An encoder with random weights; raises `BadInput` for what is none, or where `transformers` is not installed."""
    if not architecture:
        raise BadInput("family checkpoint starts from one: name it as pretraining.checkpoint, and give the member start: body")
    kind = architecture.get("model_type")
    if kind not in ENCODERS:
        raise BadInput(f"a model of type {kind!r} is no encoder of text that can be used; those are: {', '.join(ENCODERS)}")
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError as error:
        raise BadInput("family checkpoint needs the package transformers: pip install 'aigc-foundry[hub]'") from error
    given = {name: value for name, value in architecture.items() if name not in ("auto_map", "torch_dtype", "dtype")}
    try:
        return AutoModel.from_config(AutoConfig.for_model(**given), attn_implementation="sdpa")
    except (TypeError, ValueError, KeyError, ZeroDivisionError, RuntimeError) as error:
        raise BadInput(f"its config.json describes no {kind} that can be built: {error}") from error


def build(config: Config, shape: Shape) -> Checkpoint:
    """From a body's config; its weights and its tokeniser are filled in afterwards (of `debug`, the tokeniser here)."""
    if config.tokeniser_bytes or not config.architecture:
        return Checkpoint(config, shape)
    tokeniser = bytewise()
    model = Checkpoint(config.model_copy(update={"tokeniser_bytes": len(tokeniser)}), shape)
    model.tokeniser.copy_(torch.frombuffer(bytearray(tokeniser), dtype=torch.uint8))
    return model
