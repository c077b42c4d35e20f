import json

import numpy as np
import pytest

from aigc_models import bundle
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.ensemble import EnsembleSettings, build_ensemble
from tasks.train.finetune import finetune
from tasks.train.inputs import shape_of, splits
from tasks.train.members import MemberSettings
from tasks.train.pretrain import pretrain


@pytest.fixture
def data(tmp_path):
    """Sixty small pictures of two labels: left half or right half lit."""
    random = np.random.default_rng(0)
    for name, count in (("train", 40), ("validation", 10), ("test", 10)):
        conditions = np.arange(count) % 2
        values = random.integers(0, 60, (count, 1, 8, 8)).astype(np.uint8)
        values[conditions == 0, :, :, :4] += 150
        values[conditions == 1, :, :, 4:] += 150
        Corpus("image", values, conditions).save(tmp_path / name)
    folders = [tmp_path / name for name in ("train", "validation", "test")]
    about = {"dataset": "halves", "modality": "image", "version": "v", "labels": ("left", "right"), "licence": "CC0-1.0"}
    size = {"height": 8, "width": 8, "channels": 1}
    return CorpusRef.to(Workspace(tmp_path), *folders, **about, format=size, splits={"train": 40, "validation": 10, "test": 10})


def context(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    return StageContext(folder, Workspace(tmp_path))


def member(family, **fields):
    return MemberSettings(family=family, size="debug", **{"steps": 3, "device": "cpu", **fields})


def test_a_member_is_trained_and_its_bundle_says_from_what(data, tmp_path):
    here = context(tmp_path, "m")
    reference = finetune.plain(data, None, member("vae", seed=4), context=here)
    card, _ = bundle.load(reference.path(here.workspace))
    assert (card.kind, card.family, card.dataset, card.version, card.licence, card.seed) == (
        "member",
        "vae",
        "halves",
        "v",
        "CC0-1.0",
        4,
    )
    assert card.parents["data"] == data.sha256
    assert (reference.steps, reference.params) == (3, card.params)
    assert json.loads((here.folder / "curve.json").read_text())[-1]["step"] == 3
    assert not (here.folder / "checkpoints").exists(), "what was finished needs no checkpoint"


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(data, tmp_path):
    made = [
        finetune.plain(data, None, member("gan", seed=seed), context=context(tmp_path, str(at)))
        for at, seed in enumerate((1, 1, 2))
    ]
    weights = [bundle.read_card(reference.path(Workspace(tmp_path))).digests["weights.safetensors"] for reference in made]
    assert weights[0] == weights[1] != weights[2]


def test_a_member_is_trained_outside_of_its_fold(data, tmp_path):
    np.save(tmp_path / "train/folds.npy", np.arange(40, dtype=np.int16) % 2)  # fold 0 holds all items of the label 0
    here = context(tmp_path, "m")
    reference = finetune.plain(data, None, member("gaussian_mixture", fold=0), context=here)
    assert here.figures["train_items"] == 20
    assert bundle.load(reference.path(here.workspace))[1].state["shares"].tolist() == [0, 1, 0]  # and no item without a label
    with pytest.raises(BadInput, match="leaves out fold 2, and the data set has 2"):
        finetune.plain(data, None, member("gaussian_mixture", fold=2), context=context(tmp_path, "n"))


def test_a_member_starts_from_the_pretrained_body(data, tmp_path):
    body = pretrain.plain(data, member("autoencoder"), context=context(tmp_path, "body"))
    assert bundle.read_card(body.path(Workspace(tmp_path))).kind == "body"
    here = context(tmp_path, "m")
    started = finetune.plain(data, body, member("flow_matching", start="body"), context=here)
    assert 0 < here.figures["tensors_copied"] <= here.figures["tensors"]
    assert bundle.read_card(started.path(here.workspace)).parents["body"] == body.sha256


def test_a_family_of_another_modality_is_refused_with_those_that_fit(data, tmp_path):
    with pytest.raises(BadInput, match="family for image"):
        finetune.plain(data, None, member("rnn"), context=context(tmp_path, "m"))


@pytest.mark.slow
def test_an_ensemble_holds_its_members_and_their_weights(data, tmp_path):
    members = [
        finetune.plain(data, None, member(family), context=context(tmp_path, family)) for family in ("vae", "gaussian_mixture")
    ]
    here = context(tmp_path, "e")
    reference = build_ensemble.plain(data, members, EnsembleSettings(method="mixture"), context=here)
    assert sum(reference.weights.values()) == pytest.approx(1)
    card, ensemble = bundle.load(reference.path(here.workspace))
    assert set(card.members) == {"vae", "gaussian_mixture"}
    assert ensemble.weights == pytest.approx(reference.weights)


def test_the_splits_and_the_shape_come_from_the_reference(data, tmp_path):
    here = StageContext(tmp_path, Workspace(tmp_path))
    assert {name: len(corpus) for name, corpus in splits(data, here).items()} == {"train": 40, "validation": 10, "test": 10}
    assert shape_of(data).conditions == 3
