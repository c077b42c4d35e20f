from __future__ import annotations

import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import SplitSettings, split
from tasks.stage.references import VersionRef
from tasks.train.encode import EncodeSettings, encoded_version


def run(data, labels, texts, **settings):
    """Ten items of each label in train, of those alone behind it in validation and test; the reference and the test split."""
    train, later = labels
    fields = [{"label": label, "split": "train"} for label in train for _ in range(10)]
    fields += [{"label": label, "split": place} for place in ("dev", "test") for label in later]
    data.add(texts(len(fields)), [{key: one for key, one in field.items() if one} for field in fields])
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    ref = split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    context = data.context("encode")
    whole = encoded_version(
        data.clean.parent, VersionRef(**ref.model_dump(), version="abc"), EncodeSettings(**settings), context
    )
    return whole, Corpus.load(context.folder / "test", "text")


def test_sets_of_labels_become_targets_and_a_new_combination_counts(handmade, sentences):
    ref, test = run(handmade(), (["a;b", "b", "c", ""], ["a;c", "new;b", "", "a"]), sentences, task="multilabel")
    assert ref.labels == ("a", "b", "c")
    assert test.conditions.tolist() == [3] * 4, "no label is shown to a model"
    expected = [[1, 0, 1], [0, 1, 0], [np.nan] * 3, [1, 0, 0]]
    assert np.array_equal(test.targets, expected, equal_nan=True)


def test_what_stands_between_labels_can_be_said(handmade, sentences):
    given = (["a, b", "b", "c"], ["a, c", "b"])
    with pytest.raises(BadInput, match="every train item has one label, such as 'a, b'"):
        run(handmade(), given, sentences, task="multilabel")
    ref, test = run(handmade(name="again"), given, sentences, task="multilabel", target={"separator": ","})
    assert ref.labels == ("a", "b", "c")
    assert test.targets.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_numbers_become_targets_and_what_is_none_is_named(handmade, sentences):
    ref, test = run(handmade(), (["4.5", "-1", "0"], ["7", "", "2.5"]), sentences, task="regress")
    assert ref.labels == ()
    assert np.array_equal(test.targets, [[7], [np.nan], [2.5]], equal_nan=True)
    with pytest.raises(BadInput, match=r"label 'good' is no finite number: .*or use --task classify"):
        run(handmade(name="other"), (["4.5", "good", "0"], ["7", "2.5"]), sentences, task="regress")


def test_a_task_of_single_labels_has_none(handmade, sentences):
    ref, test = run(handmade(), (["b", "a", "b"], ["a", "new"]), sentences, task="classify")
    assert ref.labels == ("a", "b")
    assert test.conditions.tolist() == [0, 2]
    assert test.targets is None
    with pytest.raises(BadInput, match="task classify has no targets; leave separator out of target"):
        run(handmade(name="again"), (["b", "a", "b"], ["a", "b"]), sentences, task="classify", target={"separator": ","})
