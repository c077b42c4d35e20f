"""The models of a server, each with a worker thread of its own, the cores divided among them.

Nothing here blocks the event loop. Which worker a name means may change while the server runs (`replace`);
a request keeps the worker that it was given.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from aigc_models.errors import AigcError, BadInput
from aigc_models.heads import GENERATE
from tasks.serve.doors.limits import Limits
from tasks.serve.worker import Served, Worker


class Busy(AigcError):
    """More is waiting than the queue holds; ask again later."""


class Hung(AigcError):
    """A worker's thread makes no progress."""


class Loading(AigcError):
    """The models are not loaded yet."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine:
    """All models of a server and the queue in front of them."""

    def __init__(self, models: Mapping[str, Served], limits: Limits | None = None) -> None:
        self.threads = max(1, cores() // max(1, len(models)))
        self._workers = {name: Worker(served, self.threads) for name, served in models.items()}
        self.limits = limits or Limits()
        self._retiring: set[asyncio.Task[None]] = set()
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
        for task in self._retiring:
            task.cancel()
        for worker in self._workers.values():
            await worker.close()

    def current(self, name: str) -> Worker:
        """The worker that answers for `name` now, loaded or not."""
        return self._workers[name]

    async def replace(self, name: str, served: Served, patience: float) -> None:
        """Load another version beside the one that answers, try it once, and let it answer from then on.

        Requests that run finish on the old one, which is then freed. Raises what went wrong
        (`TimeoutError` after `patience` seconds); then nothing has changed.
        """
        worker = Worker(served, self.threads)
        try:
            async with asyncio.timeout(patience):
                await worker.load()
                await worker.try_once()
        except BaseException:
            await worker.close()
            raise
        old, self._workers[name] = self._workers[name], worker
        task = asyncio.create_task(old.retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def hung(self, seconds: float) -> list[str]:
        """The models whose threads have finished nothing for so long though there is something to do."""
        return [name for name in self.names if self.ready and self._workers[name].stalled > seconds]

    def workers(self) -> list[Worker]:
        """All of them; raises `Loading` until they can answer."""
        if not self.ready:
            raise Loading(f"the models could not be loaded: {self.failure}" if self.failure else "the models are being loaded")
        return [self._workers[name] for name in self.names]

    def worker(self, name: str | None, modality: str) -> Worker:
        """The model called `name`, or the only one that makes `modality`; raises `KeyError`, `BadInput`."""
        able = [worker for worker in self.workers() if _makes(worker, modality)]
        return self._chosen(name, able, f"make {modality}", _instead)

    def conversing(self, name: str | None) -> Worker:
        """The same of a model that makes text, or replies from past cases."""
        able = [worker for worker in self.workers() if _makes(worker, "text") or "matches" in worker.generator.capabilities]
        return self._chosen(name, able, "make text or reply", _instead)

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
    def admitted(self, cost: int) -> Iterator[None]:
        """Room in the queue for what costs as much as `cost` items (`limits.cost`), kept for the length of the block.

        Raises `BadInput` where it is more than one request may cost, `Busy` where there is no room now.
        """
        most, room = self.limits.cost, self.limits.room
        if cost > most:
            hint = "ask for fewer, shorter or in fewer steps, or in several requests"
            raise BadInput(f"this costs as much as {cost} items, and a request may cost {most} here (the limit 'cost'); {hint}")
        if self.waiting + cost > room:
            raise Busy(
                f"{self.waiting} items wait or are being made, there is room for {room}, and this is as much as {cost}; "
                "try again in a second"
            )
        self.waiting += cost
        try:
            yield
        finally:
            self.waiting -= cost


def _makes(worker: Worker, modality: str) -> bool:
    card = worker.generator.card
    return card.modality == modality and card.task == GENERATE


def _instead(worker: Worker) -> str:
    card = worker.generator.card
    return f"makes {card.modality}" if card.task == GENERATE else f"makes none: it is asked to {card.task} {card.modality}"


def _listed(workers: Sequence[Worker]) -> str:
    return ", ".join(worker.identity.model for worker in workers) or "none"
