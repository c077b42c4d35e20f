from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.modalities import image, text
from aigc_models.modalities.events import events
from tasks.dataset.tables import payloads
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import SplitSettings, split
from tasks.stage.references import VersionRef
from tasks.train.encode import EncodeSettings, encode, encoded_version
from tasks.version.version import version

SPLITS = ("train", "validation", "test")


def versioned(data) -> VersionRef:
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    ref = split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    return VersionRef(**ref.model_dump(), version="abc")


def run(data, **settings):
    return encoded_version(data.clean.parent, versioned(data), EncodeSettings(**settings), data.context("encode"))


def test_texts_come_back(handmade, sentences) -> None:
    data = handmade()
    words = sentences(60)
    fields = [{"label": label, "split": place} for label in "ba" for place in ("train", "dev", "test")]
    ids = data.add(words, [field for field in fields for _ in range(10)])
    ref = run(data)
    seen = []
    for name in SPLITS:
        folder = data.context("encode").folder / name
        corpus, keys = Corpus.load(folder, "text"), list(np.load(folder / "ids.npy"))
        assert keys == [key for key in ids if key in set(keys)]
        assert len(corpus) == len(keys) == ref.splits[name] == 20
        assert text.decode(corpus.batch(np.arange(20)).values, text.Format(**ref.format)) == [
            words[ids.index(key)] for key in keys
        ]
        assert corpus.conditions.tolist() == [1] * 10 + [0] * 10
        seen += keys
    assert sorted(seen) == sorted(ids)
    assert (ref.labels, ref.version, ref.modality) == (("a", "b"), "abc", "text")
    assert ref.outputs == tuple(f".aigc/stages/encode/{name}" for name in SPLITS)
    assert ref.intact(data.workspace)


def test_train_items_alone_are_learnt_with_their_end_first(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(60), [{"split": place} for place in ("train", "dev", "test") for _ in range(20)])
    ref = run(data, format={"fill_in": 0.5})
    assert ref.format["fill_in"] == 0.5
    counts = {}
    for name in SPLITS:
        symbols = Corpus.load(data.context("encode").folder / name, "text").sequences.symbols
        counts[name] = int((np.asarray(symbols) == 0xFE).sum())
    assert 4 <= counts["train"] <= 16
    assert (counts["validation"], counts["test"]) == (0, 0)


def test_items_without_a_label_and_labels_that_train_lacks_have_no_condition(handmade, sentences) -> None:
    data = handmade()
    fields = [{"label": "a", "split": "train"}] * 28 + [{"split": "train"}] * 2
    fields += [{"label": "z", "split": "test"}] * 2 + [{"label": "a", "split": "dev"}] * 2
    data.add(sentences(34), fields)
    ref = run(data)
    conditions = {name: np.load(data.context("encode").folder / name / "conditions.npy").tolist() for name in SPLITS}
    assert ref.labels == ("a",)
    assert conditions == {"train": [0] * 28 + [1, 1], "validation": [0, 0], "test": [1, 1]}


def test_pictures_in_the_cards_format(handmade) -> None:
    data = handmade("image", "noise")
    random = np.random.default_rng(0)
    data.add([random.integers(0, 255, (8, 8, 1), dtype=np.uint8) for _ in range(90)])
    ref = run(data)
    folder = data.context("encode").folder / "train"
    assert ref.format == {"height": 8, "width": 8, "channels": 1}
    values, keys = np.load(folder / "values.npy"), np.load(folder / "ids.npy")
    [(_, payload)] = payloads(data.clean, {str(keys[5])})
    assert values.shape[1:] == (1, 8, 8)
    np.testing.assert_array_equal(values[5].transpose(1, 2, 0), image.unpack(payload))


def test_settings_may_choose_another_format(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(90))
    assert run(data, format={"length": 32}).format["length"] == 32


def test_a_text_is_encoded_whole_however_long(handmade, sentences) -> None:
    data, long = handmade(), " ".join(sentences(900))
    data.add([*sentences(90), long])
    run(data)
    folders = [data.context("encode").folder / name for name in ("train", "validation", "test")]
    texts = [text for folder in folders for text in decoded(folder)]
    assert long in texts
    assert len(texts) == 91


def decoded(folder: Path) -> list[str]:
    return text.decode(Corpus.load(folder, "text").values, text.Format(length=16))


def test_an_unknown_field_of_the_format_is_refused(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(90))
    with pytest.raises(BadInput, match="unknown field 'lenght'; did you mean 'length'"):
        run(data, format={"lenght": 32})


CHECKOUT = """
import sys
from tasks.stage.settings import Workspace
from tasks.version.checkout import checkout
checkout(Workspace.current(), "notes", sys.argv[1])
"""


@pytest.mark.slow
def test_a_version_is_encoded_whatever_takes_its_place_in_data_meanwhile(handmade, sentences, monkeypatch) -> None:
    data, refs, ids = handmade(), [], []
    monkeypatch.setenv("AIGC_WORKSPACE", str(data.workspace.create().root))
    for start in (0, 500):  # two versions that share no item
        shutil.rmtree(data.clean, ignore_errors=True)
        data.rows = 0
        ids.append(data.add(sentences(60, start)))
        refs.append(version.plain(versioned(data), data.context("version")))

    def put(name: str) -> None:
        subprocess.run([sys.executable, "-c", CHECKOUT, name], check=True)

    old, new = refs
    before = encode.plain(old, EncodeSettings(), data.context("before"))  # data/notes holds the new one
    kept = [key for name in SPLITS for key in np.load(data.context("before").folder / name / "ids.npy")]
    assert sorted(kept) == sorted(ids[0])
    put(old.version)
    context = data.context("during")
    context.on_progress = lambda step, total, **figures: put(new.version) if step == 0 else None  # another process
    during = encode.plain(old, EncodeSettings(), context)
    assert new.intact(data.workspace)
    for name in SPLITS:
        for file in ("values.npy", "conditions.npy", "ids.npy"):
            assert (context.folder / name / file).read_bytes() == (data.context("before").folder / name / file).read_bytes()
    assert during.licence == before.licence


def test_to_recommend_each_history_is_in_all_splits_without_its_last_items(handmade) -> None:
    data = handmade("events", "films")
    random = np.random.default_rng(0)
    histories = [events.history(np.arange(6), [f"film {item}" for item in random.permutation(15)[:6]]) for _ in range(30)]
    short = events.history(np.arange(2), ["film 1", "film 2"])
    ids = data.add([*histories, short])
    ref = run(data, task="recommend")
    folder = data.context("encode").folder
    rows = {name: Corpus.load(folder / name, "events") for name in SPLITS}
    keys = {name: np.load(folder / name / "ids.npy").tolist() for name in SPLITS}
    assert ref.splits == {"train": 31, "validation": 30, "test": 30}
    assert ref.splits == {name: len(corpus) for name, corpus in rows.items()}
    assert sorted(keys["train"]) == sorted(ids)
    assert keys["validation"] == keys["test"] == [key for key in keys["train"] if key != ids[-1]]
    numbers = {name: at for at, name in enumerate(ref.format["items"], start=1)}
    for key, row in zip(keys["test"], rows["test"].sequences.rows(), strict=True):
        whole = [numbers.get(name, 0) for name in histories[ids.index(key)].values]
        assert row.tolist() == [*whole, len(numbers) + 1]
        train = list(rows["train"].sequences.rows())[keys["train"].index(key)]
        assert train.tolist() == [*whole[:-2], len(numbers) + 1]
