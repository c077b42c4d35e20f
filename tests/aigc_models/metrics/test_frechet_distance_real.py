import numpy as np

from aigc_models.corpus import Corpus
from aigc_models.metrics.frechet_distance_real import matching


def test_drawn_items_match_label_by_label_without_repeats(digits):
    rows = matching(digits.train, digits.test, np.random.default_rng(0))
    assert np.array_equal(digits.train.conditions[rows], digits.test.conditions)
    assert len(set(rows.tolist())) == len(digits.test)


def test_a_label_that_train_lacks_is_drawn_from_all(digits):
    strange = Corpus("image", digits.test.values, np.full(len(digits.test), 10))
    assert len(matching(digits.train, strange, np.random.default_rng(0))) == len(digits.test)
