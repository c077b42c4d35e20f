import sys
import time
from types import SimpleNamespace

import pytest

from tasks.stage import system_metrics
from tasks.stage.system_metrics import Processor, cards, hardware, sampled


class Recorded:
    """Stands for an MLflow run."""

    def __init__(self):
        self.points = []

    def log_curves(self, points):
        self.points += points

    def of(self, name):
        return [(step, value) for key, step, value, _ in self.points if key == f"system/{name}"]


@pytest.fixture
def fresh():
    """What is known of the machine is asked once in a process."""
    for function in (cards, hardware):
        function.cache_clear()
    yield
    for function in (cards, hardware):
        function.cache_clear()


@pytest.fixture
def nvidia(monkeypatch, fresh):
    """A driver with two cards, the second of which does not tell its power."""

    class NVMLError(Exception):
        pass

    def power(handle):
        if handle:
            raise NVMLError("not supported")
        return 250_000

    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda handle: f"Card {handle}",
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=2e9, total=8e9),
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=90 + handle),
        nvmlDeviceGetPowerUsage=power,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


def test_samples_go_into_the_run_with_the_last_at_the_end():
    run = Recorded()
    with sampled(run, every=0.05):
        time.sleep(0.4)
    use = run.of("cpu_utilization_percentage")
    assert [step for step, _ in use] == list(range(len(use)))
    assert len(use) >= 2
    assert all(0 <= value <= 100 for _, value in use)
    assert run.of("system_memory_usage_megabytes")[0][1] > 10
    after = len(run.points)
    time.sleep(0.1)
    assert len(run.points) == after


def test_a_short_stage_is_not_held_up_and_gets_no_sample():
    run, began = Recorded(), time.monotonic()
    with sampled(run):
        pass
    assert time.monotonic() - began < 0.1
    assert run.points == []


def test_a_stage_that_fails_ends_the_sampling(monkeypatch):
    run = Recorded()
    with pytest.raises(ValueError, match="of its own"), sampled(run, every=0.05):
        raise ValueError("of its own")
    assert run.points == []


def test_cards_are_sampled_beside_the_processor(nvidia):
    run = Recorded()
    with sampled(run, every=60):
        time.sleep(0.25)
    assert [run.of(f"gpu_{card}_utilization_percentage") for card in (0, 1)] == [[(0, 90.0)], [(0, 91.0)]]
    assert run.of("gpu_0_memory_usage_megabytes") == [(0, 2000.0)]
    assert run.of("gpu_1_memory_usage_percentage") == [(0, 25.0)]
    assert run.of("gpu_0_power_usage_watts") == [(0, 250.0)]
    assert run.of("gpu_1_power_usage_watts") == []
    assert hardware()["aigc.gpu"] == "Card 0, Card 1"


def test_without_a_driver_or_its_package_there_are_no_cards(nvidia, monkeypatch):
    def missing():
        raise nvidia.NVMLError("driver not loaded")

    nvidia.nvmlInit = missing
    assert cards() == ()
    cards.cache_clear()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert cards() == ()
    assert set(hardware()) == {"aigc.cpu"}
    assert hardware()["aigc.cpu"]


def test_the_processors_use_is_that_since_the_call_before(monkeypatch):
    times = iter([(10.0, 100.0), (15.0, 110.0), (15.0, 120.0)])
    monkeypatch.setattr(Processor, "_times", staticmethod(lambda: next(times)))
    processor = Processor()
    assert processor()["cpu_utilization_percentage"] == 50.0
    assert processor()["cpu_utilization_percentage"] == 0.0


def test_samples_become_sparser_with_time(monkeypatch):
    run, waits, now = Recorded(), [], [0.0]

    class Over:
        def wait(self, seconds):
            waits.append(seconds)
            now[0] += seconds
            return len(waits) > 2000

    monkeypatch.setattr(system_metrics, "time", SimpleNamespace(time=lambda: now[0], monotonic=lambda: now[0]))
    monkeypatch.setattr(system_metrics, "cards", lambda: ())
    system_metrics._sample(run, 5.0, Over())
    day = next(step for key, step, _, when in run.points if when > 86_400)
    assert waits[1] == 5.0
    assert 300 < day < 1000
