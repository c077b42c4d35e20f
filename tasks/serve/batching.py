"""Dynamic batching: what is asked for at the same time is made together.

While the worker makes one batch, the next one fills up; only an idle worker waits, a few
milliseconds, for company. An item's seed travels with it, so what rides along changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

Content = Any  # what the modality's items are: str, uint8 (height, width, channel), a sound, a series


@dataclass(frozen=True)
class Wish:
    """One item that somebody waits for."""

    condition: int
    seed: int
    past: Content | None  # what a series goes on from
    answer: asyncio.Future[Content]


class Batcher:
    """Collects wishes and has at most `size` of them made at a time by `make(wishes)`."""

    def __init__(
        self,
        make: Callable[[Sequence[Wish]], Awaitable[Sequence[Content]]],
        size: int,
        patience: float = 0.004,
    ) -> None:
        """`patience`: seconds that an idle worker waits for a batch to fill."""
        self._make = make
        self._size = size
        self._patience = patience
        self._wishes: asyncio.Queue[Wish] = asyncio.Queue()
        self._task = asyncio.create_task(self._work())

    async def ask(self, condition: int, seed: int, past: Content | None = None) -> Content:
        """Wait for one item; who stops waiting takes it out of the queue."""
        wish = Wish(condition, seed, past, asyncio.get_running_loop().create_future())
        self._wishes.put_nowait(wish)
        return await wish.answer

    async def close(self) -> None:
        """Stop; who still waits is told so."""
        self._task.cancel()
        await asyncio.wait([self._task])
        while not self._wishes.empty():
            self._wishes.get_nowait().answer.cancel()

    async def _work(self) -> None:
        while True:
            batch = await self._collect()
            if batch:
                await self._fulfil(batch)

    async def _collect(self) -> list[Wish]:
        """The first wish, and those that come in time; without those that nobody waits for any more."""
        batch = [await self._wishes.get()]
        deadline = asyncio.get_running_loop().time() + self._patience
        while len(batch) < self._size:
            if self._wishes.empty():
                try:
                    async with asyncio.timeout_at(deadline):
                        batch.append(await self._wishes.get())
                except TimeoutError:
                    break
            else:
                batch.append(self._wishes.get_nowait())
        return [wish for wish in batch if not wish.answer.done()]

    async def _fulfil(self, batch: list[Wish]) -> None:
        try:
            contents = await self._make(batch)
        except asyncio.CancelledError:
            for wish in batch:
                wish.answer.cancel()
            raise
        except Exception as error:  # whatever it is, it belongs to those who wait
            for wish in batch:
                if not wish.answer.done():
                    wish.answer.set_exception(error)
            return
        for wish, content in zip(batch, contents, strict=True):
            if not wish.answer.done():
                wish.answer.set_result(content)
