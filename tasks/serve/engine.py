"""The models of a server: loaded once, each with a worker thread of its own, the cores divided among them.

Nothing here blocks the event loop. Text is drawn in slices of a few milliseconds, so that streams
take turns and one that nobody reads any more ends at once; images are made in micro-batches.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aigc_models.errors import AigcError, BadInput, unknown
from tasks.provenance import Identity
from tasks.serve.batching import Batcher, Content

if TYPE_CHECKING:
    from aigc_models.generator import Generator

SLICE = 0.02  # seconds that one stream may keep the worker


class Item(NamedTuple):
    """Item `item` (from 0) of the base seed `seed`, as `aigc generate` and `Generator.generate` count them."""

    seed: int
    item: int
    label: str | None = None


@dataclass(frozen=True)
class Served:
    """A model to serve: what it is called outside, and how to load it."""

    identity: Identity
    load: Callable[[], Generator]

    @classmethod
    def bundle(cls, identity: Identity, folder: Path) -> Served:
        """The bundle in `folder`."""

        def load() -> Generator:
            from aigc_models.generator import Generator as Loaded  # brings torch

            return Loaded.load(folder)

        return cls(identity, load)


class Busy(AigcError):
    """More is waiting than the queue holds; ask again later."""


class Loading(AigcError):
    """The models are not loaded yet."""


class Cut:
    """One completion's text, ended by the model, before a stop string, or after `most` tokens (bytes)."""

    def __init__(self, pieces: Iterator[str], most: int, stops: Sequence[str]) -> None:
        self._pieces, self._most, self._stops = pieces, most, stops
        self.tokens = 0
        self.reason: Literal["stop", "length"] = "stop"

    def __iter__(self) -> Iterator[str]:
        held = ""  # what may turn out to be the beginning of a stop string
        for piece in self._pieces:
            if self._full(piece):
                break
            held += piece
            found = [at for stop in self._stops if (at := held.find(stop)) >= 0]
            if found:
                yield held[: min(found)]
                return
            safe = len(held) - max((_overlap(held, stop) for stop in self._stops), default=0)
            if safe:
                yield held[:safe]
            held = held[safe:]
        if held:
            yield held

    def _full(self, piece: str) -> bool:
        size = len(piece.encode())
        if self.tokens + size > self._most:
            self.reason = "length"
            return True
        self.tokens += size
        return False


def _after(pieces: Iterator[str], size: int) -> Iterator[str]:
    """`pieces` without the first `size` characters, which are the prompt."""
    for piece in pieces:
        rest, size = piece[size:], max(0, size - len(piece))
        if rest:
            yield rest


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)


def _pull(pieces: Iterator[str], seconds: float) -> str | None:
    """As much as comes within `seconds`, at least one piece; None at the end."""
    until = time.monotonic() + seconds
    text = ""
    for piece in pieces:
        text += piece
        if text and time.monotonic() >= until:
            break
    return text or None


class Worker:
    """One loaded model and its thread."""

    def __init__(self, served: Served, threads: int) -> None:
        self.identity = served.identity
        self._served = served
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=served.identity.model, initializer=_use, initargs=(threads,))
        self.generator: Generator
        self._batcher: Batcher

    async def load(self) -> None:
        self.generator = await self._run(self._served.load)
        self._batcher = Batcher(self._make, self.generator.card.micro_batch)

    async def close(self) -> None:
        if hasattr(self, "_batcher"):
            await self._batcher.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _make(self, conditions: Sequence[int], seeds: Sequence[int]) -> Sequence[Content]:
        return await self._run(_contents, self.generator, conditions, seeds)

    def condition(self, item: Item) -> tuple[int, str | None]:
        """The condition that an item is made under, drawn from its seed where no label is asked for, and its label."""
        labels = self.generator.card.labels
        condition = int(self.generator.conditions(1, item.label, item.seed, item.item)[0])
        return condition, labels[condition] if condition < len(labels) else None

    async def items(self, items: Sequence[Item]) -> list[Content]:
        """Their contents, made together with what others ask for at the same time."""
        from aigc_models.generator import derived

        asked = [(self.condition(item)[0], derived(item.seed, item.item)) for item in items]
        return await asyncio.gather(*(self._batcher.ask(condition, seed) for condition, seed in asked))

    async def text(
        self, prompt: str, item: Item, most: int, stops: Sequence[str], sampling: Mapping[str, float]
    ) -> AsyncIterator[str | Cut]:
        """What follows the prompt, in slices as it is drawn, and at last the `Cut`, which knows how it ended."""
        length = len(prompt.encode()) + most + 1  # one more, to see whether the text ends there by itself
        stream = partial(self.generator.stream, prompt, item.label, item.seed, item.item, max_length=length, **sampling)
        cut = Cut(_after(await self._run(stream), len(prompt)), most, stops)
        pieces = iter(cut)
        while (text := await self._run(_pull, pieces, SLICE)) is not None:
            yield text
        yield cut

    def check(self, label: str | None) -> None:
        """Raise `BadInput` for a label that the model does not know."""
        if label is not None and label not in self.generator.card.labels:
            raise unknown(f"label of {self.identity.model}", label, self.generator.card.labels)


def _contents(generator: Generator, conditions: Sequence[int], seeds: Sequence[int]) -> list[Content]:
    import torch

    values = generator.encoded(torch.tensor(conditions), torch.tensor(seeds))
    return list(generator.modality.decode(values, generator.format))


def _use(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine:
    """All models of a server and the queue in front of them."""

    def __init__(self, models: Mapping[str, Served], room: int = 128) -> None:
        """`room`: how many items may wait or be made at a time."""
        self.threads = max(1, cores() // max(1, len(models)))
        self._workers = {name: Worker(served, self.threads) for name, served in models.items()}
        self._room = room
        self.waiting = 0
        self.ready = False
        self.failure: BaseException | None = None

    @property
    def names(self) -> list[str]:
        return sorted(self._workers)

    async def load(self) -> None:
        """Load every model; what goes wrong is kept in `failure`."""
        try:
            await asyncio.gather(*(worker.load() for worker in self._workers.values()))
            self.ready = True
        except Exception as error:  # reported by /readyz and by whoever started the server
            self.failure = error

    async def close(self) -> None:
        self.ready = False
        for worker in self._workers.values():
            await worker.close()

    def workers(self) -> list[Worker]:
        """All of them; raises `Loading` until they can answer."""
        if not self.ready:
            raise Loading(f"the models could not be loaded: {self.failure}" if self.failure else "the models are being loaded")
        return [self._workers[name] for name in self.names]

    def worker(self, name: str | None, modality: str) -> Worker:
        """The model called `name`, or the only one that makes `modality`; raises `KeyError`, `BadInput`."""
        able = [worker for worker in self.workers() if worker.generator.card.modality == modality]
        if name is None and len(able) == 1:
            return able[0]
        if name is None:
            raise BadInput(f"say which model; those that make {modality}: {_listed(able)}")
        worker = self._workers[name]
        if worker not in able:
            raise BadInput(f"{name!r} makes {worker.generator.card.modality}; those that make {modality}: {_listed(able)}")
        return worker

    @contextmanager
    def admitted(self, items: int) -> Iterator[None]:
        """Room in the queue for `items`, kept for the length of the block; raises `Busy` where there is none."""
        if self.waiting + items > self._room:
            raise Busy(f"{self.waiting} items wait or are being made, there is room for {self._room}; try again in a second")
        self.waiting += items
        try:
            yield
        finally:
            self.waiting -= items


def _listed(workers: Sequence[Worker]) -> str:
    return ", ".join(worker.identity.model for worker in workers) or "none"
