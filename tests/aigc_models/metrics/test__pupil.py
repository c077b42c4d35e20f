from functools import cache

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from aigc_models.metrics._pupil import answers, bank, described, press


@cache
def clouds(seed, count=90):
    random, labels = np.random.default_rng(seed), np.arange(count) % 3
    return np.eye(3, 8)[labels] + 0.3 * random.normal(size=(count, 8)), labels


def test_real_digits_are_learnt_and_shuffled_labels_are_not(digits):
    seen = bank(digits.train, digits.shape, 1)
    lesson, test = described(seen, digits.train, digits.shape), described(seen, digits.test, digits.shape)
    right = answers(lesson, digits.train.conditions, test, 4, 0) == digits.test.conditions
    assert right.shape == (4, len(digits.test))
    assert right.mean() > 0.96
    shuffled = np.random.default_rng(0).permutation(digits.train.conditions)
    assert (answers(lesson, shuffled, test, 4, 0) == digits.test.conditions).mean() < 0.2


def test_sounds_are_described_by_their_spectrograms(tones):
    seen = bank(tones.train, tones.shape, 1)
    lesson, test = described(seen, tones.train, tones.shape), described(seen, tones.test, tones.shape)
    assert lesson.dtype == np.float64
    assert (answers(lesson, tones.train.conditions, test, 2, 0) == tones.test.conditions).mean() > 0.9


def test_the_same_seed_gives_the_same_filters_and_answers_and_draws_differ(digits):
    few = digits.train.take(np.arange(60))
    first, second = (described(bank(few, digits.shape, 3), few, digits.shape) for _ in range(2))
    assert np.array_equal(first, second)
    noisy = first + np.random.default_rng(0).normal(size=first.shape)
    one, same, other = (answers(noisy, few.conditions, first, 3, seed) for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


def test_blank_pictures_are_no_error(digits):
    blank = digits.train.take(np.arange(20))
    blank = type(blank)(blank.modality, np.zeros_like(blank.values), blank.conditions)
    rows = described(bank(blank, digits.shape, 0), blank, digits.shape)
    assert np.isfinite(rows).all()
    assert set(answers(rows, blank.conditions, rows, 2, 0).ravel()) <= set(blank.conditions)


def test_answers_are_labels_even_where_some_are_missing():
    rows, labels = clouds(0)
    known = np.array([4, 7, 9])[labels]
    assert (answers(rows, known, rows, 3, 0) == known).mean() > 0.8
    assert set(answers(rows[:1], known[:1], rows, 2, 0).ravel()) == {4}


def test_the_penalty_leaves_the_least_error_of_rows_left_out_one_by_one():
    rows, labels = clouds(1, 30)
    rows, targets = rows - rows.mean(0), np.eye(3)[labels]

    def error(penalty):
        left = []
        for out in range(len(rows)):
            kept = np.arange(len(rows)) != out
            left.append(Ridge(alpha=penalty).fit(rows[kept], targets[kept]).predict(rows[[out]])[0] - targets[out])
        return np.square(left).mean()

    chosen = press(rows, targets)
    assert error(chosen) <= min(error(chosen * factor) for factor in (0.1, 0.3, 3, 10)) * 1.001


def test_draws_of_one_lesson_differ_as_lessons_do():
    """In deviation of the accuracy on fixed test items, to a third."""
    test, truth = clouds(1_000, 300)
    accuracies = np.array([(answers(*clouds(seed), test, 10, seed) == truth).mean(1) for seed in range(60)])
    between, within = accuracies[:, 0].std(), np.sqrt(accuracies.var(axis=1, ddof=1).mean())
    assert within == pytest.approx(between, rel=0.34)
