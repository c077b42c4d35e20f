import asyncio
import time

import pytest

from tasks.serve.drawing import QUANTUM, Drawer, Late, Share


async def run(function):
    return await asyncio.to_thread(function)


def shares(words, *sizes, length=30):
    def drafts(seed, size):
        return [words.draft("", {"max_length": length}, seed=seed, first=item) for item in range(size)]

    return [Share(drafts(seed, size)) for seed, size in enumerate(sizes)]


async def whole(drawer, share, deadline=60.0):
    texts = [b""] * len(share.drafts)
    async for number, symbols, last in drawer.draw(share, time.monotonic() + deadline):
        assert not texts[number].endswith(b"|")
        texts[number] += bytes(symbol for symbol in symbols if symbol < 256) + b"|" * last
    return texts


def test_requests_draw_side_by_side(words):
    async def scene():
        prose = words(length=50)
        drawer = Drawer(prose, run)
        texts = await asyncio.gather(*(whole(drawer, share) for share in shares(prose, 1, 2, 6)))
        assert [len(each) for each in texts] == [1, 2, 6]
        assert texts[2][4].startswith(b"2.4 None")
        assert all(text.endswith(b"|") and len(text) == 31 for each in texts for text in each)
        assert max(map(len, prose.orders)) == 4
        assert prose.drafts == []
        await drawer.close()

    asyncio.run(scene())


def test_a_small_request_does_not_wait_for_a_large_one(words):
    async def scene():
        prose = words(length=3000, seconds=0.0005)
        drawer = Drawer(prose, run)
        large, small = shares(prose, 8, 1, length=800)
        task = asyncio.create_task(whole(drawer, large))
        await asyncio.sleep(0.05)
        small.drafts[0].how.max_length = 40
        began = prose.drawn
        await whole(drawer, small)
        assert prose.drawn - began < 40 + 2 * QUANTUM + 60
        assert all(len(text) == 801 for text in await task)
        await drawer.close()

    asyncio.run(scene())


def test_who_stops_reading_frees_the_slots_before_the_next_step(words):
    async def scene():
        prose = words(length=100_000, seconds=0.001)
        drawer = Drawer(prose, run)
        (share,) = shares(prose, 3, length=100_000)
        stream = drawer.draw(share, time.monotonic() + 60)
        await anext(stream)
        await stream.aclose()
        drawn = prose.drawn
        await asyncio.sleep(0.1)
        assert prose.drawn <= drawn + 1
        assert prose.drafts == []
        await drawer.close()

    asyncio.run(scene())


def test_a_deadline_ends_a_request(words):
    async def scene():
        prose = words(length=100_000, seconds=0.001)
        drawer = Drawer(prose, run)
        (share,) = shares(prose, 1, length=100_000)
        with pytest.raises(Late):
            await whole(drawer, share, deadline=0.1)
        await asyncio.sleep(0.05)
        assert prose.drafts == []
        await drawer.close()

    asyncio.run(scene())


def test_what_goes_wrong_is_told_to_all_and_the_next_requests_are_served(words):
    async def scene():
        prose = words(length=50)
        drawer = Drawer(prose, run)
        step, prose.step = prose.step, lambda: 1 / 0
        tasks = [asyncio.create_task(whole(drawer, share)) for share in shares(prose, 1, 6)]
        for task in tasks:
            with pytest.raises(ZeroDivisionError):
                await task
        prose.step = step
        (share,) = shares(prose, 2)
        assert len(await whole(drawer, share)) == 2
        await drawer.close()

    asyncio.run(scene())
