"""Continuous batching: the requests of one model draw side by side, each step a symbol of all of them.

A request is a share of the slots: while some wait, a slot goes to the share that has the fewest, and one that has had its
slot for `QUANTUM` symbols gives way to a share that has fewer. What is drawn does not depend on any of this.
The worker's thread draws for some milliseconds at a time, so that it can do other things between.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from aigc_models.errors import AigcError

if TYPE_CHECKING:
    from aigc_models.language.slots import Draft, Slots

SLICE = 0.01  # seconds that the thread draws before it tells what it has drawn
QUANTUM = 64  # symbols


class Late(AigcError):
    """A request was not done by its deadline."""

    def __init__(self) -> None:
        super().__init__("the answer was not done by its deadline; ask for less, or later")


class News(NamedTuple):
    """What has been drawn of one of a share's drafts since the last news of it."""

    draft: int
    symbols: Sequence[int]
    last: bool  # nothing follows


class Share:
    """The drafts of one request."""

    def __init__(self, drafts: Sequence[Draft], piecemeal: bool = True) -> None:
        """`piecemeal`: there is news whenever one has grown; else when one has ended, which leaves the thread in peace."""
        self.drafts, self.piecemeal, self.seats = drafts, piecemeal, 0
        self.over = set[int]()  # the numbers of those that nobody wants any more
        self.news = asyncio.Event()
        self.error: BaseException | None = None


class Turn:
    """A draft, its share, and when it got its slot."""

    def __init__(self, share: Share, number: int) -> None:
        self.share, self.number, self.draft, self.since = share, number, share.drafts[number], 0

    @property
    def over(self) -> bool:
        return self.draft.ended or self.number in self.share.over


class Drawer:
    """Draws with `slots` in the thread that `run(function)` runs functions in."""

    def __init__(self, slots: Slots, run: Callable[..., Awaitable[Any]]) -> None:
        self._slots, self._run = slots, run
        self._arrived = deque[Turn]()  # from the event loop to the thread; the next two are the thread's
        self._waiting, self._seated = list[Turn](), dict[Any, Turn]()
        self._task: asyncio.Task[None] | None = None

    async def draw(self, share: Share, deadline: float) -> AsyncIterator[News]:
        """News of all drafts until each has ended, or is in `share.over`; raises `Late` at `deadline` (`time.monotonic`).

        Raises the `failure` of a draft that could not go on. Who stops reading frees the slots before the next step.
        """
        self._arrived.extend(Turn(share, number) for number in range(len(share.drafts)))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        sent, going = [0] * len(share.drafts), set(range(len(share.drafts)))
        try:
            while going := going - share.over:
                await self._wait(share, deadline)
                for number in sorted(going):
                    draft = share.drafts[number]
                    last = draft.ended  # looked at first: the thread goes on meanwhile
                    symbols = draft.symbols[sent[number] : draft.safe]
                    sent[number] += len(symbols)
                    going -= {number} if last else set()
                    if last and draft.failure:
                        raise draft.failure
                    if symbols or last:
                        yield News(number, symbols, last)
        finally:
            share.over |= set(range(len(share.drafts)))

    async def _wait(self, share: Share, deadline: float) -> None:
        try:
            await asyncio.wait_for(share.news.wait(), max(0.0, deadline - time.monotonic()))
        except TimeoutError as error:
            raise Late from error
        share.news.clear()
        if share.error:
            raise share.error

    async def close(self) -> None:
        """Stop; who still waits gets a `CancelledError`."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        while self._arrived or self._waiting or self._seated:
            try:
                grown = await self._run(self._slice)
            except BaseException as error:  # whatever it is, it belongs to all who wait
                self._fail(error)
                raise
            for share in grown:
                share.news.set()

    def _fail(self, error: BaseException) -> None:
        for turn in [*self._arrived, *self._waiting, *self._seated.values()]:
            turn.share.error = error
            turn.share.news.set()
        for turn in self._seated.values():
            self._slots.leave(turn.draft)
        self._arrived.clear()
        self._waiting, self._seated = [], {}

    def _slice(self) -> set[Share]:
        """Steps of some milliseconds; the shares that have grown."""
        until, grown = time.monotonic() + SLICE, set[Share]()
        while True:
            self._turn()
            if not self._seated:
                return grown
            for draft in self._slots.step():
                share = self._seated[draft].share
                if draft.ended or share.piecemeal:
                    grown.add(share)
            if time.monotonic() >= until:
                return grown

    def _turn(self) -> None:
        """Who is done leaves, who waits joins."""
        for turn in [turn for turn in self._seated.values() if turn.over]:
            self._unseat(turn, self._slots.leave)
        while self._arrived:
            self._waiting.append(self._arrived.popleft())
        self._waiting = [turn for turn in self._waiting if not turn.over]
        while self._waiting:
            turn = min(self._waiting, key=lambda turn: turn.share.seats)  # of equals the one that has waited longest
            if not self._slots.room and not self._make_room(turn.share.seats):
                return
            self._waiting.remove(turn)
            self._slots.join(turn.draft)
            self._seated[turn.draft], turn.since = turn, len(turn.draft.symbols)
            turn.share.seats += 1

    def _make_room(self, seats: int) -> bool:
        """Park the draft of the largest share, where that has more than `seats` and the draft has had its turn."""
        had = [turn for turn in self._seated.values() if len(turn.draft.symbols) - turn.since >= QUANTUM]
        turn = max(had, key=lambda turn: turn.share.seats, default=None)
        if turn is None or turn.share.seats <= seats:
            return False
        self._unseat(turn, self._slots.park)
        self._waiting.append(turn)
        return True

    def _unseat(self, turn: Turn, how: Callable[[Draft], None]) -> None:
        how(turn.draft)
        del self._seated[turn.draft]
        turn.share.seats -= 1
