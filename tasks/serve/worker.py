"""One loaded model with a thread of its own.

What is made of symbols is drawn side by side (`drawing`), all else in micro-batches. Each call notes when the thread last
finished something, so that a thread that hangs can be seen from outside.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aigc_models.errors import AigcError, BadInput, unknown
from aigc_models.training.devices import Device
from tasks.serve.batching import Batcher, Content, ItemRequest
from tasks.serve.drawing import SLICE, Drawer, Late, News, Share
from tasks.use.provenance import Identity

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from aigc_models.language.beam import Hypothesis, Search
    from aigc_models.language.slots import Draft

T = TypeVar("T")


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
    newest: Callable[[], Served] | None = None  # asks the registry what the name means now; none: it never moves

    @classmethod
    def bundle(
        cls,
        identity: Identity,
        folder: Path,
        newest: Callable[[], Served] | None = None,
        device: Device = "auto",
        copy_guard: bool = True,
    ) -> Served:
        """The bundle in `folder`, on `device`; `copy_guard`: see `Generator.load`."""

        def load() -> Generator:
            from aigc_models.generator import Generator as Loaded  # brings torch

            return Loaded.load(folder, device, copy_guard)

        return cls(identity, load, newest)


class Worker:
    """One loaded model and its thread."""

    def __init__(self, served: Served, threads: int) -> None:
        self.identity = served.identity
        self.served = served
        self.open_requests = 0
        self._jobs: set[Future[Any]] = set()
        self._progress = time.monotonic()  # when the thread last finished a job, or got one while it had none
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=served.identity.model, initializer=_use, initargs=(threads,))
        self.generator: Generator
        self._batcher: Batcher
        self._drawer: Drawer

    async def load(self) -> None:
        try:
            self.generator = await self._run(self.served.load)
        except AigcError as error:  # it names a file; whoever serves several models asks which of them it is
            raise type(error)(f"{self.identity.model} version {self.identity.version} cannot be loaded: {error}") from error
        self._batcher = Batcher(self._make, self.generator.card.micro_batch)
        if "streams" in self.generator.capabilities:
            self._drawer = Drawer(await self._run(self.generator.slots), self._run)

    async def close(self) -> None:
        for part in ("_batcher", "_drawer"):
            if hasattr(self, part):
                await getattr(self, part).close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if not self._jobs:
            self._progress = time.monotonic()
        job = self._thread.submit(function, *arguments)
        self._jobs.add(job)
        job.add_done_callback(self._finished)
        return await asyncio.wrap_future(job)

    def _finished(self, job: Future[Any]) -> None:
        """Called in the worker's thread, or in another where a job that waited was cancelled, which is no progress."""
        if not job.cancelled():
            self._progress = time.monotonic()
        self._jobs.discard(job)

    @property
    def stalled(self) -> float:
        """Seconds since its thread last finished something while there is something to do; 0 where it is idle."""
        return time.monotonic() - self._progress if self._jobs else 0.0

    async def retire(self) -> None:
        """Close when the last request that was given this worker has its answer."""
        while self.open_requests:
            await asyncio.sleep(0.05)
        await self.close()

    async def _make(self, requests: Sequence[ItemRequest]) -> Sequence[Content]:
        return await self._run(_contents, self.generator, requests)

    async def ask(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """What `function(generator, ...)` gives, in the worker's own thread."""
        answer: T = await self._run(partial(function, self.generator, *arguments, **options))
        return answer

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

    def draft(
        self,
        prompt: str,
        item: Item,
        sampling: Mapping[str, Any],
        likeliest: int | None = None,
        echo: bool = False,
        suffix: str | None = None,
    ) -> Draft:
        """An item of symbols that begins with `prompt`, and goes over into `suffix`, to be drawn; raises `BadInput`."""
        return self.generator.draft(prompt, sampling, item.label, item.seed, item.item, likeliest, echo, suffix)

    def draw(self, share: Share, deadline: float) -> AsyncIterator[News]:
        """See `Drawer.draw`."""
        return self._drawer.draw(share, deadline)

    async def search(self, draft: Draft, deadline: float) -> list[Hypothesis]:
        """The best of `draft`, by beams, between what is drawn; raises `Late`."""
        search: Search = await self._run(_search, self.generator, draft)
        while await self._run(search.run, SLICE):
            if time.monotonic() >= deadline:
                raise Late
        return search.finished

    async def drawn(self, drafts: Sequence[Draft], deadline: float) -> list[Content]:
        """The whole contents of drafts, their prompts in front, as `aigc generate` makes them."""
        if any(draft.how.beams for draft in drafts):
            raise BadInput("sampling: beams: items are drawn here; /v1/completions has use_beam_search")
        async for _ in self.draw(Share(drafts, piecemeal=False), deadline):
            pass
        return await self._run(_decoded, self.generator, drafts)

    async def try_once(self) -> None:
        """Make one item or forecast as a request would; raises what a request would get."""
        if self.generator.goes_on and not self.generator.latest.contents:
            return  # it goes on from what a request brings alone
        if "streams" in self.generator.capabilities:
            await self._run(partial(self.generator.generate, 1, max_length=2))
        elif "generates" in self.generator.capabilities:
            content = (await self.items([Item(0, 0)]))[0]
            await self._run(self.generator.modality.pack, content)
        elif "forecasts" in self.generator.capabilities:
            await self.ask(lambda generator: generator.forecast())

    def member(self, capability: str) -> str:
        """The member that has a capability for an ensemble; empty: the model itself."""
        from aigc_models.capabilities import PROTOCOLS

        return self.generator.answers(PROTOCOLS[capability])

    def check(self, label: str | None) -> None:
        """Raise `BadInput` for a label that the model does not know."""
        if label is not None and label not in self.generator.card.labels:
            raise unknown(f"label of {self.identity.model}", label, self.generator.card.labels)


def _contents(generator: Generator, requests: Sequence[ItemRequest]) -> list[Content]:
    import torch

    conditions, seeds = (torch.tensor([getattr(request, name) for request in requests]) for name in ("condition", "seed"))
    if not generator.goes_on:
        return list(generator.modality.decode(generator.encoded(conditions, seeds), generator.format))
    after = [request.past for request in requests]
    return generator.decode(generator.encoded(conditions, seeds, given=generator.given(after)), after)


def _search(generator: Generator, draft: Draft) -> Search:
    from aigc_models.language.beam import Search as Made  # brings torch

    return Made(generator.model, draft)


def _decoded(generator: Generator, drafts: Sequence[Draft]) -> list[Content]:
    import torch

    items = [torch.tensor([[*draft.prompt, *draft.symbols]]) for draft in drafts]
    return [content for item in items for content in generator.decode(item)]


def _use(threads: int) -> None:
    """At most what OMP_NUM_THREADS says, where somebody has set it."""
    import torch

    torch.set_num_threads(min(threads, int(os.environ.get("OMP_NUM_THREADS") or threads)))
