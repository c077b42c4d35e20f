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
from aigc_models.fingerprints.winnowing import kept


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
    defaults = {"name": "painter", "family": "painter", "modality": "image", "config": {"width": 3}, "labels": ("a", "b")}
    return Card(**defaults | {"format": {"height": 1, "width": 3, "channels": 1}} | fields)


def painter(seed: int = 0) -> Painter:
    torch.manual_seed(seed)
    return Painter(Config(), card().shape)


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    model = painter()
    saved = bundle.save(tmp_path / "one", model, card())
    before = torch.get_rng_state()
    loaded_card, loaded = bundle.load(tmp_path / "one")
    assert loaded_card == saved
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
    loaded_card, loaded = bundle.load(tmp_path / "pair")
    conditions = torch.tensor([0, 1, 2])
    assert torch.equal(loaded.generate(conditions, conditions), ensemble.generate(conditions, conditions))
    assert (loaded_card.members, loaded_card.params, loaded.settings) == (("left", "right"), 18, Config(width=5))
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
    with pytest.raises(BadInput, match=r"family: is missing"):
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
    with pytest.raises(BadInput, match=r"painter in .* has no weights of the names and sizes of this Painter.*start=random"):
        bundle.warm_start(Painter(Config(width=4), card().shape), tmp_path / "body")


def changed(folder: Path, **fields: Any) -> None:
    """The card as another hand would write it; what is None is left out."""
    fields = json.loads((folder / CARD).read_text()) | fields
    (folder / CARD).write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"digests": {"../two/weights.safetensors": "0" * 64}}, "leads out of the bundle's folder"),
        ({"digests": {"/etc/passwd": "0" * 64}}, "leads out of the bundle's folder"),
        ({"digests": {"members\\..\\x": "0" * 64}}, "leads out of the bundle's folder"),
        ({"kind": "ensemble", "family": "pair", "members": ["../../two"]}, "is no name of a folder"),
        ({"kind": "ensemble", "family": "pair", "members": [".."]}, "leads out of the bundle's folder"),
        ({"kind": "ensemble", "family": "pair", "members": ["two"]}, "states no digest of members/two/bundle.json"),
        ({"digests": {}}, "states no digest of weights.safetensors"),
        ({"config": {"depth": 3}}, "the config of .* cannot be used here: depth: is unknown"),
        ({"format": {"height": "tall"}}, "the format of painter cannot be used here: height"),
        ({"config": {"width": 4}}, "its weights are not those of the model that its card describes"),
        ({"format_version": 99}, "is of format 99, and this program reads up to"),
        ({"family": "../evil"}, "unknown family"),
        ({"micro_batch": "many"}, "micro_batch: needs a whole number"),
    ],
)
def test_a_card_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    bundle.save(tmp_path / "one", painter(), card())
    bundle.save(tmp_path / "two", painter(), card())
    changed(tmp_path / "one", **fields)
    with pytest.raises(BadInput, match=reason) as refused:
        bundle.load(tmp_path / "one")
    assert "\n" not in str(refused.value)
    assert "pydantic" not in str(refused.value)


def test_a_card_that_is_not_utf8_or_not_json_is_refused(tmp_path: Path) -> None:
    bundle.save(tmp_path / "one", painter(), card())
    for content, reason in ((b'{"name": "\xff"}', "is not UTF-8"), (b"{", "cannot be used: Invalid JSON")):
        (tmp_path / "one" / CARD).write_bytes(content)
        with pytest.raises(BadInput, match=reason):
            bundle.load(tmp_path / "one")


def test_an_ensemble_without_the_weight_of_a_member_is_refused(tmp_path: Path) -> None:
    bundle.save(tmp_path / "left", painter(), card(name="left"))
    bundle.save(tmp_path / "pair", Pair({}, {}, Config()), card(kind="ensemble", family="pair"), {"left": tmp_path / "left"})
    with pytest.raises(BadInput, match="states no weight of left"):
        bundle.load(tmp_path / "pair")


def test_a_card_without_a_format_version_is_read_as_the_first_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle.save(tmp_path / "one", painter(), card())
    assert bundle.load(tmp_path / "one")[0].format_version == bundle.FORMAT_VERSION
    assert not caplog.records
    changed(tmp_path / "one", format_version=None)
    assert bundle.load(tmp_path / "one")[0].format_version == 1
    assert "with the same seed it now makes other items; train it again" in caplog.text


def test_a_body_that_shares_only_a_buffer_is_no_warm_start(tmp_path: Path) -> None:
    bundle.save(tmp_path / "body", painter(1), card(kind="body"))
    stranger = nn.Linear(2, 2)
    stranger.register_buffer("seen", torch.ones(1, dtype=torch.int64))
    with pytest.raises(BadInput, match="start=random"):
        bundle.warm_start(stranger, tmp_path / "body")
    assert int(stranger.seen) == 1


def test_what_tells_repeats_of_training_data_comes_with_a_bundle_or_is_not_there(tmp_path):
    runs = kept(["A text of more than fifty characters, of which some hashes are kept, and 271828182."])
    bundle.save(tmp_path / "with", Counts(), Card(name="c", family="counts", modality="text"), runs=runs)
    bundle.save(tmp_path / "without", Counts(), Card(name="c", family="counts", modality="text"))
    loaded = bundle.training_runs(tmp_path / "with")
    assert loaded is not None
    assert loaded.pieces.tolist() == runs.pieces.tolist()
    assert len(loaded.pieces) > 0
    assert loaded.numbers == runs.numbers
    assert len(loaded.numbers) == 1
    assert bundle.training_runs(tmp_path / "without") is None


def test_hashes_of_runs_of_other_sizes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "SIZES", torch.tensor([30, 60]))
    bundle.save(tmp_path / "one", Counts(), Card(name="c", family="counts", modality="text"), runs=kept([]))
    monkeypatch.undo()
    with pytest.raises(BadInput, match="runs of other sizes"):
        bundle.training_runs(tmp_path / "one")
    (tmp_path / "one" / bundle.RUNS).write_bytes(b"no tensors")
    with pytest.raises(Damaged, match="cannot be read"):
        bundle.training_runs(tmp_path / "one")
