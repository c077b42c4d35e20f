"""The models of a server: loaded once, each with a worker thread of its own, the cores divided among them.

Nothing here blocks the event loop. Text is drawn in slices of a few milliseconds, so that streams
take turns and one that nobody reads any more ends at once; all else is made in micro-batches.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aigc_models.errors import AigcError, BadInput, unknown
from tasks.serve.batching import Batcher, Content, Wish
from tasks.serve.cutting import Cut, after_prompt, pull
from tasks.use.provenance import Identity

if TYPE_CHECKING:
    from aigc_models.generator import Generator

T = TypeVar("T")
SLICE = 0.02  # seconds that one stream may keep the worker


class Item(NamedTuple):
    """Item `item` (from 0) of the base seed `seed`, as `aigc generate` and `Generator.generate` count them."""

    seed: int
    item: int
    label: str | None = None
    past: Content | None = None  # what a series goes on from; none: the newest of the training data


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

    async def _make(self, wishes: Sequence[Wish]) -> Sequence[Content]:
        return await self._run(_contents, self.generator, wishes)

    async def ask(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """What `function(generator, ...)` gives, in the worker's own thread."""
        found: T = await self._run(partial(function, self.generator, *arguments, **options))
        return found

    def condition(self, item: Item) -> tuple[int, str | None]:
        """The condition that an item is made under, drawn from its seed where no label is asked for, and its label."""
        labels = self.generator.card.labels
        past = {} if item.past is None else {"past": [item.past]}
        condition = int(self.generator.conditions(1, item.label, item.seed, item.item, **past)[0])
        return condition, labels[condition] if condition < len(labels) else None

    async def items(self, items: Sequence[Item]) -> list[Content]:
        """Their contents, made together with what others ask for at the same time."""
        from aigc_models.generator import derived

        asked = [(self.condition(item)[0], derived(item.seed, item.item), self._after(item)) for item in items]
        return await asyncio.gather(*(self._batcher.ask(*each) for each in asked))

    def _after(self, item: Item) -> Content | None:
        if not self.generator.goes_on:
            return None
        return self.generator.after(1, item.item, None if item.past is None else [item.past])[0]

    async def text(
        self, prompt: str, item: Item, most: int, stops: Sequence[str], sampling: Mapping[str, float]
    ) -> AsyncIterator[str | Cut]:
        """What follows the prompt, in slices as it is drawn, and at last the `Cut`, which knows how it ended."""
        length = len(prompt.encode()) + most + 1  # one more, to see whether the text ends there by itself
        stream = partial(self.generator.stream, prompt, item.label, item.seed, item.item, max_length=length, **sampling)
        cut = Cut(after_prompt(await self._run(stream), len(prompt)), most, stops)
        pieces = iter(cut)
        while (text := await self._run(pull, pieces, SLICE)) is not None:
            yield text
        yield cut

    async def whole_text(self, prompt: str, item: Item, sampling: Mapping[str, float]) -> str:
        """The prompt and what follows it, as `aigc generate` makes it; in slices, so that others take turns."""
        pieces = await self._run(partial(self.generator.stream, prompt, item.label, item.seed, item.item, **sampling))
        text = ""
        while (piece := await self._run(pull, pieces, SLICE)) is not None:
            text += piece
        return text

    def member(self, capability: str) -> str:
        """The member that has a capability for an ensemble; empty: the model itself."""
        from aigc_models.capabilities import PROTOCOLS

        return self.generator.answers(PROTOCOLS[capability])

    def check(self, label: str | None) -> None:
        """Raise `BadInput` for a label that the model does not know."""
        if label is not None and label not in self.generator.card.labels:
            raise unknown(f"label of {self.identity.model}", label, self.generator.card.labels)


def _contents(generator: Generator, wishes: Sequence[Wish]) -> list[Content]:
    import torch

    conditions, seeds = (torch.tensor([getattr(wish, name) for wish in wishes]) for name in ("condition", "seed"))
    if not generator.goes_on:
        return list(generator.modality.decode(generator.encoded(conditions, seeds), generator.format))
    after = [wish.past for wish in wishes]
    return generator.decode(generator.encoded(conditions, seeds, given=generator.given(after)), after)


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
        return self._chosen(name, able, f"make {modality}", lambda worker: f"makes {worker.generator.card.modality}")

    def able(self, name: str | None, *capabilities: str) -> Worker:
        """The model called `name`, or the only one that has one of `capabilities`; raises `KeyError`, `BadInput`."""
        able = [worker for worker in self.workers() if set(capabilities) & set(worker.generator.capabilities)]
        doing = f"can do that ({' or '.join(capabilities)})"
        return self._chosen(name, able, doing, lambda worker: f"cannot; it {', '.join(worker.generator.capabilities)}")

    def _chosen(self, name: str | None, able: Sequence[Worker], doing: str, instead: Callable[[Worker], str]) -> Worker:
        if name is None and len(able) == 1:
            return able[0]
        if name is None:
            raise BadInput(f"say which model; those that {doing}: {_listed(able)}")
        worker = self._workers[name]
        if worker not in able:
            raise BadInput(f"{name!r} {instead(worker)}; those that {doing}: {_listed(able)}")
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
