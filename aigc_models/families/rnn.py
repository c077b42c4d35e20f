"""LSTM (Hochreiter and Schmidhuber 1997) over symbols, with the condition fed at every step."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from aigc_models.capabilities import Player, Shape
from aigc_models.language.attention import GramEmbedding
from aigc_models.language.model import LanguageModel
from aigc_models.language.rows import Packed
from aigc_models.language.vocabulary import symbolic

MODALITIES = symbolic()
PLAN = {
    "learning_rate": 8e-3,
    "matrix_rate": 0.02,
    "schedule": "linear",
    "ema": 0.0,
    "validation_batch": 256,
    "weight_decay": 0.0,
}

State = tuple[Tensor, Tensor, Tensor, Tensor]  # hidden, cell, condition embedding, last symbols


class Config(BaseModel):
    """`small` is meant for a minute of one CPU core."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    embedding: int = Field(64, ge=1, description="size of a symbol's embedding, channels")
    longest: int = Field(4, ge=1, description="n-grams up to this length have embeddings too, symbols")
    buckets: int = Field(4096, ge=1, description="embeddings for the n-grams of one length")
    width: int = Field(256, ge=1, description="size of the hidden state, channels")
    layers: int = Field(1, ge=1, description="LSTM layers on top of each other")
    condition: int = Field(0, ge=0, description="size of a condition's embedding, channels; 0: that of a symbol's")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of channels dropped in training")
    unlabelled: float = Field(0.1, ge=0, le=1, description="share of the training items whose condition is hidden")
    window: int = Field(64, ge=2, description="length of a row in training, symbols")
    rows: int = Field(16, ge=1, description="rows of a step")


SIZES = {
    "debug": Config(embedding=8, buckets=64, width=16, window=32, rows=8, dropout=0.0),
    "small": Config(embedding=128, condition=32, longest=6, buckets=8192, dropout=0.0, rows=32),
    "base": Config(embedding=128, condition=32, longest=6, buckets=32_768, width=512, layers=2, dropout=0.1, rows=32),
    "large": Config(
        embedding=256, condition=64, longest=6, buckets=131_072, width=1024, layers=3, dropout=0.2, window=256, rows=64
    ),
}


class Rnn(LanguageModel):
    """In training the state is carried from row to row, so that it knows more than a row of the past."""

    carried: Tensor | None

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape)
        self.config = config
        self.symbols = GramEmbedding(self.vocabulary, config.embedding, config.longest, config.buckets)
        self.conditions = nn.Embedding(shape.conditions, config.condition or config.embedding)
        between = config.dropout if config.layers > 1 else 0.0
        inputs = config.embedding + self.conditions.embedding_dim
        self.lstm = nn.LSTM(inputs, config.width, config.layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.width, self.vocabulary.outputs)
        nn.init.normal_(self.conditions.weight, std=0.5)
        nn.init.normal_(self.head.weight, std=0.3 * config.width**-0.5)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            for layer in range(config.layers):
                weight = getattr(self.lstm, f"weight_ih_l{layer}")
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
                for gate in getattr(self.lstm, f"weight_hh_l{layer}").chunk(4):
                    nn.init.orthogonal_(gate)
                getattr(self.lstm, f"bias_ih_l{layer}").zero_()[config.width : 2 * config.width] = 1.0  # remember at first
                getattr(self.lstm, f"bias_hh_l{layer}").zero_()
        carried = torch.zeros(2, config.layers, config.rows, config.width)  # hidden and cell behind the last row
        self.register_buffer("carried", carried, persistent=False)

    def logits(self, features: Float[Tensor, "item time width"]) -> Float[Tensor, "item time symbol"]:
        return self.head(self.dropout(features))

    def predict(self, rows: Packed) -> Float[Tensor, "row time symbol"]:
        assert self.carried is not None
        inputs = torch.cat([self.symbols(rows.inputs), self.conditions(rows.conditions)], dim=-1)
        output, state = self._lstm(self.dropout(inputs), tuple(self.carried[:, :, rows.row]))
        self.carried[:, :, rows.row] = torch.stack(state).detach().to(self.carried)
        return self.logits(output)

    def _lstm(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """In float32 on a CPU: not every processor's library has the cell in bfloat16."""
        if inputs.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                return self.lstm(inputs.float(), state)
        return self.lstm(inputs, state)

    def players(self) -> list[Player]:
        """One; the cell's matrices are Muon's."""
        matrices: list[Tensor] = [weight for name, weight in self.lstm.named_parameters() if name.startswith("weight")]
        return [Player("rnn", list(self.parameters()), self.loss, betas=(0.9, 0.99), matrices=matrices, blocks=4)]

    def begin(self, conditions: Int[Tensor, " item"]) -> State:
        zero = self.head.weight.new_zeros(len(conditions), self.config.layers, self.config.width)
        return zero, zero, self.conditions(conditions.to(zero.device)), self.symbols.none_yet(len(conditions))

    def read(self, state: State, tokens: Int[Tensor, "item time"]) -> tuple[Float[Tensor, "item time width"], State]:
        hidden, cell, condition, recent = state
        x, recent = self.symbols.after(recent, tokens)
        inputs = torch.cat([x, condition[:, None].expand(-1, x.shape[1], -1)], dim=-1)
        before = hidden.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous()
        output, (hidden, cell) = self._lstm(inputs, before)
        return output, (hidden.transpose(0, 1), cell.transpose(0, 1), condition, recent)


def build(config: Config, shape: Shape) -> Rnn:
    return Rnn(config, shape)
