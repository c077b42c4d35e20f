"""The errors that the gates state, by the simulation of benchmarks/gates.py at a fortieth of its size."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate_simulation", ROOT / "benchmarks" / "gates.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_same_recipe_with_another_seed_is_hardly_ever_called_better(simulation: ModuleType) -> None:
    gate = simulation.champion_gate()
    assert simulation.trials(simulation.World(), gate, 0.0, 100)["better"] <= 0.05
    without = simulation.trials(simulation.World(), gate.model_copy(update={"seeds": 0.0}), 0.0, 100)
    assert without["better"] > 0.2, "the intervals of test items alone know nothing of seeds"


def test_a_gain_of_twice_the_margin_is_promoted(simulation: ModuleType) -> None:
    gate = simulation.champion_gate()
    shares = simulation.trials(simulation.World(), gate, 2 * (gate.factor - 1) * simulation.LEVEL, 60)
    assert shares["promoted"] >= 0.8
    small = simulation.trials(simulation.World(items=20, noise=0.2), gate, 0.0, 60)
    assert small["not_told_apart"] > 0.8
    assert small["promoted"] < 0.1


def test_a_year_of_slow_decay_is_stopped_by_the_anchor(simulation: ModuleType) -> None:
    gate = simulation.champion_gate()
    margin = (gate.factor - 1) * simulation.LEVEL
    held = [simulation.decay(simulation.World(), gate, 0.2 * margin, True, 120, seed)[-1] for seed in range(3)]
    assert all(level <= simulation.LEVEL + 1.5 * margin for level in held), "a year of attempts slips a little past it"
    loose = simulation.decay(simulation.World(), gate, 0.2 * margin, False, 60)[-1]
    assert loose > simulation.LEVEL + 5 * margin, "each night alone passes"
