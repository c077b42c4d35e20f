"""The transformer's states for `slots`: a ring of keys and values for each slot, and a step that makes no tensors.

A position's keys and values stand at its number modulo the window, so that a slot's numbers depend on its own item
alone. The step is that of `Transformer.extend` for one symbol, in other words: norms, their weights and the scale of
the attention are part of the matrices, a pair of rotated channels is one complex number, every operation writes into a
buffer that is there already, and each view of a buffer is made once. Small networks take most of their time
in the calls, not in the sums.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.language.attention import MODULUS, MULTIPLIER, Block, Cache, GramEmbedding, Rotation
from aigc_models.language.product import Product
from aigc_models.sequences import PAD, Vocabulary

BLOCK = 16  # positions by which the part of a ring that is looked at grows
SPARE = 2  # places of a ring that stay empty: rings at powers of two would fight for the same lines of the cache
TABLE = 1024  # positions by which the table of rotations grows


class Ring(NamedTuple):
    """What a block keeps, and views of it."""

    flat: Tensor  # (2 * slot * head * place, channel): rows to be written
    keys: Tensor  # (slot * head, window, channel)
    values: Tensor  # (slot * head, window, channel)


class Layer(NamedTuple):
    """A block: its ring, and its products, from buffer to buffer."""

    ring: Ring
    qkv: Product
    out: Product
    gate_up: Product
    down: Product


class Decoder(Protocol):
    """What a transformer is made of, as far as its steps are taken here."""

    config: Any  # width, heads, longest, window
    vocabulary: Vocabulary
    embedding: GramEmbedding
    blocks: nn.ModuleList
    norm: nn.RMSNorm

    def begin(self, conditions: Int[Tensor, " item"]) -> Any: ...


class RingStates:
    """See `capabilities.States`; a slot that is free stays at its first position."""

    @torch.inference_mode()
    def __init__(self, model: Decoder, count: int) -> None:
        self._model, config = model, model.config
        weight = model.embedding.symbols.weight
        self._count, self._window, self._heads = count, config.window, config.heads
        self._channels, self._device = config.width // config.heads, weight.device
        blocks = [cast(Block, block) for block in model.blocks]
        self._buffers(weight.new_zeros, config.width, blocks[0].down.in_features)
        self._layers = [self._layer(weight.new_zeros, block) for block in blocks]
        head = weight[: model.vocabulary.outputs] * model.norm.weight
        self._head = Product(head.T * config.width**0.5, self._normed, self._logits)
        self._slots = torch.arange(count, device=self._device)
        rows = torch.arange(2 * count * config.heads, device=self._device) * (config.window + SPARE)
        self._rows = rows.view(2, count, config.heads)
        self._position = np.zeros(count, dtype=np.int64)
        self._busy = np.zeros(count, dtype=np.int64)
        self._recent = np.full((count, config.longest), PAD, dtype=np.int64)  # the newest last
        self._turns = torch.zeros(0, self._channels // 2, dtype=torch.complex64, device=self._device)

    def _layer(self, new: Any, block: Block) -> Layer:
        ring = new(2, self._count * self._heads, self._window + SPARE, self._channels)
        keys, values = ring[:, :, : self._window]
        qkv, out, gate_up, down = matrices(block)
        return Layer(
            Ring(ring.view(-1, self._channels), keys, values),
            Product(qkv, self._normed, self._qkv),
            Product(out, self._gathered, self._added),
            Product(gate_up, self._normed, self._gate_up),
            Product(down, self._gate, self._added),
        )

    def _buffers(self, new: Any, width: int, inner: int) -> None:
        """Each buffer of a step, and the views of it that are needed."""
        count, heads, channels = self._count, self._heads, self._channels
        # The last channel is what makes the norm of a row that of RMSNorm: its epsilon, since squares are added up.
        self._rowed = new(count, width + 1)
        self._rowed[:, width] = (width * torch.finfo(self._rowed.dtype).eps) ** 0.5
        self._x, self._length, self._normed = self._rowed[:, :width], new(count, 1), new(count, width)
        self._qkv, self._added, self._condition = new(count, 3 * width), new(count, width), new(count, width)
        self._pairs = torch.view_as_complex(self._qkv.view(count, 3, heads, channels // 2, 2))
        turned = new(3, count, heads, channels)  # queries, keys and values, each of them in one piece
        self._turned = torch.view_as_complex(turned.view(3, count, heads, channels // 2, 2)).transpose(0, 1)
        self._queries, self._new = turned[0].view(count * heads, channels, 1), turned[1:].view(-1, channels)
        self._turn = torch.ones(count, 3, 1, channels // 2, dtype=torch.complex64, device=self._device)  # values: by 1
        self._mixed = new(count * heads, 1, channels)
        self._gathered = self._mixed.view(count, width)
        self._gate_up = new(count, 2 * inner)
        self._gate, self._up = self._gate_up[:, :inner], self._gate_up[:, inner:]
        self._logits = new(count, self._model.vocabulary.outputs)
        self._scores = new(count * heads, self._window, 1)
        self._seen = new(count * heads, self._window).fill_(-torch.inf)  # 0 where there is a position
        self._seen_at = self._seen.view(count, heads, self._window).transpose(1, 2)

    @torch.inference_mode()
    def put(self, slot: int, state: Any) -> None:
        """A state of one item, as `Transformer.extend` gives it."""
        self._condition[slot] = state.condition[0]
        self._recent[slot, 1:] = state.recent[0].cpu().numpy()
        self._position[slot], self._busy[slot] = state.position, 1
        kept = state.caches[0].keys.shape[2]
        places = torch.arange(state.position - kept, state.position, device=self._device) % self._window
        items = slice(slot * self._heads, (slot + 1) * self._heads)
        for layer, cache in zip(self._layers, state.caches, strict=True):
            layer.ring.keys[items, places] = _paired(cache.keys[0])
            layer.ring.values[items, places] = cache.values[0]
        self._seen[items] = -torch.inf
        self._seen[items, places] = 0.0

    @torch.inference_mode()
    def take(self, slot: int) -> Any:
        """The state of a slot's item, as `put` takes it."""
        position, items = int(self._position[slot]), slice(slot * self._heads, (slot + 1) * self._heads)
        kept = min(position, self._window - 1)
        places = torch.arange(position - kept, position, device=self._device) % self._window
        caches = tuple(
            Cache(_halved(ring.keys[items, places])[None], ring.values[items, places][None])
            for ring in (layer.ring for layer in self._layers)
        )
        recent = torch.from_numpy(self._recent[slot : slot + 1, 1:].copy()).to(self._device)
        state = type(self._model.begin(self._slots[:1]))
        return state(self._condition[slot : slot + 1].clone(), recent, caches, position)

    @torch.inference_mode()
    def free(self, slot: int) -> None:
        self._position[slot] = self._busy[slot] = 0
        self._seen[slot * self._heads : (slot + 1) * self._heads] = -torch.inf

    @torch.inference_mode()
    def step(self, tokens: Int[Tensor, " slot"]) -> Float[Tensor, "slot symbol"]:
        self._embed(tokens.numpy())
        length, places = self._turn_to()
        seen = self._seen[:, :length]
        for layer in self._layers:
            self._norm()
            layer.qkv()
            self._attend(layer.ring, places, seen, length)
            layer.out()
            self._x.add_(self._added)
            self._norm()
            layer.gate_up()
            F.silu(self._gate, inplace=True).mul_(self._up)
            layer.down()
            self._x.add_(self._added)
        self._position += self._busy
        self._norm()
        self._head()
        return self._logits.log_softmax(-1).to(tokens.device)

    def _norm(self) -> None:
        """RMSNorm without its weight, divided by the root of the width."""
        torch.linalg.vector_norm(self._rowed, dim=1, keepdim=True, out=self._length)
        torch.div(self._x, self._length, out=self._normed)

    def _attend(self, ring: Ring, places: Tensor, seen: Tensor, length: int) -> None:
        torch.mul(self._pairs, self._turn, out=self._turned)
        ring.flat.index_copy_(0, places, self._new)
        keys, values = ring.keys[:, :length], ring.values[:, :length]
        if self._device.type == "cpu":  # a matrix and a vector for each head: numpy takes half the time of torch
            np.matmul(keys.numpy(), self._queries.numpy(), self._scores[:, :length].numpy())
            weights = torch.add(self._scores[:, :length, 0], seen).softmax(-1)
            np.matmul(weights[:, None].numpy(), values.numpy(), self._mixed.numpy())
        else:
            scores = torch.baddbmm(seen[:, :, None], keys, self._queries)
            torch.bmm(scores.softmax(1).transpose(1, 2), values, out=self._mixed)

    def _embed(self, tokens: np.ndarray) -> None:
        """Embeddings of the symbols and of the n-grams that end with them, as in `GramEmbedding`, and the condition."""
        embedding, device = self._model.embedding, self._device
        self._recent[:, :-1] = self._recent[:, 1:]
        self._recent[:, -1] = tokens
        known = np.where(self._recent == PAD, embedding.vocabulary.blank, self._recent)
        torch.add(
            self._condition, F.embedding(torch.from_numpy(known[:, -1]).to(device), embedding.symbols.weight), out=self._x
        )
        if embedding.grams is None:
            return
        key, keys = known[:, -1], np.empty((self._count, embedding.longest - 1), dtype=np.int64)
        for length in range(2, embedding.longest + 1):
            key = (key * MULTIPLIER + known[:, -length] + 1) % MODULUS
            keys[:, length - 2] = key % embedding.buckets + (length - 2) * embedding.buckets
        self._x.add_(F.embedding(torch.from_numpy(keys).to(device), embedding.grams.weight).sum(1))

    def _turn_to(self) -> tuple[int, Tensor]:
        """The rotation of each slot's position, and its place in the rings; how much of them is to be looked at."""
        furthest = int(self._position.max())
        if furthest >= len(self._turns):
            rotation = Rotation.of(0, (furthest // TABLE + 1) * TABLE, self._channels, self._x)
            self._turns = torch.complex(rotation.cos, rotation.sin)
        position = torch.from_numpy(self._position).to(self._device)
        place = position % self._window
        self._turn[:, :2] = self._turns[position][:, None, None]
        self._seen_at[self._slots, place] = 0.0
        return min(self._window, (furthest // BLOCK + 1) * BLOCK), (self._rows + place[:, None]).view(-1)


def matrices(block: Block) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Those of queries, keys and values, of what attention gives, of gate and up, of down; (in, out).

    With the norms' weights and the scale of the attention in them, queries and keys in pairs of channels.
    """
    attention, width = block.attention, block.down.out_features
    query, key, value = attention.qkv.weight.chunk(3)
    channels = width // attention.heads
    order = torch.arange(width, device=query.device).view(attention.heads, 2, channels // 2).transpose(1, 2).flatten()
    qkv = torch.cat([query[order] / channels**0.5, key[order], value]) * block.norm_attention.weight
    gate_up = block.gate_up.weight * block.norm_inner.weight
    return qkv.T * width**0.5, attention.out.weight.T, gate_up.T * width**0.5, block.down.weight.T


def _paired(x: Tensor) -> Tensor:
    """Channels (..., half of them, then the other) as pairs."""
    return torch.stack(x.chunk(2, dim=-1), dim=-1).flatten(-2)


def _halved(x: Tensor) -> Tensor:
    """The reverse of `_paired`."""
    return torch.cat([x[..., ::2], x[..., 1::2]], dim=-1)
