from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from aigc_models.corpus import Corpus
from aigc_models.ensembles.mixture import Mixture, Settings
from aigc_models.metrics import _judge
from aigc_models.metrics._judge import Judge, generated, hands, judge


def test_the_judge_is_shared_within_one_evidence(picture_evidence, unlabelled_evidence):
    first = judge(picture_evidence)
    assert judge(picture_evidence) is first
    assert judge(unlabelled_evidence) is not first
    assert judge(picture_evidence) is first, "two evidences, judged in turn, keep a judge each"
    assert judge(replace(picture_evidence, seed=1)) is not first
    assert judge(unlabelled_evidence).test.shape == (300, 64)


def test_a_pool_has_the_conditions_of_the_lesson_and_is_made_once(picture_evidence):
    jury = judge(picture_evidence)
    pool = jury.pool("replay")
    assert pool is jury.pool("replay")
    assert pool.values.dtype == np.uint8
    assert len(pool) == picture_evidence.pool < len(picture_evidence.train)
    assert np.array_equal(pool.conditions, jury.lesson.conditions)


def test_a_large_train_split_is_sampled_alike_for_real_and_generated_items(picture_evidence):
    jury = _judge.Judge(replace(picture_evidence, pool=100))
    assert len(jury.lesson) == 100
    assert np.array_equal(jury.pool("replay").conditions, jury.lesson.conditions)


def test_a_mixture_of_one_member_is_that_member(picture_evidence):
    mixtures = {"ensemble": {"replay": 1.0, "noisy": 0.0}, "even": {"replay": 0.5, "noisy": 0.5}}
    built = {name: SimpleNamespace(weights=weights) for name, weights in mixtures.items()}
    jury = _judge.Judge(replace(picture_evidence, models={**picture_evidence.models, **built}))
    assert jury.original("ensemble") == "replay"
    assert jury.original("even") == "even"
    assert jury.pool("ensemble") is jury.pool("replay")


def test_the_items_asked_for_are_as_many_as_the_samples(picture_evidence):
    fewer = {name: corpus.take(np.arange(40)) for name, corpus in picture_evidence.samples.items()}
    jury = _judge.Judge(replace(picture_evidence, samples=fewer))
    assert np.array_equal(jury.asked.values, picture_evidence.test.values[:40])


def test_a_pool_is_dealt_out_label_by_label_evenly(digits):
    rows = hands(digits.train, digits.test.take(np.arange(100)), np.random.default_rng(0))
    assert rows.shape == (10, 100)
    assert (digits.train.conditions[rows] == digits.test.conditions[:100]).all()
    fewer = hands(digits.train, digits.test, np.random.default_rng(0))
    assert len(fewer) == 3, "1,197 items are three times 300"
    times = np.bincount(fewer.ravel(), minlength=len(digits.train))
    of_one = times[digits.train.conditions == 0]
    assert of_one.max() - of_one.min() <= 1, "none comes again before all of its label did"


def test_a_pool_smaller_than_the_test_split_is_one_hand(digits):
    assert hands(digits.train.take(np.arange(200)), digits.test, np.random.default_rng(0)).shape == (1, 300)


def test_a_label_that_train_lacks_is_drawn_from_all(digits):
    strange = Corpus("image", digits.test.values, np.full(len(digits.test), 10))
    assert hands(digits.train, strange, np.random.default_rng(0)).shape == (3, len(digits.test))


def test_an_ensemble_s_pool_is_picked_from_its_members_as_it_would_draw_itself(picture_evidence):
    mixture = Mixture({"replay": Painter(0.2), "noise": Painter(-0.4)}, {"replay": 0.5, "noise": 0.5}, Settings())
    models = {"ensemble": mixture, **mixture.members}
    samples = dict.fromkeys(models, picture_evidence.test)
    jury = Judge(replace(picture_evidence, models=models, samples=samples))
    alone = generated(mixture, jury.lesson, picture_evidence.shape)
    assert np.array_equal(jury.pool("ensemble").values, alone.values)
    assert len(np.unique(alone.values)) > 2


def test_a_champion_s_figures_are_its_own(picture_evidence):
    member = Painter(0.2)
    champion = Mixture({"replay": Painter(0.9)}, {"replay": 1.0}, Settings())
    models = {"ensemble": Mixture({"replay": member}, {"replay": 1.0}, Settings()), "replay": member, "champion": champion}
    jury = Judge(replace(picture_evidence, models=models, samples=dict.fromkeys(models, picture_evidence.test)))
    assert jury.original("ensemble") == "replay"
    assert jury.original("champion") == "champion"
    assert not np.array_equal(jury.pool("champion").values, jury.pool("ensemble").values)


class Painter:
    """Grey that depends on the seed a little."""

    def __init__(self, level):
        self.level = level

    def generate(self, conditions, seeds, **sampling):
        return (self.level + (seeds % 7) / 70)[:, None, None, None].expand(-1, 1, 8, 8)


def test_what_is_combined_is_said_by_the_evidence_and_not_by_a_name(picture_evidence):
    member = Painter(0.2)
    models = {"blend": Mixture({"replay": member}, {"replay": 1.0}, Settings()), "replay": member}
    samples = dict.fromkeys(models, picture_evidence.test)
    named = replace(picture_evidence, models=models, samples=samples, combined=frozenset({"blend"}))
    assert Judge(named).original("blend") == "replay"
    assert Judge(replace(named, combined=frozenset())).original("blend") == "blend"
