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
class ItemRequest:
    """One item that somebody waits for."""

    condition: int
    seed: int
    past: Content | None  # what a series goes on from
    answer: asyncio.Future[Content]


class Batcher:
    """Collects requests and has at most `size` of them made at a time by `make(requests)`."""

    def __init__(
        self,
        make: Callable[[Sequence[ItemRequest]], Awaitable[Sequence[Content]]],
        size: int,
        patience: float = 0.004,
    ) -> None:
        """`patience`: seconds that an idle worker waits for a batch to fill."""
        self._make = make
        self._size = size
        self._patience = patience
        self._requests: asyncio.Queue[ItemRequest] = asyncio.Queue()
        self._task = asyncio.create_task(self._work())

    async def ask(self, condition: int, seed: int, past: Content | None = None) -> Content:
        """Wait for one item; who stops waiting takes it out of the queue."""
        request = ItemRequest(condition, seed, past, asyncio.get_running_loop().create_future())
        self._requests.put_nowait(request)
        return await request.answer

    async def close(self) -> None:
        """Stop; the requests that still wait are cancelled."""
        self._task.cancel()
        await asyncio.wait([self._task])
        while not self._requests.empty():
            self._requests.get_nowait().answer.cancel()

    async def _work(self) -> None:
        while True:
            batch = await self._collect()
            if batch:
                await self._fulfil(batch)

    async def _collect(self) -> list[ItemRequest]:
        """The first request, and those that come in time; without those that nobody waits for any more."""
        batch = [await self._requests.get()]
        deadline = asyncio.get_running_loop().time() + self._patience
        while len(batch) < self._size:
            if self._requests.empty():
                try:
                    async with asyncio.timeout_at(deadline):
                        batch.append(await self._requests.get())
                except TimeoutError:
                    break
            else:
                batch.append(self._requests.get_nowait())
        return [request for request in batch if not request.answer.done()]

    async def _fulfil(self, batch: list[ItemRequest]) -> None:
        try:
            contents = await self._make(batch)
        except asyncio.CancelledError:
            for request in batch:
                request.answer.cancel()
            raise
        except Exception as error:  # whatever it is, it belongs to those who wait
            for request in batch:
                if not request.answer.done():
                    request.answer.set_exception(error)
            return
        for request, content in zip(batch, contents, strict=True):
            if not request.answer.done():
                request.answer.set_result(content)
