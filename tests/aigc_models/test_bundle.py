from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from aigc_models import bundle, find
from aigc_models.bundle import CARD, WEIGHTS, Card
from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput, Damaged


class Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = 3


class Painter(nn.Module):
    """A picture for each condition; its second layer shares the first one's weights."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.table = nn.Embedding(shape.conditions, config.width)
        self.same = nn.Linear(config.width, shape.conditions, bias=False)
        self.same.weight = self.table.weight
        self.register_buffer("seen", torch.zeros(1, dtype=torch.int64))

    def generate(self, conditions: Tensor, seeds: Tensor, **sampling: Any) -> Tensor:
        return self.table(conditions)[:, None, None, :]


class Counts:
    """No module: its table has the size that the data gave it."""

    def __init__(self) -> None:
        self.table = torch.zeros(0)

    def state_dict(self) -> dict[str, Tensor]:
        return {"table": self.table}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.table = state["table"]


class Pair:
    def __init__(self, members: Mapping[str, Any], weights: Mapping[str, float], settings: Config) -> None:
        self.members, self.weights, self.settings = members, weights, settings

    def generate(self, conditions: Tensor, seeds: Tensor, **sampling: Any) -> Tensor:
        return sum(self.weights[name] * member.generate(conditions, seeds) for name, member in self.members.items())


@pytest.fixture(autouse=True)
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two families and an ensemble method as if their files were there."""
    modules: dict[str, dict[str, Any]] = {
        "families.painter": {"Config": Config, "build": Painter},
        "families.counts": {"Config": Config, "build": lambda config, shape: Counts()},
        "ensembles.pair": {"Settings": Config, "build": Pair},
    }
    for name, content in modules.items():
        module = ModuleType(f"aigc_models.{name}")
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    names = find.names
    added = {f"aigc_models.{name.split('.')[0]}": [] for name in modules}
    for name in modules:
        added[f"aigc_models.{name.split('.')[0]}"].append(name.split(".")[1])
    monkeypatch.setattr(find, "names", lambda package: tuple(sorted([*names(package), *added.get(package, [])])))


def card(**fields: Any) -> Card:
    known = {"name": "painter", "family": "painter", "modality": "image", "config": {"width": 3}, "labels": ("a", "b")}
    return Card(**known | {"format": {"height": 1, "width": 3, "channels": 1}} | fields)


def painter(seed: int = 0) -> Painter:
    torch.manual_seed(seed)
    return Painter(Config(), card().shape)


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    model = painter()
    saved = bundle.save(tmp_path / "one", model, card())
    before = torch.get_rng_state()
    found, loaded = bundle.load(tmp_path / "one")
    assert found == saved
    assert torch.equal(loaded.table.weight, model.table.weight)
    assert loaded.same.weight is loaded.table.weight
    assert not loaded.training
    assert torch.equal(torch.get_rng_state(), before)
    assert (saved.params, saved.capabilities) == (9, ("generates",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"]
    assert bundle.digest(tmp_path / "one") == bundle.sha256(tmp_path / "one" / CARD)


def test_the_same_model_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        bundle.save(tmp_path / name, painter(), card())
    assert bundle.digest(tmp_path / "one") == bundle.digest(tmp_path / "two")


def test_a_plain_model_with_tables_of_any_size(tmp_path: Path) -> None:
    counts = Counts()
    counts.load_state_dict({"table": torch.arange(7)})
    saved = bundle.save(tmp_path / "counts", counts, card(family="counts", kind="baseline"))
    assert saved.params == 7
    assert torch.equal(bundle.load(tmp_path / "counts")[1].table, torch.arange(7))


def test_the_newest_past_is_kept_and_guarded(tmp_path: Path) -> None:
    packed = [(b"time,a\n1,2\n", 1), (b"time,a\n\xc3\xa9,2\n" * 20, 0)]
    saved = bundle.save(tmp_path / "walker", painter(), card(), latest=packed)
    assert bundle.latest(tmp_path / "walker") == ([payload for payload, _ in packed], (1, 0))
    assert set(saved.digests) == {WEIGHTS, bundle.LATEST}
    (tmp_path / "walker" / bundle.LATEST).write_bytes(b"x")
    with pytest.raises(Damaged, match="latest"):
        bundle.load(tmp_path / "walker")
    with pytest.raises(Damaged, match="cannot be read"):
        bundle.latest(tmp_path / "walker")
    bundle.save(tmp_path / "painter", painter(), card())
    assert bundle.latest(tmp_path / "painter") == ([], ())


def test_an_ensemble_holds_its_members(tmp_path: Path) -> None:
    models = {"left": painter(1), "right": painter(2)}
    folders = {name: tmp_path / name for name in models}
    for name, model in models.items():
        bundle.save(folders[name], model, card(name=name))
    weights = {"left": 0.25, "right": 0.75}
    ensemble = Pair(models, weights, Config(width=5))
    fields = {"kind": "ensemble", "family": "pair", "weights": weights, "config": {"width": 5}}
    saved = bundle.save(tmp_path / "pair", ensemble, card(**fields), folders)
    for folder in folders.values():
        shutil.rmtree(folder)
    found, loaded = bundle.load(tmp_path / "pair")
    conditions = torch.tensor([0, 1, 2])
    assert torch.equal(loaded.generate(conditions, conditions), ensemble.generate(conditions, conditions))
    assert (found.members, found.params, loaded.settings) == (("left", "right"), 18, Config(width=5))
    assert saved.digests.keys() == {f"members/{name}/{file}" for name in models for file in (CARD, WEIGHTS)}
    (tmp_path / "pair" / "members" / "right" / CARD).write_text("{}")
    with pytest.raises(Damaged, match="right"):
        bundle.load(tmp_path / "pair")


@pytest.mark.parametrize("change", ["flip", "cut", "remove"])
def test_damage_is_refused(tmp_path: Path, change: str) -> None:
    bundle.save(tmp_path / "one", painter(), card())
    weights = tmp_path / "one" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.unlink()
    if change != "remove":
        weights.write_bytes(content if change == "flip" else content[:-4])
    with pytest.raises(Damaged, match=WEIGHTS):
        bundle.load(tmp_path / "one")


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no bundle"):
        bundle.load(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({"name": "x"}))
    with pytest.raises(Damaged, match="cannot be read"):
        bundle.load(tmp_path)


def test_a_failed_save_leaves_the_old_bundle(tmp_path: Path) -> None:
    bundle.save(tmp_path / "one", painter(), card())
    before = bundle.digest(tmp_path / "one")
    with pytest.raises(TypeError):
        bundle.save(tmp_path / "one", object(), card())
    assert bundle.digest(tmp_path / "one") == before
    bundle.save(tmp_path / "one", painter(5), card())
    assert bundle.digest(tmp_path / "one") != before


def test_a_warm_start_takes_what_fits(tmp_path: Path) -> None:
    body = painter(1)
    bundle.save(tmp_path / "body", body, card(kind="body"))
    model = painter(2)
    model.extra = nn.Linear(2, 2)
    extra = model.extra.weight.clone()
    assert bundle.warm_start(model, tmp_path / "body") == (3, 5)
    assert torch.equal(model.table.weight, body.table.weight)
    assert torch.equal(model.extra.weight, extra)
    assert bundle.warm_start(Painter(Config(width=4), card().shape), tmp_path / "body") == (1, 3)
