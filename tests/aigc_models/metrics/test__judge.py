import numpy as np

from aigc_models.metrics import _judge
from aigc_models.metrics._judge import judge


def test_the_judge_is_shared_within_one_evidence(picture_evidence, unlabelled_evidence):
    first = judge(picture_evidence)
    assert judge(picture_evidence) is first
    assert judge(unlabelled_evidence) is not first
    assert judge(unlabelled_evidence).test.shape == (300, 64)


def test_a_pool_has_the_conditions_of_the_train_split_and_is_made_once(picture_evidence):
    jury = judge(picture_evidence)
    pool = jury.pool("replay")
    assert pool is jury.pool("replay")
    assert pool.values.dtype == np.uint8
    assert np.array_equal(pool.conditions, picture_evidence.train.conditions)


def test_a_large_train_split_is_sampled_alike_for_real_and_generated_items(picture_evidence, monkeypatch):
    monkeypatch.setattr(_judge, "MOST_ITEMS", 100)
    jury = _judge.Judge(picture_evidence)
    assert len(jury.lesson) == 100
    assert np.array_equal(jury.pool("replay").conditions, jury.lesson.conditions)
    assert jury.pupil is not jury.classifier
