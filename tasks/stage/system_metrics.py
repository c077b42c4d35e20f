"""How busy the machine is while a stage works: processor, memory and NVIDIA cards, beside the stage's own figures.

The names are those of MLflow's own system metrics, so that its page shows them in the same place. MLflow's
monitor is not used: it writes each sample by itself, asks the store before each whether the run still lives,
and has nothing to say of a stage that is shorter than its interval; here samples go with the run's batches.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.stage.tracking import Run

EVERY = 5.0  # seconds between two samples; the last one is taken at the stage's end
SPARSER = 0.01  # of the time since the first: a day's work gets hundreds of samples, not thousands
SHORTEST = 0.2  # seconds of a stage that is worth a sample
MEGA = 1e6  # bytes


@contextmanager
def sampled(run: Run, wanted: bool = True, every: float = EVERY) -> Iterator[None]:
    """Sample in a thread for the length of the block, where it is wanted; the block is not disturbed by it."""
    if not wanted:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_sample, args=(run, every, over), name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=2.0)


def _sample(run: Run, every: float, over: threading.Event) -> None:
    if over.wait(SHORTEST):
        return
    sources: list[Callable[[], dict[str, float]]] = [Processor(), *cards()]
    step, ended, began = 0, False, time.monotonic()
    while not ended:
        ended = over.wait(max(every, SPARSER * (time.monotonic() - began)))
        now = time.time()
        figures = {name: value for source in sources for name, value in source().items()}
        run.log_curves((f"system/{name}", step, value, now) for name, value in figures.items())
        step += 1


class Processor:
    """Use of all processors since the call before, and of the memory now."""

    def __init__(self) -> None:
        self._before = self._times()

    def __call__(self) -> dict[str, float]:
        import psutil

        busy, total = (now - before for now, before in zip(*self._two(), strict=True))
        memory = psutil.virtual_memory()
        return {
            "cpu_utilization_percentage": round(100 * busy / total, 1) if total else 0.0,
            "system_memory_usage_megabytes": round(memory.used / MEGA, 1),
            "system_memory_usage_percentage": memory.percent,
        }

    def _two(self) -> tuple[tuple[float, float], tuple[float, float]]:
        before, self._before = self._before, self._times()
        return self._before, before

    @staticmethod
    def _times() -> tuple[float, float]:
        """Seconds of work and seconds in all, of all processors together."""
        import psutil

        times = psutil.cpu_times()
        # Linux counts a guest's time in the host's too
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return total - times.idle - getattr(times, "iowait", 0.0), total


class Card:
    """One NVIDIA card: its use, memory and power; what it does not tell is left out."""

    def __init__(self, index: int) -> None:
        import pynvml

        self.index, self.handle = index, pynvml.nvmlDeviceGetHandleByIndex(index)
        name = pynvml.nvmlDeviceGetName(self.handle)
        self.name: str = name.decode() if isinstance(name, bytes) else str(name)

    def __call__(self) -> dict[str, float]:
        import pynvml

        def asked(what: Callable[[Any], Any]) -> Any:
            try:
                return what(self.handle)
            except pynvml.NVMLError:
                return None

        memory, use = asked(pynvml.nvmlDeviceGetMemoryInfo), asked(pynvml.nvmlDeviceGetUtilizationRates)
        power = asked(pynvml.nvmlDeviceGetPowerUsage)
        metrics = {
            "utilization_percentage": use and float(use.gpu),
            "memory_usage_megabytes": memory and memory.used / MEGA,
            "memory_usage_percentage": memory and round(100 * memory.used / memory.total, 1),
            "power_usage_watts": power and power / 1000,
        }
        return {f"gpu_{self.index}_{name}": value for name, value in metrics.items() if value is not None}


@cache
def cards() -> tuple[Card, ...]:
    """The NVIDIA cards of this machine; none where there is no driver."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
        return tuple(Card(index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return ()


@cache
def hardware() -> dict[str, str]:
    """What a run works on, as tags: the processor's model, and the cards' names where there are any."""
    tags = {"aigc.cpu": _processor()}
    if names := ", ".join(card.name for card in cards()):
        tags["aigc.gpu"] = names
    return tags


def _processor() -> str:
    """The model's name as Linux says it, or what Python knows elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
