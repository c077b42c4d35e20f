from __future__ import annotations

import numpy as np

from aigc_models.corpus import Corpus, LikeLengths, Shuffled
from aigc_models.sequences import Sequences


def corpus(items: int) -> Corpus:
    return Corpus("image", np.arange(items, dtype=np.uint8).reshape(-1, 1, 1, 1), np.arange(items))


def test_a_saved_corpus_is_read_from_its_files(tmp_path) -> None:
    corpus(5).save(tmp_path)
    read = Corpus.load(tmp_path, "image")
    assert isinstance(read.values.base, np.memmap)  # not copied into memory
    assert read.batch(np.array([1, 3])).conditions.tolist() == [1, 3]


def test_targets_go_along_with_their_items(tmp_path) -> None:
    some = corpus(5)
    targets = np.array([[0], [1], [np.nan], [3], [4]], dtype=np.float32)
    Corpus("image", some.values, some.conditions, targets).save(tmp_path)
    read = Corpus.load(tmp_path, "image")
    batch = read.take(np.array([0, 3, 4])).batch(np.array([1, 2]))
    assert batch.targets is not None
    assert batch.targets.tolist() == [[3], [4]]
    assert batch.to("cpu").part(slice(0, 1)).targets.tolist() == [[3]]
    assert read.answered().conditions.tolist() == [0, 1, 3, 4]
    assert some.batch(np.array([0])).targets is None


def test_what_a_reader_has_mapped_stays_when_the_corpus_is_saved_again(tmp_path) -> None:
    corpus(5).save(tmp_path)
    read = Corpus.load(tmp_path, "image")
    again = corpus(5)
    Corpus("image", again.values + np.uint8(7), again.conditions).save(tmp_path)
    assert read.values.ravel().tolist() == [0, 1, 2, 3, 4]
    assert Corpus.load(tmp_path, "image").values.ravel().tolist() == [7, 8, 9, 10, 11]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conditions.npy", "values.npy"]


def test_an_epoch_is_a_permutation_and_batches_run_across_its_end() -> None:
    batches = Shuffled(corpus(10), 4, seed=1)
    seen = [batches(step).conditions.tolist() for step in range(5)]
    assert seen == [Shuffled(corpus(10), 4, seed=1)(step).conditions.tolist() for step in range(5)]
    assert all(batch == sorted(batch) for batch in seen)
    both = sorted(item for batch in seen for item in batch)
    assert both == sorted(2 * list(range(10)))


def test_a_batch_may_be_larger_than_the_corpus() -> None:
    assert sorted(Shuffled(corpus(3), 6, seed=1)(0).conditions.tolist()) == [0, 0, 1, 1, 2, 2]


def test_batches_of_like_length_hold_each_item_once_an_epoch_and_little_padding() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 64)
    texts = Corpus("text", Sequences.of([np.full(length, 65) for length in lengths]), np.arange(64))
    batches = LikeLengths(texts, 8, seed=1)
    seen = [batches(step) for step in range(16)]
    assert sorted(item for batch in seen[:8] for item in batch.conditions.tolist()) == list(range(64))
    assert sorted(item for batch in seen[8:] for item in batch.conditions.tolist()) == list(range(64))
    again = LikeLengths(texts, 8, seed=1)
    assert [again(step).conditions.tolist() for step in (5, 2)] == [seen[step].conditions.tolist() for step in (5, 2)]
    assert [batch.conditions.tolist() for batch in seen[:8]] != [batch.conditions.tolist() for batch in seen[8:]]

    def padding(some: list[object]) -> float:
        return sum(float((batch.values == -1).float().mean()) for batch in some) / len(some)

    assert padding(seen) < 0.4 * padding([Shuffled(texts, 8, seed=1)(step) for step in range(16)])
