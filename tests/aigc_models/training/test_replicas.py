"""Two processes that train together, with gloo on the CPU, beside one that trains alone: the same weights, to rounding."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from aigc_models.corpus import Batch
from aigc_models.errors import BadInput
from aigc_models.training.replicas import Replicas

SCRIPT = """
import sys
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.find import find
from aigc_models.modalities import series, text
from aigc_models.sequences import Sequences
from aigc_models.training.fit import Interrupted, Plan, fit, seeded

noise, folder, rank = np.random.default_rng(0), Path(sys.argv[1]), sys.argv[2]
items = Sequences.of([*noise.integers(97, 103, noise.integers(1, 24)), 256] for _ in range(24))
texts = Corpus("text", items, np.arange(24) % 2)
waves = Corpus("series", noise.standard_normal((24, 2, 30)).astype(np.float32), np.zeros(24, np.int64))
form = series.Format(context=24, horizon=6, season=6, channels=2, names=("a", "b"), step="1", centre=(0, 0), scale=(1, 1))
of_texts, of_waves = Shape("text", ("a", "b"), text.Format(length=24)), Shape("series", (), form)


class Context:
    def __init__(self, name: str, stops: int) -> None:
        self.folder, self.left = folder / name, stops

    def progress(self, step: int, total: int, **figures: float) -> None:
        assert rank == "0", "the main process alone says something"

    def stop(self) -> bool:
        self.left -= 1
        return self.left == 0 and rank == "0"  # the others are told


def train(family: str, data: Corpus, shape: Shape, stops: int = 0, changes: dict = {}, **plan: object) -> None:
    name, module = family + "-".join(map(str, plan.values())), find("aigc_models.families", family)
    for attempt in (1, 2) if stops else (1,):
        with seeded(3):
            model = module.build(module.SIZES["debug"].model_copy(update=changes), shape)
        settings = {**module.PLAN, "steps": 6, "device": "cpu", "validate_every": 2, "batch_size": 9, **plan}
        try:
            fitted = fit(model, data, data, Plan(**settings), Context(name, stops if attempt == 1 else 0))
        except Interrupted:
            continue
        assert fitted.interrupted is bool(stops)
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / f"{name}.{rank}")


train("rnn", texts, of_texts)
train("rnn", texts, of_texts, stops=4, seed=1)
train("transformer", texts, of_texts, accumulate=2)
train("forecaster", waves, of_waves, changes={"dropout": 0.0, "noise": 0.0})
"""


def trained(folder: Path, count: int) -> None:
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1"}
    places = [{**group, "RANK": str(rank), "LOCAL_RANK": str(rank)} if count > 1 else {} for rank in range(count)]
    children = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), str(rank)], env={**os.environ, **place})
        for rank, place in enumerate(places)
    ]
    assert [child.wait(100) for child in children] == [0] * count


@pytest.mark.slow
def test_two_processes_have_the_weights_of_one(tmp_path: Path) -> None:
    """Rows with a carried state and a sparse table, cut and gone on with; parts within a share; running estimates."""
    for count in (1, 2):
        trained(tmp_path / str(count), count)
    names = sorted(path.name for path in (tmp_path / "1").glob("*.0"))
    assert names == ["forecaster.0", "rnn.0", "rnn1.0", "transformer2.0"]
    for name in names:
        alone, main = load_file(tmp_path / "1" / name), load_file(tmp_path / "2" / name)
        other = load_file(tmp_path / "2" / name.replace(".0", ".1"))
        for key, value in alone.items():
            if not key.endswith("across.2.bias"):  # before a norm: its gradient is rounding alone, which AdamW makes steps of
                torch.testing.assert_close(main[key], value, rtol=1e-4, atol=1e-5, msg=f"{name} {key}")
            assert torch.equal(main[key], other[key]), "all processes have the same bits"
        checkpoints = list((tmp_path / "2").glob(f"{name.removesuffix('.0')}/checkpoints/*"))
        assert checkpoints
        assert not [path for path in checkpoints if path.suffix], "written by one process, whole"


def replicas(count: int, index: int) -> Replicas:
    return Replicas(SimpleNamespace(num_processes=count, process_index=index, device=torch.device("cpu")))


def test_shares_make_up_a_step() -> None:
    batch = Batch(torch.arange(7), torch.arange(7))
    shares = [replicas(3, index).share(batch).values.tolist() for index in range(3)]
    assert [item for share in shares for item in share] == list(range(7))
    assert replicas(1, 0).share(batch) is batch
    with pytest.raises(BadInput, match="a step of 7 items cannot be shared by 8 processes"):
        replicas(8, 0).share(batch)


def test_alone_nothing_is_sent() -> None:
    one, state = replicas(1, 0), torch.get_rng_state()
    one.wait()
    one.seed(1, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert [one.agreed(True), one.agreed(False)] == [True, False]
    assert one.total(torch.ones(2)).tolist() == [1, 1]
    assert one.kept({"a": torch.ones(1)}) == {}


def test_each_process_has_noise_of_its_own_that_follows_from_the_step() -> None:
    def drawn(index: int, step: int) -> float:
        replicas(2, index).seed(5, step)
        return float(torch.rand(()))

    with torch.random.fork_rng():
        assert drawn(0, 3) == drawn(0, 3)
        assert len({drawn(0, 3), drawn(1, 3), drawn(0, 4), drawn(1, 4)}) == 4
