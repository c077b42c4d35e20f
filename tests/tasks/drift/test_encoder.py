"""Which encoder versions are compared with."""

from __future__ import annotations

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.errors import BadInput
from aigc_models.families import autoencoder
from aigc_models.modalities import image
from tasks.drift.encoder import champion_data, find_encoder, plain, trained
from tasks.stage.settings import Workspace

ITEMS = [np.full((8, 8, 1), 20 * at, dtype=np.uint8) for at in range(10)]


def body(workspace: Workspace, key: str, dataset: str, age: int = 0):
    """What the stage `pretrain` leaves behind, untrained."""
    folder = workspace.stages / f"pretrain-{key}" / "bundle"
    folder.parent.mkdir(parents=True)
    config = autoencoder.SIZES["debug"]
    card = Card(kind="body", name="body", family="autoencoder", modality="image", config=config.model_dump(mode="json"),
                format=image.choose_format(ITEMS).model_dump(), dataset=dataset)  # fmt: skip
    torch.manual_seed(0)
    bundle.save(folder, autoencoder.build(config, card.shape), card)
    os.utime(folder / "bundle.json", (1000 - age, 1000 - age))
    return folder


def test_the_newest_body_of_the_data_set_encodes(tmp_path):
    workspace = Workspace(tmp_path)
    assert find_encoder(workspace, "digits") is None
    body(workspace, "a", "digits", age=50)
    newest = body(workspace, "b", "digits")
    body(workspace, "c", "others")
    assert find_encoder(workspace, "digits") == (newest, "pretrained body autoencoder")
    features = trained(newest)(ITEMS)
    assert (len(features), features.dtype) == (10, np.float32)
    assert np.isfinite(features).all()


def test_a_workspace_without_a_registry_is_asked_for_nothing(tmp_path):
    assert champion_data(Workspace(tmp_path), "digits", "digits") == ""
    assert not list(tmp_path.iterdir())


def test_plain_features_are_the_modalitys_own():
    np.testing.assert_array_equal(plain(image, "image")(ITEMS), image.embedding(ITEMS))
    with pytest.raises(BadInput, match="events has no plain features"):
        plain(SimpleNamespace(), "events")
