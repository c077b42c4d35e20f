from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from tasks.dataset.tables import read
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.folds import fold_of, outside
from tasks.split.split import SplitSettings, split
from tasks.stage.references import VersionRef
from tasks.train.encode import EncodeSettings, encoded_version


def folds(data, texts, fields=None) -> dict[str, int | None]:
    data.add(texts, fields)
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    ref = split.plain(data.ref, duplicates, SplitSettings(folds=3), data.context("split"))
    made = VersionRef(**ref.model_dump(), version="abc")
    encoded_version(data.clean.parent, made, EncodeSettings(), data.context("encode"))
    rows = read([data.clean.parent / "splits.parquet"], ["id", "split", "fold"])
    assert {place for place, fold in zip(rows["split"], rows["fold"], strict=True) if fold is not None} == {"train"}
    return {key: fold for key, place, fold in zip(rows["id"], rows["split"], rows["fold"], strict=True) if place == "train"}


def test_groups_and_near_duplicates_stay_in_one_fold_and_nothing_moves(handmade, sentences) -> None:
    data, texts = handmade(), sentences(90)
    texts += [f"{text}." for text in texts[:30]]
    before = folds(data, texts, [{"group": f"writer {at % 30}"} if 30 <= at < 90 else {} for at in range(120)])
    ids = read([data.clean / "00000-000000000000.parquet"], ["id"])["id"]
    assert all(before.get(ids[at]) == before.get(ids[90 + at]) for at in range(30))
    assert all(before.get(ids[30 + at]) == before.get(ids[60 + at]) for at in range(30))
    sizes = Counter(before.values())
    assert set(sizes) == {0, 1, 2}
    assert min(sizes.values()) > 15
    after = folds(data, sentences(60, start=500))
    assert {key: after[key] for key in before} == before


def test_a_member_sees_nothing_of_its_fold_nor_what_is_near_to_it(handmade, sentences) -> None:
    data, texts = handmade(), sentences(60)
    fold_by_id = folds(data, texts)
    folder = data.context("encode").folder / "train"
    train, keys = Corpus.load(folder, "text"), np.load(folder / "ids.npy").tolist()
    for fold in range(3):
        seen = outside(train, folder, fold, "rnn")
        kept = [at for at, key in enumerate(keys) if fold_by_id[key] != fold]
        assert seen.values.padded().tolist() == train.values[np.array(kept)].padded().tolist()
        assert 0 < len(seen) < len(train)
    with pytest.raises(BadInput, match=r"member 'rnn' leaves out fold 3, and the data set has 3 \(from 0 on\)"):
        outside(train, folder, 3, "rnn")
    with pytest.raises(BadInput, match=r"has none; set data\.split\.folds"):
        outside(train, folder.parent / "test", 0, "rnn")


def test_a_fold_depends_on_group_seed_and_number_alone() -> None:
    groups = [str(at) for at in range(200)]
    numbers = [fold_of(group, 5, "aigc") for group in groups]
    assert numbers == [fold_of(group, 5, "aigc") for group in groups]
    assert numbers != [fold_of(group, 5, "other") for group in groups]
    assert min(Counter(numbers).values()) > 20
