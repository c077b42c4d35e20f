import asyncio

import pytest

from tasks.serve.batching import Batcher


class Maker:
    """Makes `CONDITION/SEED`, slowly where asked, and keeps the batches it was given."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.batches: list[list[int]] = []

    async def __call__(self, requests):
        seeds = [request.seed for request in requests]
        self.batches.append(seeds)
        await asyncio.sleep(self.seconds)
        if 13 in seeds:
            raise ValueError("13")
        return [f"{request.condition}/{request.seed}" for request in requests]


def played(scene, maker, **options):
    """Run `scene(batcher)` and close the batcher."""

    async def play():
        batcher = Batcher(maker, 4, **options)
        try:
            return await scene(batcher)
        finally:
            await batcher.close()

    return asyncio.run(play())


def test_requests_of_one_moment_are_made_together():
    maker = Maker()
    answers = played(lambda batcher: asyncio.gather(*(batcher.ask(9, seed) for seed in range(6))), maker)
    assert answers == [f"9/{seed}" for seed in range(6)]
    assert maker.batches == [[0, 1, 2, 3], [4, 5]]


def test_lone_request_does_not_wait_long():
    async def scene(batcher):
        return await asyncio.wait_for(batcher.ask(0, 1), 1)

    assert played(scene, Maker(), patience=0.01) == "0/1"


def test_late_request_within_patience_rides_along():
    async def scene(batcher):
        first = asyncio.create_task(batcher.ask(0, 1))
        await asyncio.sleep(0.02)
        return await asyncio.gather(first, batcher.ask(0, 2))

    maker = Maker()
    assert played(scene, maker, patience=0.3) == ["0/1", "0/2"]
    assert maker.batches == [[1, 2]]


def test_abandoned_request_is_not_made():
    async def scene(batcher):
        busy = asyncio.create_task(batcher.ask(0, 1))
        await asyncio.sleep(0.02)
        left, kept = asyncio.create_task(batcher.ask(0, 2)), asyncio.create_task(batcher.ask(0, 3))
        await asyncio.sleep(0)
        left.cancel()
        return await asyncio.gather(busy, kept)

    maker = Maker(seconds=0.1)
    assert played(scene, maker, patience=0) == ["0/1", "0/3"]
    assert maker.batches == [[1], [3]]


def test_failure_reaches_those_who_wait_and_work_goes_on():
    async def scene(batcher):
        with pytest.raises(ValueError, match="13"):
            await batcher.ask(0, 13)
        return await batcher.ask(0, 1)

    assert played(scene, Maker(), patience=0) == "0/1"


def test_closing_tells_who_waits():
    async def scene(batcher):
        waiting = asyncio.create_task(batcher.ask(0, 1))
        await asyncio.sleep(0.02)
        await batcher.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    played(scene, Maker(seconds=5), patience=0)
